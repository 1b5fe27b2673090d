/*
 * The labelled regions that the forest is trained on: brush strokes, as somebody would make who
 * points out examples of each class in the picture. A stroke is a disc that lies wholly in one
 * class.
 */
#ifndef TARGET_STROKES_H
#define TARGET_STROKES_H

#include <stddef.h>
#include <stdint.h>

enum { NO_LABEL = 255 };

/*
 * Fills labels (height * width bytes) with the class where there is a stroke and NO_LABEL
 * elsewhere: up to a twentieth of the picture for each class. classes holds the class of every
 * pixel.
 */
void strokes_draw(
	uint64_t seed, const uint8_t *classes, size_t height, size_t width, uint8_t *labels);

#endif
