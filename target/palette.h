/*
 * The classes of a pixel and their colours (red, green, blue). A pixel's colour is that of its most
 * probable class, scaled by that probability.
 */
#ifndef TARGET_PALETTE_H
#define TARGET_PALETTE_H

#include <stdint.h>

enum { CLASS_COUNT = 4 };

static const uint8_t class_colours[CLASS_COUNT][3] = {
	{0, 0, 255},   /* blue: background */
	{0, 255, 0},   /* green: connective tissue */
	{255, 0, 0},   /* red: nuclei */
	{0, 255, 255}, /* cyan: epithelium */
};

#endif
