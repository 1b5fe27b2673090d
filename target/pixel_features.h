/*
 * What the forest sees of a pixel: for each colour channel and each of five scales (Gaussian of
 * sigma 1, 2, 4, 8 and 16 pixels) the smoothed intensity and the two eigenvalues of the Hessian,
 * which tell blobs, ridges and flat parts apart. 45 features.
 *
 * A feature's values are kept as the number of one of 256 bins of about equally many pixels each,
 * as forests that split on histograms do: a pixel's features fit into one cache line.
 */
#ifndef TARGET_PIXEL_FEATURES_H
#define TARGET_PIXEL_FEATURES_H

#include "picture.h"

#include <stdint.h>

enum {
	SCALE_COUNT = 5,
	FEATURES_PER_SCALE = 3,
	FEATURE_COUNT = 3 * SCALE_COUNT * FEATURES_PER_SCALE,
	FEATURE_STRIDE = 48, /* bytes from one pixel's features to the next one's */
	BIN_COUNT = 256,
};

/* The features of every pixel: height * width * FEATURE_STRIDE bytes; free() it. */
uint8_t *features_compute(const struct picture *picture);

#endif
