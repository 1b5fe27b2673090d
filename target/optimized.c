#include "optimized.h"

#include "allocate.h"
#include "palette.h"
#include "stage.h"

#include <stdlib.h>

static STEP void argmax_uint8(const double *probabilities, size_t pixels, uint8_t *classes)
{
	for (size_t i = 0; i < pixels; i++, probabilities += CLASS_COUNT) {
		unsigned best = 0;

		for (unsigned class = 1; class < CLASS_COUNT; class ++)
			if (probabilities[class] > probabilities[best])
				best = class;
		classes[i] = best;
	}
}

static STEP void take_maximum(
	const double *probabilities, const uint8_t *classes, size_t pixels, float *highest)
{
	for (size_t i = 0; i < pixels; i++, probabilities += CLASS_COUNT)
		highest[i] = probabilities[classes[i]];
}

/* One channel of one colour table: rgb points at the first pixel's byte of that channel. */
static STEP void color_channel(const uint8_t *classes, const float *highest, size_t height,
	size_t width, const float colour_of_class[CLASS_COUNT], uint8_t *rgb, size_t rgb_stride)
{
	for (size_t y = 0; y < height; y++, rgb += rgb_stride)
		for (size_t x = 0; x < width; x++)
			rgb[3 * x] = colour_of_class[*classes++] * *highest++;
}

void optimized_colorcode(
	const double *probabilities, size_t height, size_t width, uint8_t *rgb, size_t rgb_stride)
{
	size_t pixels = height * width;
	uint8_t *classes = allocate(pixels, sizeof(*classes));
	float *highest = allocate(pixels, sizeof(*highest));

	argmax_uint8(probabilities, pixels, classes);
	take_maximum(probabilities, classes, pixels, highest);
	for (unsigned channel = 0; channel < 3; channel++) {
		float colour_of_class[CLASS_COUNT];

		for (unsigned class = 0; class < CLASS_COUNT; class ++)
			colour_of_class[class] = class_colours[class][channel];
		color_channel(classes, highest, height, width, colour_of_class, rgb + channel,
			rgb_stride);
	}
	free(highest);
	free(classes);
}
