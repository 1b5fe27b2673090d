#include "boxed.h"

#include "allocate.h"
#include "stage.h"

#include <stdlib.h>

struct boxed_value *boxed_value_new(double number)
{
	struct boxed_value *value = allocate(1, sizeof(*value));

	value->number = number;
	return value;
}

static struct boxed_pixel *boxed_pixel_new(void)
{
	return allocate_zeroed(1, sizeof(struct boxed_pixel));
}

void boxed_image_add_row(struct boxed_image *image, size_t width)
{
	struct boxed_pixel **row = allocate(width, sizeof(*row));

	for (size_t x = 0; x < width; x++)
		row[x] = boxed_pixel_new();
	image->rows = reallocate(image->rows, image->height + 1, sizeof(*image->rows));
	image->rows[image->height++] = row;
	image->width = width;
}

static STEP unsigned most_probable_class(const struct boxed_pixel *pixel)
{
	unsigned best = 0;

	for (unsigned class = 1; class < CLASS_COUNT; class ++)
		if (pixel->probability[class]->number > pixel->probability[best]->number)
			best = class;
	return best;
}

static STEP double highest_probability(const struct boxed_pixel *pixel)
{
	double highest = pixel->probability[0]->number;

	for (unsigned class = 1; class < CLASS_COUNT; class ++)
		if (pixel->probability[class]->number > highest)
			highest = pixel->probability[class]->number;
	return highest;
}

static STEP void colorcode_pixel(const struct boxed_pixel *pixel, uint8_t rgb[3])
{
	const uint8_t *colour = class_colours[most_probable_class(pixel)];
	double probability = highest_probability(pixel);

	for (unsigned channel = 0; channel < 3; channel++)
		rgb[channel] = colour[channel] * probability;
}

void boxed_colorcode(const struct boxed_image *image, struct picture *result)
{
	picture_init(result, image->height, image->width);
	for (size_t y = 0; y < image->height; y++)
		for (size_t x = 0; x < image->width; x++)
			colorcode_pixel(image->rows[y][x], picture_pixel(result, y, x));
}

static void boxed_pixel_free(struct boxed_pixel *pixel)
{
	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		free(pixel->probability[class]);
	free(pixel);
}

void boxed_image_release(struct boxed_image *image)
{
	for (size_t y = 0; y < image->height; y++) {
		for (size_t x = 0; x < image->width; x++)
			boxed_pixel_free(image->rows[y][x]);
		free(image->rows[y]);
	}
	free(image->rows);
	*image = (struct boxed_image){0};
}
