#include "chunks.h"

#include "allocate.h"
#include "palette.h"

#include <stdlib.h>

enum { CHUNK_SIZE = 1024 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

int chunks_colorcode(const char *directory,
	int (*load)(const struct hdf5_input *, const struct chunk *, double *, struct failure *),
	chunk_colorcode *colorcode, struct picture *result, struct failure *err)
{
	struct hdf5_input input;
	double *probabilities;
	int failed = 0;

	if (hdf5_input_open(&input, directory, err))
		return -1;
	picture_init(result, input.height, input.width);
	probabilities =
		allocate(smaller(input.height, CHUNK_SIZE) * smaller(input.width, CHUNK_SIZE),
			CLASS_COUNT * sizeof(*probabilities));
	for (size_t y = 0; y < input.height && !failed; y += CHUNK_SIZE)
		for (size_t x = 0; x < input.width && !failed; x += CHUNK_SIZE) {
			struct chunk chunk = {y, x, smaller(CHUNK_SIZE, input.height - y),
				smaller(CHUNK_SIZE, input.width - x)};

			failed = load(&input, &chunk, probabilities, err);
			if (!failed)
				colorcode(probabilities, &chunk, picture_pixel(result, y, x),
					input.width * 3);
		}
	free(probabilities);
	hdf5_input_close(&input);
	return failed;
}
