/*
 * A program that dies: 0.3 s of work in prepare, then a write through a null pointer three calls
 * deep:
 *
 *     main -> prepare
 *          -> process_request -> fill_reply -> store_byte      SIGSEGV
 *
 * See that the profile is whole, that the summary names the signal, and that the exit status is
 * 139.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static __attribute__((noipa)) uint64_t prepare(void)
{
	uint64_t value = 1;

	while (cpu_ms() < 300)
		for (int i = 0; i < 100000; i++)
			value = (value ^ value >> 31) * 0x94d049bb133111eb;
	return value;
}

static __attribute__((noipa)) int store_byte(volatile char *reply, int byte)
{
	*reply = byte;
	return *reply;
}

static __attribute__((noipa)) int fill_reply(char *reply, int length)
{
	int sum = 0;

	for (int i = 0; i < length; i++)
		sum += store_byte(reply + i, i);
	return sum;
}

/* The mistake: it does not ask whether there is a reply. */
static __attribute__((noipa)) int process_request(char *reply, uint64_t value)
{
	return fill_reply(reply, 1 + value % 16) + 1;
}

int main(void)
{
	struct rlimit no_core = {0, 0};
	uint64_t value = prepare();

	setrlimit(RLIMIT_CORE, &no_core);
	printf("%d\n", process_request(getenv("THERE_IS_NO_SUCH_VARIABLE"), value));
	return 0;
}
