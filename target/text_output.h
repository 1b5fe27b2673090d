/*
 * Writing one class's probabilities as text: a line for each row of pixels, six decimals a number.
 */
#ifndef TARGET_TEXT_OUTPUT_H
#define TARGET_TEXT_OUTPUT_H

#include "failure.h"

#include <signal.h>
#include <stddef.h>

/*
 * values points at the first pixel's probability of the class; the next pixel's is CLASS_COUNT
 * values on. The image of height x width is repeated tiles x tiles times. Gives up, leaving a half
 * file, when *interrupted is set meanwhile.
 */
int text_output_write(const char *path, unsigned tiles, size_t height, size_t width,
	const double *values, const volatile sig_atomic_t *interrupted, struct failure *err);

#endif
