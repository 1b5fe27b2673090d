#include "pixel_features.h"

#include "allocate.h"
#include "progress.h"
#include "smooth.h"

#include <math.h>
#include <stdlib.h>

enum { QUANTILE_SAMPLES = 1 << 16 };

/* Arrays of one float a pixel, used again for each channel and scale. */
struct planes {
	size_t height, width;
	float *channel, *smooth, *larger, *smaller;
};

static void planes_init(struct planes *planes, size_t height, size_t width)
{
	planes->height = height;
	planes->width = width;
	planes->channel = allocate(height * width, sizeof(float));
	planes->smooth = allocate(height * width, sizeof(float));
	planes->larger = allocate(height * width, sizeof(float));
	planes->smaller = allocate(height * width, sizeof(float));
}

static void planes_release(struct planes *planes)
{
	free(planes->channel);
	free(planes->smooth);
	free(planes->larger);
	free(planes->smaller);
}

/*
 * The eigenvalues of the matrix of second derivatives (yy, yx; yx, xx) at one pixel, by differences
 * of its neighbours; y0, y2 are the rows above and below, x0, x2 the columns left and right.
 */
static void hessian_eigenvalues(const float *smooth, size_t width, size_t y0, size_t y, size_t y2,
	size_t x0, size_t x, size_t x2, float *larger, float *smaller)
{
	const float *above = smooth + y0 * width, *here = smooth + y * width;
	const float *below = smooth + y2 * width;
	float yy = above[x] - 2 * here[x] + below[x];
	float xx = here[x0] - 2 * here[x] + here[x2];
	float yx = (above[x0] - above[x2] - below[x0] + below[x2]) / 4;
	float mean = (yy + xx) / 2, half = (yy - xx) / 2;
	float root = sqrtf(half * half + yx * yx);

	*larger = mean + root;
	*smaller = mean - root;
}

static void compute_hessian(struct planes *planes)
{
	size_t height = planes->height, width = planes->width;

	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++)
			hessian_eigenvalues(planes->smooth, width, y ? y - 1 : 0, y,
				y + 1 < height ? y + 1 : y, x ? x - 1 : 0, x,
				x + 1 < width ? x + 1 : x, &planes->larger[y * width + x],
				&planes->smaller[y * width + x]);
}

static int compare_floats(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* The values that part equally many pixels: bin b holds what is above edges[b - 1], up to edges[b].
 */
static void find_edges(const float *values, size_t count, float edges[BIN_COUNT - 1])
{
	size_t samples = count < QUANTILE_SAMPLES ? count : QUANTILE_SAMPLES;
	float *sorted = allocate(samples, sizeof(*sorted));

	for (size_t i = 0; i < samples; i++)
		sorted[i] = values[i * count / samples];
	qsort(sorted, samples, sizeof(*sorted), compare_floats);
	for (size_t bin = 0; bin < BIN_COUNT - 1; bin++)
		edges[bin] = sorted[(bin + 1) * samples / BIN_COUNT];
	free(sorted);
}

/* The number of edges below the value; without a branch, for neighbours differ unforeseeably. */
static uint8_t find_bin(const float edges[BIN_COUNT - 1], float value)
{
	unsigned bin = 0;

	for (unsigned step = BIN_COUNT / 2; step; step /= 2)
		bin += edges[bin + step - 1] < value ? step : 0;
	return bin;
}

static void store_feature(
	const struct planes *planes, const float *values, unsigned feature, uint8_t *features)
{
	size_t pixels = planes->height * planes->width;
	float edges[BIN_COUNT - 1];

	find_edges(values, pixels, edges);
	for (size_t i = 0; i < pixels; i++)
		features[i * FEATURE_STRIDE + feature] = find_bin(edges, values[i]);
	progress_show("computing features", feature + 1, FEATURE_COUNT);
}

/* The three features of one channel at one scale, from number `first` on. */
static void compute_scale(struct planes *planes, double sigma, unsigned first, uint8_t *features)
{
	smooth_gaussian(planes->channel, planes->height, planes->width, sigma, planes->smooth);
	compute_hessian(planes);
	store_feature(planes, planes->smooth, first, features);
	store_feature(planes, planes->larger, first + 1, features);
	store_feature(planes, planes->smaller, first + 2, features);
}

uint8_t *features_compute(const struct picture *picture)
{
	size_t pixels = picture->height * picture->width;
	uint8_t *features = allocate_zeroed(pixels, FEATURE_STRIDE);
	struct planes planes;

	planes_init(&planes, picture->height, picture->width);
	for (unsigned channel = 0; channel < 3; channel++) {
		for (size_t i = 0; i < pixels; i++)
			planes.channel[i] = picture->rgb[3 * i + channel];
		for (unsigned scale = 0; scale < SCALE_COUNT; scale++)
			compute_scale(&planes, 1 << scale,
				(channel * SCALE_COUNT + scale) * FEATURES_PER_SCALE, features);
	}
	planes_release(&planes);
	return features;
}
