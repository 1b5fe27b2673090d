#include "smooth.h"

#include "allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half a symmetric kernel: weights[0] is the middle, the sum over both halves is 1. */
struct kernel {
	size_t radius;
	float *weights;
};

static struct kernel gaussian_kernel(double sigma)
{
	struct kernel kernel = {.radius = ceil(3 * sigma)};
	double sum = 0;

	kernel.weights = allocate(kernel.radius + 1, sizeof(*kernel.weights));
	for (size_t i = 0; i <= kernel.radius; i++) {
		kernel.weights[i] = exp(-0.5 * (i / sigma) * (i / sigma));
		sum += (i ? 2 : 1) * kernel.weights[i];
	}
	for (size_t i = 0; i <= kernel.radius; i++)
		kernel.weights[i] /= sum;
	return kernel;
}

/* One row: padded has `radius` more values at either end. */
static void smooth_row(const float *padded, size_t width, const struct kernel *kernel, float *to)
{
	const float *middle = padded + kernel->radius;

	for (size_t x = 0; x < width; x++)
		to[x] = kernel->weights[0] * middle[x];
	for (size_t i = 1; i <= kernel->radius; i++)
		for (size_t x = 0; x < width; x++)
			to[x] += kernel->weights[i] * (middle[x - i] + middle[x + i]);
}

static void smooth_rows(
	const float *from, size_t height, size_t width, const struct kernel *kernel, float *to)
{
	size_t radius = kernel->radius;
	float *padded = allocate(width + 2 * radius, sizeof(*padded));

	for (size_t y = 0; y < height; y++, from += width, to += width) {
		memcpy(padded + radius, from, width * sizeof(*from));
		for (size_t i = 0; i < radius; i++) {
			padded[i] = from[0];
			padded[radius + width + i] = from[width - 1];
		}
		smooth_row(padded, width, kernel, to);
	}
	free(padded);
}

static void smooth_columns(
	const float *from, size_t height, size_t width, const struct kernel *kernel, float *to)
{
	for (size_t y = 0; y < height; y++, to += width) {
		const float *row = from + y * width;

		for (size_t x = 0; x < width; x++)
			to[x] = kernel->weights[0] * row[x];
		for (size_t i = 1; i <= kernel->radius; i++) {
			const float *above = from + (y > i ? y - i : 0) * width;
			const float *below = from + (y + i < height ? y + i : height - 1) * width;

			for (size_t x = 0; x < width; x++)
				to[x] += kernel->weights[i] * (above[x] + below[x]);
		}
	}
}

void smooth_gaussian(const float *from, size_t height, size_t width, double sigma, float *to)
{
	struct kernel kernel = gaussian_kernel(sigma);
	float *rows = allocate(height * width, sizeof(*rows));

	smooth_rows(from, height, width, &kernel, rows);
	smooth_columns(rows, height, width, &kernel, to);
	free(rows);
	free(kernel.weights);
}
