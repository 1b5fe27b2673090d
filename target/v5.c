/* Change: a kernel compiled just in time (libgccjit, before the measured region), whole array. */
#include "hdf5_input.h"
#include "jit_kernel.h"
#include "stage.h"

#include <stdlib.h>

static STEP double *load_probabilities(
	const char *directory, size_t *height, size_t *width, struct failure *err)
{
	return hdf5_load_probabilities(directory, height, width, err);
}

static STEP void colorcode_probabilities(
	jit_colorcode *colorcode, const double *probabilities, struct picture *result)
{
	colorcode(probabilities, result->height * result->width, result->rgb);
}

static void *prepare_v5(struct failure *err)
{
	return jit_kernel_compile(err);
}

static void release_v5(void *prepared)
{
	jit_kernel_free(prepared);
}

static int run_v5(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	size_t height, width;
	double *probabilities = load_probabilities(directory, &height, &width, err);

	if (!probabilities)
		return -1;
	picture_init(result, height, width);
	colorcode_probabilities(jit_kernel_code(prepared), probabilities, result);
	free(probabilities);
	return 0;
}

const struct stage stage_v5 = {
	.name = "v5",
	.change = "just-in-time compiled kernel (libgccjit), whole array",
	.prepare = prepare_v5,
	.run = run_v5,
	.release = release_v5,
};
