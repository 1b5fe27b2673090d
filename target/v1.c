/* Change: the input comes from HDF5 instead of text; each value is still an object of its own. */
#include "allocate.h"
#include "boxed.h"
#include "hdf5_input.h"
#include "stage.h"

#include <stdlib.h>

/* What numpy's tolist() does: an object for each value of the array. */
static STEP void box_values(
	const double *probabilities, size_t height, size_t width, struct boxed_image *image)
{
	for (size_t y = 0; y < height; y++) {
		boxed_image_add_row(image, width);
		for (size_t x = 0; x < width; x++)
			for (unsigned class = 0; class < CLASS_COUNT; class ++)
				image->rows[y][x]->probability[class] =
					boxed_value_new(*probabilities++);
	}
}

static int refuse_large(const struct hdf5_input *input, const char *directory, struct failure *err)
{
	if (input->tiles <= 2)
		return 0;
	return fail(err,
		"v1 takes the sizes s and m only: %s is too large for an object per value; use v2 "
		"or "
		"later",
		directory);
}

static STEP int load_probabilities(
	const char *directory, struct boxed_image *image, struct failure *err)
{
	struct hdf5_input input;
	double *probabilities = NULL;
	int failed = -1;

	if (hdf5_input_open(&input, directory, err))
		return -1;
	if (refuse_large(&input, directory, err))
		goto out;
	probabilities = allocate(input.height * input.width * CLASS_COUNT, sizeof(*probabilities));
	failed = hdf5_input_read(&input, probabilities, err);
	if (!failed)
		box_values(probabilities, input.height, input.width, image);
out:
	free(probabilities);
	hdf5_input_close(&input);
	return failed;
}

static STEP void colorcode_probabilities(const struct boxed_image *image, struct picture *result)
{
	boxed_colorcode(image, result);
}

static int run_v1(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	struct boxed_image image = {0};
	int failed = load_probabilities(directory, &image, err);

	(void)prepared;
	if (!failed)
		colorcode_probabilities(&image, result);
	boxed_image_release(&image);
	return failed;
}

const struct stage stage_v1 = {
	.name = "v1",
	.change = "input from HDF5 instead of text",
	.small_only = true,
	.run = run_v1,
};
