/*
 * Working through data.hdf5 in chunks of at most 1024 x 1024 pixels, one in memory at a time.
 */
#ifndef TARGET_CHUNKS_H
#define TARGET_CHUNKS_H

#include "failure.h"
#include "hdf5_input.h"
#include "picture.h"

/*
 * Colours one chunk: its probabilities lie without gaps; rgb is its first pixel in the result,
 * whose rows are rgb_stride bytes apart.
 */
typedef void chunk_colorcode(
	const double *probabilities, const struct chunk *chunk, uint8_t *rgb, size_t rgb_stride);

/* Reads every chunk with `load`, colours it into the empty result with `colorcode`. */
int chunks_colorcode(const char *directory,
	int (*load)(const struct hdf5_input *, const struct chunk *, double *, struct failure *),
	chunk_colorcode *colorcode, struct picture *result, struct failure *err);

#endif
