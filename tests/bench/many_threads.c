/*
 * bench/many_threads THREADS SECONDS busy|sleeping: threads that compute all the time, or that wake
 * up a hundred times a second and sleep again at once.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double end_s;
static bool is_busy;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static __attribute__((noipa)) void compute(void)
{
	for (volatile int i = 0; i < 100000; i++)
		;
}

static __attribute__((noipa)) void doze(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void *work(void *unused)
{
	while (now_s() < end_s)
		if (is_busy)
			compute();
		else
			doze();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_attr_t small;
	pthread_t *threads;
	int count;

	if (argc != 4) {
		fprintf(stderr, "usage: many_threads THREADS SECONDS busy|sleeping\n");
		return 2;
	}
	count = atoi(argv[1]);
	end_s = now_s() + atof(argv[2]);
	is_busy = strcmp(argv[3], "busy") == 0;
	threads = calloc(count, sizeof(*threads));
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (int i = 0; i < count; i++)
		if (!threads || pthread_create(&threads[i], &small, work, NULL) != 0)
			return 1;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}
