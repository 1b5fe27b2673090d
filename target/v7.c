/* Change: v6's kernel in chunks of 1024 x 1024 pixels. */
#include "chunks.h"
#include "fused.h"
#include "palette.h"
#include "stage.h"

static STEP int load_probabilities(const struct hdf5_input *input, const struct chunk *chunk,
	double *probabilities, struct failure *err)
{
	return hdf5_input_read_chunk(input, chunk, probabilities, err);
}

static STEP void colorcode_probabilities(
	const double *probabilities, const struct chunk *chunk, uint8_t *rgb, size_t rgb_stride)
{
	for (size_t y = 0; y < chunk->height; y++) {
		fused_colorcode(probabilities, chunk->width, rgb);
		probabilities += chunk->width * CLASS_COUNT;
		rgb += rgb_stride;
	}
}

static int run_v7(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	(void)prepared;
	return chunks_colorcode(
		directory, load_probabilities, colorcode_probabilities, result, err);
}

const struct stage stage_v7 = {
	.name = "v7",
	.change = "v6's kernel in 1024 x 1024 chunks",
	.run = run_v7,
};
