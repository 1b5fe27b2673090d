#include "clusters.h"

#include "allocate.h"
#include "palette.h"
#include "random.h"
#include "smooth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 20, SAMPLES = 20000 };

/* A colour: red, green, blue as floats. */
struct colour {
	float channel[3];
};

static struct colour *smoothed_colours(const struct picture *picture)
{
	size_t pixels = picture->height * picture->width;
	struct colour *colours = allocate(pixels, sizeof(*colours));
	float *sharp = allocate(pixels, sizeof(*sharp)),
	      *smooth = allocate(pixels, sizeof(*smooth));

	for (unsigned channel = 0; channel < 3; channel++) {
		for (size_t i = 0; i < pixels; i++)
			sharp[i] = picture->rgb[3 * i + channel];
		smooth_gaussian(sharp, picture->height, picture->width, 2, smooth);
		for (size_t i = 0; i < pixels; i++)
			colours[i].channel[channel] = smooth[i];
	}
	free(smooth);
	free(sharp);
	return colours;
}

static float distance_squared(const struct colour *a, const struct colour *b)
{
	float sum = 0;

	for (unsigned i = 0; i < 3; i++)
		sum += (a->channel[i] - b->channel[i]) * (a->channel[i] - b->channel[i]);
	return sum;
}

static unsigned nearest(const struct colour *colour, const struct colour *centres, unsigned count)
{
	unsigned best = 0;

	for (unsigned i = 1; i < count; i++)
		if (distance_squared(colour, &centres[i]) <
			distance_squared(colour, &centres[best]))
			best = i;
	return best;
}

/* Each next centre is the sample farthest from those that are there. */
static void choose_centres(const struct colour *samples, struct colour centres[CLASS_COUNT])
{
	centres[0] = samples[0];
	for (unsigned count = 1; count < CLASS_COUNT; count++) {
		size_t farthest = 0;
		float distance = -1;

		for (size_t i = 0; i < SAMPLES; i++) {
			float d = distance_squared(
				&samples[i], &centres[nearest(&samples[i], centres, count)]);

			if (d > distance) {
				distance = d;
				farthest = i;
			}
		}
		centres[count] = samples[farthest];
	}
}

/* Moves every centre to the mean of the samples nearest to it. */
static void move_centres(const struct colour *samples, struct colour centres[CLASS_COUNT])
{
	double sums[CLASS_COUNT][3] = {0};
	size_t counts[CLASS_COUNT] = {0};

	for (size_t i = 0; i < SAMPLES; i++) {
		unsigned group = nearest(&samples[i], centres, CLASS_COUNT);

		counts[group]++;
		for (unsigned channel = 0; channel < 3; channel++)
			sums[group][channel] += samples[i].channel[channel];
	}
	for (unsigned group = 0; group < CLASS_COUNT; group++)
		for (unsigned channel = 0; channel < 3 && counts[group]; channel++)
			centres[group].channel[channel] = sums[group][channel] / counts[group];
}

static int lighter_first(const void *a, const void *b)
{
	const struct colour *x = a, *y = b;
	float light_x = x->channel[0] + x->channel[1] + x->channel[2];
	float light_y = y->channel[0] + y->channel[1] + y->channel[2];

	return (light_x < light_y) - (light_x > light_y);
}

void clusters_find(uint64_t seed, const struct picture *picture, uint8_t *classes)
{
	size_t pixels = picture->height * picture->width;
	struct colour *colours = smoothed_colours(picture);
	struct colour *samples = allocate(SAMPLES, sizeof(*samples));
	struct colour centres[CLASS_COUNT];
	struct random random = {seed};

	for (size_t i = 0; i < SAMPLES; i++)
		samples[i] = colours[random_below(&random, pixels)];
	choose_centres(samples, centres);
	for (unsigned round = 0; round < ROUNDS; round++)
		move_centres(samples, centres);
	qsort(centres, CLASS_COUNT, sizeof(*centres), lighter_first);
	for (size_t i = 0; i < pixels; i++)
		classes[i] = nearest(&colours[i], centres, CLASS_COUNT);
	free(samples);
	free(colours);
}
