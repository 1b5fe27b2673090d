/*
 * data.hdf5 opened for reading: the class probabilities (H, W, 4) float64 and the image (H, W, 3)
 * uint8, both contiguous and uncompressed (HDF5 file format specification, IV.A.2.i "Data Layout").
 * Pixels are numbered by row and column; a pixel's four probabilities lie side by side.
 */
#ifndef TARGET_HDF5_INPUT_H
#define TARGET_HDF5_INPUT_H

#include "failure.h"

#include <hdf5.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct hdf5_input {
	char path[PATH_MAX];
	hid_t file, probabilities, image;
	size_t height, width;
	unsigned tiles; /* how often the image is repeated each way; 0: the file does not say */
};

/* A rectangle of pixels. */
struct chunk {
	size_t y, x, height, width;
};

/*
 * Opens data.hdf5 of the directory and checks that both data sets are there, whole and of one size.
 * On failure there is nothing to close.
 */
int hdf5_input_open(struct hdf5_input *input, const char *directory, struct failure *err);

/* Reads all probabilities into height * width * 4 doubles. */
int hdf5_input_read(const struct hdf5_input *input, double *probabilities, struct failure *err);

/* Reads the chunk's probabilities, row by row without gaps: chunk height * width * 4 doubles. */
int hdf5_input_read_chunk(const struct hdf5_input *input, const struct chunk *chunk,
	double *probabilities, struct failure *err);

/* Reads one row of the image: width * 3 bytes. */
int hdf5_input_read_image_row(
	const struct hdf5_input *input, size_t y, uint8_t *rgb, struct failure *err);

/* Opens, reads all probabilities and closes; fills height and width. NULL with err; free() it. */
double *hdf5_load_probabilities(
	const char *directory, size_t *height, size_t *width, struct failure *err);

void hdf5_input_close(struct hdf5_input *input);

#endif
