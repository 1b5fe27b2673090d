/*
 * Many at once, or one after the other:
 *
 *     storm threads N     (1000) N threads that work for 1 ms of CPU each, in short_life
 *     storm processes N   (1000) N children that do next to nothing, in short_child
 *     storm busy N        (64)   N threads side by side, 20 ms of CPU each, in busy_life
 *
 * See that none is missing, that their times add up to what the kernel charges the program, and
 * what is [not sampled].
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BUSY_MAX = 1024 };

static double thread_cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static uint64_t mix(uint64_t value)
{
	for (int i = 0; i < 5000; i++)
		value = (value ^ value >> 29) * 0xbf58476d1ce4e5b9;
	return value;
}

static __attribute__((noipa)) void *short_life(void *result)
{
	while (thread_cpu_ms() < 1)
		*(uint64_t *)result = mix(*(uint64_t *)result + 1);
	return NULL;
}

static __attribute__((noipa)) void *busy_life(void *result)
{
	while (thread_cpu_ms() < 20)
		*(uint64_t *)result = mix(*(uint64_t *)result + 2);
	return NULL;
}

static __attribute__((noipa)) int short_child(uint64_t number)
{
	return mix(number + 1) == 0;
}

static int storm_threads(long count)
{
	uint64_t result = 0;
	int failed = 0;

	for (long i = 0; i < count; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, short_life, &result) ||
			pthread_join(thread, NULL))
			failed++;
	}
	return failed;
}

static int storm_processes(long count)
{
	int failed = 0;

	for (long i = 0; i < count; i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(short_child(i));
		failed += child < 0 || waitpid(child, &status, 0) != child || status != 0;
	}
	return failed;
}

static int storm_busy(long count)
{
	static pthread_t threads[BUSY_MAX];
	static uint64_t results[BUSY_MAX];
	int failed = 0;

	for (long i = 0; i < count; i++)
		failed += pthread_create(&threads[i], NULL, busy_life, &results[i]) != 0;
	for (long i = 0; !failed && i < count; i++)
		failed += pthread_join(threads[i], NULL) != 0;
	return failed;
}

static const struct {
	const char *name;
	int (*run)(long count);
	long usual, most;
} storms[] = {
	{"threads", storm_threads, 1000, 1000000},
	{"processes", storm_processes, 1000, 1000000},
	{"busy", storm_busy, 64, BUSY_MAX},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(storms) / sizeof(storms[0]); i++) {
		long count = argc > 2 ? atol(argv[2]) : storms[i].usual;
		int failed;

		if (strcmp(argv[1], storms[i].name) != 0 || count < 1 || count > storms[i].most)
			continue;
		failed = storms[i].run(count);
		printf("%ld %s, %d failed\n", count, argv[1], failed);
		return failed != 0;
	}
	fprintf(stderr, "usage: storm threads|processes|busy [N]\n");
	return 2;
}
