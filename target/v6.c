/* Change: a hand-written kernel: one fused pass in C over the whole image. */
#include "fused.h"
#include "hdf5_input.h"
#include "stage.h"

#include <stdlib.h>

static STEP double *load_probabilities(
	const char *directory, size_t *height, size_t *width, struct failure *err)
{
	return hdf5_load_probabilities(directory, height, width, err);
}

static STEP void colorcode_probabilities(const double *probabilities, struct picture *result)
{
	fused_colorcode(probabilities, result->height * result->width, result->rgb);
}

static int run_v6(
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

const struct stage stage_v6 = {
	.name = "v6",
	.change = "hand-written fused C kernel, whole array",
	.run = run_v6,
};
