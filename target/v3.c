/* Change: optimised arrays: uint8 classes, the maximum taken by index, float32, RGB unrolled. */
#include "hdf5_input.h"
#include "optimized.h"
#include "stage.h"

#include <stdlib.h>

static STEP double *load_probabilities(
	const char *directory, size_t *height, size_t *width, struct failure *err)
{
	return hdf5_load_probabilities(directory, height, width, err);
}

static STEP void colorcode_probabilities(const double *probabilities, struct picture *result)
{
	optimized_colorcode(
		probabilities, result->height, result->width, result->rgb, result->width * 3);
}

static int run_v3(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	size_t height, width;
	double *probabilities = load_probabilities(directory, &height, &width, err);

	(void)prepared;
	if (!probabilities)
		return -1;
	picture_init(result, height, width);
	colorcode_probabilities(probabilities, result);
	free(probabilities);
	return 0;
}

const struct stage stage_v3 = {
	.name = "v3",
	.change = "optimised arrays: uint8 classes, maximum by index, float32, RGB unrolled",
	.tolerance = 1,
	.run = run_v3,
};
