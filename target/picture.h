/*
 * A picture: height x width pixels of three uint8 (red, green, blue), row by row without gaps.
 * Every stage's result is one, and so is the image that the data is made from.
 */
#ifndef TARGET_PICTURE_H
#define TARGET_PICTURE_H

#include <stddef.h>
#include <stdint.h>

struct picture {
	size_t height, width;
	uint8_t *rgb; /* height * width * 3 bytes, owned; NULL: no picture yet */
};

/* Makes room for height x width pixels, not initialised; picture must be empty ({0}). */
void picture_init(struct picture *picture, size_t height, size_t width);

/* The three bytes of the pixel in row y, column x; borrowed. */
static inline uint8_t *picture_pixel(const struct picture *picture, size_t y, size_t x)
{
	return picture->rgb + (y * picture->width + x) * 3;
}

/* Frees the pixels and leaves an empty picture. */
void picture_release(struct picture *picture);

#endif
