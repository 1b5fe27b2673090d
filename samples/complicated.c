/*
 * A few functions of one's own and a lot that happens behind the scenes in libraries:
 *
 *     main -> myfunc -> mymethod -> prep_y      most of the time, in exp and pow of libm
 *                                -> prep_x      malloc, memset
 *                                -> sort_pairs  qsort of libc, which calls back compare_pairs
 *
 * See the four own functions at the top of the graph, and exp, pow, qsort and malloc below them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 120, POINTS = 40000 };

struct pair {
	double x, y;
};

static __attribute__((noipa)) double *prep_x(size_t count)
{
	double *x = malloc(count * sizeof(*x));

	if (!x)
		exit(1);
	memset(x, 0, count * sizeof(*x));
	for (size_t i = 0; i < count; i++)
		x[i] = (double)(i * 2654435761u % count) / count;
	return x;
}

static __attribute__((noipa)) double prep_y(double *y, const double *x, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		y[i] = exp(-x[i] * x[i]) * pow(1 + x[i], 1.7) + pow(x[i], 0.3);
		sum += y[i];
	}
	return sum;
}

static __attribute__((noipa)) int compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	return (left->y > right->y) - (left->y < right->y);
}

static __attribute__((noipa)) double sort_pairs(const double *x, const double *y, size_t count)
{
	struct pair *pairs = malloc(count * sizeof(*pairs));
	double middle;

	if (!pairs)
		exit(1);
	for (size_t i = 0; i < count; i++)
		pairs[i] = (struct pair){x[i], y[i]};
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	middle = pairs[count / 2].y;
	free(pairs);
	return middle;
}

static __attribute__((noipa)) double mymethod(int round)
{
	double *x = prep_x(POINTS), *y = malloc(POINTS * sizeof(*y)), sum = 0;

	if (!y)
		exit(1);
	for (int part = 0; part < 8; part++)
		sum += prep_y(y, x, POINTS - part - round);
	sum += sort_pairs(x, y, POINTS / 8);
	free(y);
	free(x);
	return sum;
}

static __attribute__((noipa)) double myfunc(void)
{
	double sum = 0;

	for (int round = 0; round < ROUNDS; round++)
		sum += mymethod(round);
	return sum;
}

int main(void)
{
	printf("%.3f\n", myfunc());
	return 0;
}
