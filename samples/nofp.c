/*
 * A known distribution at a known depth, in code without frame pointers:
 *
 *     main -> deep1 -> deep2 -> ... -> deep20 -> leaf_half      50 %
 *                                             -> leaf_third     30 %
 *                                             -> leaf_fifth     20 %
 *
 * The three leaves are the same code, called in the ratio 5 : 3 : 2, finely interleaved: their
 * shares are exact by construction, whatever else the machine does meanwhile. See 50, 30 and 20 %
 * of the CPU time, and every stack reach main. `nofp SECONDS` takes so much CPU time (2). Built
 * with -fomit-frame-pointer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * The unit of work: about 5 microseconds. A chain of dependent multiplications takes the same time
 * in every copy, however the copy lies in memory. The clock is a system call and only read every 64
 * steps.
 */
enum { UNIT = 4000, STEPS_PER_CLOCK = 64 };

#define LEAF(name)                                                                 \
	static __attribute__((noipa, aligned(64))) uint64_t name(uint64_t value)   \
	{                                                                          \
		for (int i = 0; i < UNIT; i++)                                     \
			value = value * 6364136223846793005 + 1442695040888963407; \
		return value;                                                      \
	}

LEAF(leaf_half)
LEAF(leaf_third)
LEAF(leaf_fifth)

/* One step of the interleaving is ten units. */
static __attribute__((noipa)) uint64_t deep20(uint64_t value)
{
	value = leaf_half(value);
	value = leaf_third(value);
	value = leaf_half(value);
	value = leaf_fifth(value);
	value = leaf_half(value);
	value = leaf_third(value);
	value = leaf_half(value);
	value = leaf_third(value);
	value = leaf_half(value);
	value = leaf_fifth(value);
	return value + 1;
}

/* Each uses its callee's result, so that it stays on the stack. */
#define DEEP(level, callee)                                                \
	static __attribute__((noipa)) uint64_t deep##level(uint64_t value) \
	{                                                                  \
		return callee(value + (level)) ^ (level);                  \
	}

DEEP(19, deep20)
DEEP(18, deep19)
DEEP(17, deep18)
DEEP(16, deep17)
DEEP(15, deep16)
DEEP(14, deep15)
DEEP(13, deep14)
DEEP(12, deep13)
DEEP(11, deep12)
DEEP(10, deep11)
DEEP(9, deep10)
DEEP(8, deep9)
DEEP(7, deep8)
DEEP(6, deep7)
DEEP(5, deep6)
DEEP(4, deep5)
DEEP(3, deep4)
DEEP(2, deep3)
DEEP(1, deep2)

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 2;
	uint64_t value = 1;

	if (!(seconds > 0 && seconds <= 3600)) {
		fprintf(stderr, "usage: nofp [SECONDS of CPU time]\n");
		return 2;
	}
	while (cpu_seconds() < seconds)
		for (int step = 0; step < STEPS_PER_CLOCK; step++)
			value = deep1(value);
	printf("%llu\n", (unsigned long long)value);
	return 0;
}
