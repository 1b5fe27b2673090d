/*
 * A picture like a stained section of tissue under the microscope (haematoxylin and eosin): pale
 * empty space, pink fibres of connective tissue, glands of purple epithelium round an empty middle,
 * dark blue nuclei. Drawn, so that the true class of every pixel is known.
 */
#ifndef TARGET_TISSUE_H
#define TARGET_TISSUE_H

#include "picture.h"

#include <stdint.h>

/* The classes by their number in the palette. */
enum tissue { TISSUE_BACKGROUND, TISSUE_CONNECTIVE, TISSUE_NUCLEUS, TISSUE_EPITHELIUM };

/*
 * Draws height x width pixels into the empty picture and the true class of each into classes
 * (height * width bytes).
 */
void tissue_draw(
	uint64_t seed, size_t height, size_t width, struct picture *picture, uint8_t *classes);

#endif
