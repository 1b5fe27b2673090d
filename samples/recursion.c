/*
 * Functions that call themselves and each other:
 *
 *     main -> fibonacci -> fibonacci -> ...            itself
 *          -> count_even -> count_odd -> count_even    each other, 100 deep, working in mix
 *
 * See that no function has more than 100 % of the time: each counts once per stack.
 */
#include <stdio.h>
#include <stdlib.h>

static __attribute__((noipa)) unsigned mix(unsigned value)
{
	for (int i = 0; i < 4000; i++)
		value = (value ^ value >> 15) * 2246822519u + i;
	return value;
}

/* gcc would turn the second call into a loop. */
static __attribute__((noipa, optimize("no-optimize-sibling-calls"))) unsigned long fibonacci(
	unsigned n)
{
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static unsigned count_odd(unsigned depth);

static __attribute__((noipa)) unsigned count_even(unsigned depth)
{
	unsigned here = mix(depth);

	return depth ? here ^ count_odd(depth - 1) : here;
}

static __attribute__((noipa)) unsigned count_odd(unsigned depth)
{
	unsigned here = mix(depth + 1);

	return depth ? here + count_even(depth - 1) : here;
}

int main(void)
{
	unsigned long sum = fibonacci(38);

	for (unsigned round = 0; round < 300; round++)
		sum += count_even(100 + round % 2);
	printf("%lu\n", sum);
	return 0;
}
