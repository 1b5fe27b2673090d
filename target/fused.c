#include "fused.h"

#include "palette.h"

void fused_colorcode(const double *probabilities, size_t pixels, uint8_t *rgb)
{
	for (; pixels--; probabilities += CLASS_COUNT, rgb += 3) {
		double highest = probabilities[0];
		unsigned best = 0;
		uint8_t level;

		for (unsigned class = 1; class < CLASS_COUNT; class ++)
			if (probabilities[class] > highest) {
				highest = probabilities[class];
				best = class;
			}
		/* A colour's channels are either 0 or 255: the product is the level or nothing. */
		level = 255 * highest;
		rgb[0] = level & class_colours[best][0];
		rgb[1] = level & class_colours[best][1];
		rgb[2] = level & class_colours[best][2];
	}
}
