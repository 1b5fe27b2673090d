/*
 * Writing data.hdf5: the image and its probabilities, repeated tiles x tiles times, contiguous and
 * uncompressed, with the attribute `tiles` on the file.
 */
#ifndef TARGET_HDF5_OUTPUT_H
#define TARGET_HDF5_OUTPUT_H

#include "failure.h"
#include "picture.h"

#include <signal.h>

/* Gives up, leaving a half file, when *interrupted is set meanwhile. */
int hdf5_output_write(const char *path, unsigned tiles, const struct picture *image,
	const double *probabilities, const volatile sig_atomic_t *interrupted, struct failure *err);

#endif
