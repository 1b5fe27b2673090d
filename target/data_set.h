/*
 * One data set: a directory with the probabilities of one image's pixels.
 *
 *   data/s/data.hdf5               probabilities (H, W, 4) float64, image (H, W, 3) uint8
 *   data/s/probabilities_0.txt     H lines of W numbers, class 0; three more files for the others
 *
 * The text files exist for the sizes s and m only.
 */
#ifndef TARGET_DATA_SET_H
#define TARGET_DATA_SET_H

#include "failure.h"

#include <limits.h>
#include <stdbool.h>

/* A size that `segment generate` makes: the image repeated tiles x tiles times. */
struct data_size {
	const char *name;
	unsigned tiles;
	bool has_text;
};

/* s, m, l and xl, up to one without a name. */
extern const struct data_size data_sizes[];

/* The size of that name, or NULL with err naming the known ones. */
const struct data_size *data_size_find(const char *name, struct failure *err);

/*
 * The directory that the user means: "s" is data/s of the working directory, a name with a slash is
 * the directory itself. Fails when the name is too long for a path.
 */
int data_set_directory(const char *name, char directory[PATH_MAX], struct failure *err);

/* DIRECTORY/data.hdf5 */
int data_set_hdf5_path(const char *directory, char path[PATH_MAX], struct failure *err);

/* DIRECTORY/probabilities_CLASS.txt */
int data_set_text_path(
	const char *directory, unsigned class, char path[PATH_MAX], struct failure *err);

#endif
