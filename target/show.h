/*
 * The image and its segmentation side by side, as a PNG file.
 */
#ifndef TARGET_SHOW_H
#define TARGET_SHOW_H

#include "failure.h"
#include "picture.h"

/* Writes the image of the directory's data.hdf5 (left) and the result (right) to path. */
int show_side_by_side(
	const char *directory, const struct picture *result, const char *path, struct failure *err);

#endif
