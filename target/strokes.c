#include "strokes.h"

#include "palette.h"
#include "random.h"

#include <stdbool.h>
#include <string.h>

struct canvas {
	const uint8_t *classes;
	uint8_t *labels;
	size_t height, width;
	size_t left[CLASS_COUNT]; /* pixels that each class may still label */
};

/* Whether the disc lies in the picture and in one class. */
static bool disc_is_uniform(const struct canvas *canvas, size_t y0, size_t x0, long radius)
{
	const uint8_t *centre = canvas->classes + y0 * canvas->width + x0;

	if (y0 < (size_t)radius || x0 < (size_t)radius || y0 + radius >= canvas->height ||
		x0 + radius >= canvas->width)
		return false;
	for (long y = -radius; y <= radius; y++)
		for (long x = -radius; x <= radius; x++)
			if (y * y + x * x <= radius * radius &&
				centre[y * (long)canvas->width + x] != *centre)
				return false;
	return true;
}

static void draw_disc(struct canvas *canvas, size_t y0, size_t x0, long radius, uint8_t class)
{
	uint8_t *centre = canvas->labels + y0 * canvas->width + x0;

	for (long y = -radius; y <= radius; y++)
		for (long x = -radius; x <= radius; x++) {
			uint8_t *label = &centre[y * (long)canvas->width + x];

			if (y * y + x * x > radius * radius || *label != NO_LABEL ||
				!canvas->left[class])
				continue;
			*label = class;
			canvas->left[class]--;
		}
}

void strokes_draw(
	uint64_t seed, const uint8_t *classes, size_t height, size_t width, uint8_t *labels)
{
	/* Broad strokes first; small things such as nuclei only take small ones. */
	static const long radii[] = {12, 6, 4, 2, 1, 0};
	struct canvas canvas = {classes, labels, height, width, {0}};
	struct random random = {seed};
	size_t tries = height * width / 30 + 1;

	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		canvas.left[class] = height * width / 20 + 1;
	memset(labels, NO_LABEL, height * width);
	for (size_t i = 0; i < sizeof(radii) / sizeof(*radii); i++)
		for (size_t try = 0; try < tries; try++) {
			size_t y = random_below(&random, height), x = random_below(&random, width);
			uint8_t class = classes[y * width + x];

			if (canvas.left[class] && disc_is_uniform(&canvas, y, x, radii[i]))
				draw_disc(&canvas, y, x, radii[i], class);
		}
}
