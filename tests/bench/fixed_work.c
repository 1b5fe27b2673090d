/*
 * fixed_work: a fixed amount of CPU work of about two seconds in code without frame pointers, 25
 * calls deep; prints the wall seconds that the work itself took, so that what a profiler does
 * before and after does not count.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 120000

static __attribute__((noipa)) uint64_t work(uint64_t value)
{
	for (int i = 0; i < 4000; i++)
		value = value * 6364136223846793005u + 1442695040888963407u;
	return value;
}

static __attribute__((noipa)) uint64_t descend(int depth, uint64_t value)
{
	if (depth == 0)
		return work(value);
	return descend(depth - 1, value + depth) ^ (uint64_t)depth;
}

int main(void)
{
	struct timespec start, end;
	uint64_t value = 1;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < ROUNDS; i++)
		value += descend(25, value);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%llu %.4f\n", (unsigned long long)value & 1,
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	return 0;
}
