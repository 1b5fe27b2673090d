/*
 * The optimised array passes of v3 (whole image) and v4 (chunks): uint8 classes, the maximum taken
 * by index instead of computed again, float32, one pass for each of red, green and blue.
 */
#ifndef TARGET_OPTIMIZED_H
#define TARGET_OPTIMIZED_H

#include <stddef.h>
#include <stdint.h>

/*
 * Colours height x width pixels, whose probabilities lie without gaps, into rgb, whose rows are
 * rgb_stride bytes apart.
 */
void optimized_colorcode(
	const double *probabilities, size_t height, size_t width, uint8_t *rgb, size_t rgb_stride);

#endif
