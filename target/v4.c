/* Change: v3 in chunks of 1024 x 1024 pixels, read and processed one at a time. */
#include "chunks.h"
#include "optimized.h"
#include "stage.h"

static STEP int load_probabilities(const struct hdf5_input *input, const struct chunk *chunk,
	double *probabilities, struct failure *err)
{
	return hdf5_input_read_chunk(input, chunk, probabilities, err);
}

static STEP void colorcode_probabilities(
	const double *probabilities, const struct chunk *chunk, uint8_t *rgb, size_t rgb_stride)
{
	optimized_colorcode(probabilities, chunk->height, chunk->width, rgb, rgb_stride);
}

static int run_v4(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	(void)prepared;
	return chunks_colorcode(
		directory, load_probabilities, colorcode_probabilities, result, err);
}

const struct stage stage_v4 = {
	.name = "v4",
	.change = "v3 in 1024 x 1024 chunks, read and processed one at a time",
	.tolerance = 1,
	.run = run_v4,
};
