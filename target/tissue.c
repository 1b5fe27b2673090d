#include "tissue.h"

#include "allocate.h"
#include "random.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A gland: an uneven ring of epithelium round an empty middle. */
struct gland {
	double y, x;
	double radius;	   /* outer, in pixels */
	double squeeze;	   /* its width by its height */
	double turn;	   /* angle of its axis */
	double hollowness; /* inner radius by outer radius */
};

struct drawing {
	uint64_t seed;
	size_t height, width;
	struct picture *picture;
	uint8_t *classes;
	struct gland *glands;
	size_t gland_count;
	struct random random;
};

/* Noise between 0 and 1 at the integer point (y, x) of a layer: always the same there. */
static double noise_at(uint64_t seed, int64_t y, int64_t x)
{
	uint64_t place = (uint64_t)y * 0x9e3779b97f4a7c15 ^ (uint64_t)x * 0xc2b2ae3d27d4eb4f;

	return (random_mix(random_mix(seed ^ place) + seed) >> 11) * 0x1p-53;
}

static double ease(double t)
{
	return t * t * (3 - 2 * t);
}

/* Smooth noise between 0 and 1: the integer points' noise, interpolated. */
static double noise_smooth(uint64_t seed, double y, double x)
{
	double row = floor(y), column = floor(x);
	double ty = ease(y - row), tx = ease(x - column);
	double top = (1 - tx) * noise_at(seed, row, column) + tx * noise_at(seed, row, column + 1);
	double bottom = (1 - tx) * noise_at(seed, row + 1, column) +
			tx * noise_at(seed, row + 1, column + 1);

	return (1 - ty) * top + ty * bottom;
}

/* Noise of several sizes, the largest `size` pixels, between -1 and 1. */
static double noise_layered(uint64_t seed, double y, double x, double size, unsigned layers)
{
	double sum = 0, weight = 0.5;

	for (unsigned i = 0; i < layers; i++, size /= 2, weight /= 2)
		sum += weight * (2 * noise_smooth(seed + i, y / size, x / size) - 1);
	return sum;
}

/* Whether a new gland would touch one that is there. */
static bool gland_overlaps(const struct drawing *drawing, const struct gland *gland)
{
	for (size_t i = 0; i < drawing->gland_count; i++) {
		const struct gland *other = &drawing->glands[i];

		if (hypot(gland->y - other->y, gland->x - other->x) <
			1.15 * (gland->radius + other->radius))
			return true;
	}
	return false;
}

static void place_glands(struct drawing *drawing)
{
	struct random *random = &drawing->random;
	size_t tries = drawing->height * drawing->width / 4000 + 1;

	drawing->glands = allocate(tries, sizeof(*drawing->glands));
	for (size_t i = 0; i < tries; i++) {
		struct gland gland = {
			.y = random_between(random, 0, drawing->height),
			.x = random_between(random, 0, drawing->width),
			.radius = random_between(random, 45, 110),
			.squeeze = random_between(random, 1, 1.5),
			.turn = random_between(random, 0, M_PI),
			.hollowness = random_between(random, 0.25, 0.6),
		};

		if (!gland_overlaps(drawing, &gland))
			drawing->glands[drawing->gland_count++] = gland;
	}
}

/* How far out in the gland the point is: below 1 inside, with an uneven edge. */
static double gland_distance(
	const struct drawing *drawing, const struct gland *gland, double y, double x)
{
	double dy = y - gland->y, dx = x - gland->x;
	double along = dx * cos(gland->turn) + dy * sin(gland->turn);
	double across = dy * cos(gland->turn) - dx * sin(gland->turn);
	double uneven = 1 + 0.5 * noise_layered(drawing->seed + 100, y, x, 60, 3);

	return hypot(along, across * gland->squeeze) / gland->radius * uneven;
}

static void draw_gland(struct drawing *drawing, const struct gland *gland)
{
	double reach = 1.8 * gland->radius;
	size_t top = fmax(0, gland->y - reach), left = fmax(0, gland->x - reach);
	size_t bottom = fmin(drawing->height, gland->y + reach);
	size_t right = fmin(drawing->width, gland->x + reach);

	for (size_t y = top; y < bottom; y++)
		for (size_t x = left; x < right; x++) {
			double distance = gland_distance(drawing, gland, y, x);

			if (distance < 1)
				drawing->classes[y * drawing->width + x] =
					distance < gland->hollowness ? TISSUE_BACKGROUND
								     : TISSUE_EPITHELIUM;
		}
}

/* Connective tissue with tears, which are empty. */
static void draw_ground(struct drawing *drawing)
{
	for (size_t y = 0; y < drawing->height; y++)
		for (size_t x = 0; x < drawing->width; x++) {
			double tear = noise_layered(drawing->seed + 200, y, x, 240, 5);

			drawing->classes[y * drawing->width + x] =
				tear > 0.22 ? TISSUE_BACKGROUND : TISSUE_CONNECTIVE;
		}
}

/* An ellipse of nucleus, only where there is tissue of the class it lies in. */
static void draw_nucleus(struct drawing *drawing, double y0, double x0, double radius,
	double squeeze, double turn, uint8_t within)
{
	for (double y = fmax(0, floor(y0 - radius)); y <= y0 + radius && y < drawing->height; y++)
		for (double x = fmax(0, floor(x0 - radius)); x <= x0 + radius && x < drawing->width;
			x++) {
			double along = (x - x0) * cos(turn) + (y - y0) * sin(turn);
			double across = (y - y0) * cos(turn) - (x - x0) * sin(turn);
			uint8_t *class = &drawing->classes[(size_t)y * drawing->width + (size_t)x];

			if (*class == within && hypot(along, across * squeeze) < radius)
				*class = TISSUE_NUCLEUS;
		}
}

/* Dense and round in epithelium, sparse and long in connective tissue. */
static void draw_nuclei(struct drawing *drawing)
{
	struct random *random = &drawing->random;
	size_t tries = drawing->height * drawing->width / 160;

	for (size_t i = 0; i < tries; i++) {
		double y = random_between(random, 0, drawing->height);
		double x = random_between(random, 0, drawing->width);
		double size = random_unit(random), turn = random_between(random, 0, M_PI);
		double chance = random_unit(random);
		uint8_t class = drawing->classes[(size_t)y * drawing->width + (size_t)x];

		if (class == TISSUE_EPITHELIUM)
			draw_nucleus(drawing, y, x, 4.5 + 3 * size, 1.2, turn, class);
		else if (class == TISSUE_CONNECTIVE && chance < 0.2)
			draw_nucleus(drawing, y, x, 6 + 5 * size, 3, turn, class);
	}
}

/* The colour of the stain at one pixel: its class's colour, its texture, the camera's noise. */
static void stain_pixel(const struct drawing *drawing, size_t y, size_t x)
{
	static const double colours[4][3] = {
		{238, 233, 240}, /* empty: lamp light */
		{226, 165, 196}, /* connective tissue: eosin */
		{92, 62, 132},	 /* nuclei: haematoxylin */
		{178, 124, 178}, /* epithelium: both */
	};
	static const double contrast[4] = {6, 60, 50, 44};
	uint8_t class = drawing->classes[y * drawing->width + x];
	uint64_t seed = drawing->seed + 300 + 10 * class;
	/* Fibres run along the picture: the noise is stretched. */
	double texture =
		class == TISSUE_CONNECTIVE
			? noise_layered(seed, y + 20 * noise_smooth(seed + 5, y / 90., x / 90.),
				  x / 7., 9, 3)
			: noise_layered(seed, y, x, 8, 3);
	/* No stain takes everywhere alike. */
	double strength = 1 + 0.35 * noise_layered(drawing->seed + 500, y, x, 300, 3);
	uint8_t *rgb = picture_pixel(drawing->picture, y, x);

	for (unsigned channel = 0; channel < 3; channel++) {
		double grain = 36 * (noise_at(drawing->seed + 400 + channel, y, x) - 0.5);
		double dye = strength * (250 - colours[class][channel]);
		double value = 250 - dye + contrast[class] * texture + grain;

		rgb[channel] = fmin(255, fmax(0, value));
	}
}

/* The lens: every pixel is the mean of its 3 x 3 neighbours, the edge stays. */
static void blur(struct picture *picture)
{
	struct picture sharp = {0};

	picture_init(&sharp, picture->height, picture->width);
	memcpy(sharp.rgb, picture->rgb, picture->height * picture->width * 3);
	for (size_t y = 1; y + 1 < picture->height; y++)
		for (size_t i = 3; i + 3 < picture->width * 3; i++) {
			unsigned sum = 0;

			for (size_t row = y - 1; row <= y + 1; row++) {
				const uint8_t *middle = picture_pixel(&sharp, row, 0) + i;

				sum += middle[-3] + middle[0] + middle[3];
			}
			picture_pixel(picture, y, 0)[i] = sum / 9;
		}
	picture_release(&sharp);
}

void tissue_draw(
	uint64_t seed, size_t height, size_t width, struct picture *picture, uint8_t *classes)
{
	struct drawing drawing = {
		.seed = random_mix(seed + 1),
		.height = height,
		.width = width,
		.picture = picture,
		.classes = classes,
		.random = {seed},
	};

	picture_init(picture, height, width);
	draw_ground(&drawing);
	place_glands(&drawing);
	for (size_t i = 0; i < drawing.gland_count; i++)
		draw_gland(&drawing, &drawing.glands[i]);
	draw_nuclei(&drawing);
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++)
			stain_pixel(&drawing, y, x);
	blur(picture);
	free(drawing.glands);
}
