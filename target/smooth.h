/*
 * Gaussian smoothing of one channel: height x width floats, row by row. Beyond the edge the
 * outermost pixels are repeated.
 */
#ifndef TARGET_SMOOTH_H
#define TARGET_SMOOTH_H

#include <stddef.h>

/* Smooths `from` into `to` (another array) with standard deviation sigma in pixels, cut at 3 sigma.
 */
void smooth_gaussian(const float *from, size_t height, size_t width, double sigma, float *to);

#endif
