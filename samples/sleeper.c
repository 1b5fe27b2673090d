/*
 * Time that no CPU is used for. sleep_for_1s is called six times, from two places:
 *
 *     main
 *     |- function1      5 s, five calls of sleep_for_1s
 *     `- function2      1 s, one call
 *
 * See that 6.0 s of wall time are in sleep_for_1s, 5.0 s of them under function1, and next to no
 * CPU.
 */
#include <stdio.h>
#include <unistd.h>

/* Each does something with what its callee returns, so that no call becomes a jump and leaves the
 * stack. */

/* Whether something woke it early. */
static __attribute__((noipa)) int sleep_for_1s(void)
{
	return sleep(1) > 0;
}

static __attribute__((noipa)) int function1(void)
{
	int woken = 0;

	for (int i = 0; i < 5; i++)
		woken += sleep_for_1s();
	return woken;
}

static __attribute__((noipa)) int function2(void)
{
	int woken = 1;

	woken -= sleep_for_1s();
	return !woken;
}

int main(void)
{
	int woken = function1();

	woken += function2();
	printf("slept 6 times, woken early %d times\n", woken);
	return 0;
}
