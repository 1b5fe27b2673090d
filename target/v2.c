/* Change: array at a time: each step is a pass over the whole image into an array of its own. */
#include "allocate.h"
#include "hdf5_input.h"
#include "palette.h"
#include "stage.h"

#include <stdlib.h>

/* The names are those of the array operations that an interactive program would call. */

static STEP int64_t *argmax(const double *probabilities, size_t pixels)
{
	int64_t *classes = allocate(pixels, sizeof(*classes));

	for (size_t i = 0; i < pixels; i++, probabilities += CLASS_COUNT) {
		int64_t best = 0;

		for (int64_t class = 1; class < CLASS_COUNT; class ++)
			if (probabilities[class] > probabilities[best])
				best = class;
		classes[i] = best;
	}
	return classes;
}

static STEP double *max(const double *probabilities, size_t pixels)
{
	double *highest = allocate(pixels, sizeof(*highest));

	for (size_t i = 0; i < pixels; i++, probabilities += CLASS_COUNT) {
		highest[i] = probabilities[0];
		for (unsigned class = 1; class < CLASS_COUNT; class ++)
			if (probabilities[class] > highest[i])
				highest[i] = probabilities[class];
	}
	return highest;
}

/* The colour of each pixel's class: three int64 a pixel. */
static STEP int64_t *take(const int64_t *classes, size_t pixels)
{
	int64_t *colours = allocate(pixels * 3, sizeof(*colours));

	for (size_t i = 0; i < pixels; i++)
		for (unsigned channel = 0; channel < 3; channel++)
			colours[3 * i + channel] = class_colours[classes[i]][channel];
	return colours;
}

/* Each pixel's three values times its factor. */
static STEP double *multiply(const int64_t *colours, const double *factors, size_t pixels)
{
	double *products = allocate(pixels * 3, sizeof(*products));

	for (size_t i = 0; i < pixels; i++)
		for (unsigned channel = 0; channel < 3; channel++)
			products[3 * i + channel] = colours[3 * i + channel] * factors[i];
	return products;
}

static STEP void cast_to_uint8(const double *values, size_t count, uint8_t *result)
{
	for (size_t i = 0; i < count; i++)
		result[i] = values[i];
}

static STEP double *load_probabilities(
	const char *directory, size_t *height, size_t *width, struct failure *err)
{
	return hdf5_load_probabilities(directory, height, width, err);
}

static STEP void colorcode_probabilities(
	const double *probabilities, size_t pixels, struct picture *result)
{
	int64_t *classes = argmax(probabilities, pixels);
	double *highest = max(probabilities, pixels);
	int64_t *colours = take(classes, pixels);
	double *products;

	free(classes);
	products = multiply(colours, highest, pixels);
	free(colours);
	free(highest);
	cast_to_uint8(products, pixels * 3, result->rgb);
	free(products);
}

static int run_v2(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	size_t height, width;
	double *probabilities = load_probabilities(directory, &height, &width, err);

	(void)prepared;
	if (!probabilities)
		return -1;
	picture_init(result, height, width);
	colorcode_probabilities(probabilities, height * width, result);
	free(probabilities);
	return 0;
}

const struct stage stage_v2 = {
	.name = "v2",
	.change = "array at a time: whole-array passes with a temporary per step",
	.run = run_v2,
};
