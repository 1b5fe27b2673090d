/*
 * Functions that exist in the source only: the compiler puts them into their callers.
 *
 *     main -> smooth_signal -> [smooth_row] -> [weighted_mean] -> [weigh]      in brackets: inlined
 *
 * There is one real function, smooth_signal. See the other three, with their lines, from DWARF.
 */
#include <stdio.h>

enum { LENGTH = 4096, ROUNDS = 5000, REACH = 4 };

static inline __attribute__((always_inline)) float weigh(float value, int distance)
{
	return value / (1 + distance * distance);
}

static inline __attribute__((always_inline)) float weighted_mean(const float *middle)
{
	float sum = 0;

	for (int i = -REACH; i <= REACH; i++)
		sum += weigh(middle[i], i);
	return sum / 3;
}

static inline __attribute__((always_inline)) void smooth_row(const float *from, float *to)
{
	for (int x = REACH; x < LENGTH - REACH; x++)
		to[x] = weighted_mean(from + x);
}

static __attribute__((noipa)) float smooth_signal(float *signal, float *scratch)
{
	smooth_row(signal, scratch);
	smooth_row(scratch, signal);
	return signal[LENGTH / 2];
}

int main(void)
{
	static float signal[LENGTH], scratch[LENGTH];
	float sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		signal[round % LENGTH] = round;
		sum += smooth_signal(signal, scratch);
	}
	printf("%g\n", sum);
	return 0;
}
