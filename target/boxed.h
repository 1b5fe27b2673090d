/*
 * An image as a list of lists of objects, as a first program in a dynamic language holds it: rows
 * of pointers to pixels, a pixel is an object that points to its four values, each an object too.
 *
 *   rows[y][x]->probability[class]->number
 */
#ifndef TARGET_BOXED_H
#define TARGET_BOXED_H

#include "palette.h"
#include "picture.h"

struct boxed_value {
	double number;
};

struct boxed_pixel {
	struct boxed_value *probability[CLASS_COUNT]; /* NULL: not loaded yet */
};

struct boxed_image {
	size_t height, width;
	struct boxed_pixel ***rows; /* height rows of width pixels, all owned */
};

/* A new value, freed with its image. */
struct boxed_value *boxed_value_new(double number);

/* Adds a row of `width` new pixels without values; all rows have the width of the first. */
void boxed_image_add_row(struct boxed_image *image, size_t width);

/* Colours every pixel by its most probable class into the empty picture. */
void boxed_colorcode(const struct boxed_image *image, struct picture *result);

/* Frees every object; accepts an image whose pixels lack values. */
void boxed_image_release(struct boxed_image *image);

#endif
