/*
 * Writing a data set (data_set.h). The image and its probabilities are repeated tiles x tiles times
 * on the way to the file, so that the largest size needs no more memory than the smallest.
 */
#ifndef TARGET_DATA_SET_WRITER_H
#define TARGET_DATA_SET_WRITER_H

#include "data_set.h"
#include "picture.h"

/*
 * Writes data/SIZE: into data/SIZE.part, which gets its name when everything is in it and replaces
 * what was there. After a failure, and when SIGINT, SIGTERM or SIGHUP ends the program meanwhile,
 * nothing is left of it. probabilities: height * width * 4 doubles of the picture's pixels.
 */
int data_set_write(const struct data_size *size, const struct picture *image,
	const double *probabilities, struct failure *err);

#endif
