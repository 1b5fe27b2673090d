/*
 * Four threads, each with work of its own, and main, which waits for them:
 *
 *     adder        400 ms of CPU in add_numbers
 *     multiplier   800 ms of CPU in multiply_numbers
 *     sleeper      1.2 s asleep in wait_for_nothing
 *     worker       short sleeps and short work, in do_some and wait_some
 *
 * See each thread under its own name, and main in pthread_join. `threads N` runs N of each.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = 4, MOST = 64 };

static double thread_cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static __attribute__((noipa)) uint64_t add_numbers(uint64_t sum)
{
	for (int i = 0; i < 1000000; i++) {
		sum += i ^ sum >> 3;
		__asm__ volatile("" : "+r"(sum)); /* or the compiler folds the loop */
	}
	return sum;
}

static __attribute__((noipa)) uint64_t multiply_numbers(uint64_t product)
{
	for (int i = 0; i < 1000000; i++)
		product = product * 6364136223846793005 + 1442695040888963407;
	return product;
}

static __attribute__((noipa)) int wait_for_nothing(void)
{
	return usleep(1200000) + 1;
}

static __attribute__((noipa)) int wait_some(void)
{
	return usleep(10000) + 1;
}

static __attribute__((noipa)) uint64_t do_some(uint64_t value)
{
	return add_numbers(value) ^ 1;
}

static void *adder(void *result)
{
	while (thread_cpu_ms() < 400)
		*(uint64_t *)result = add_numbers(*(uint64_t *)result);
	return NULL;
}

static void *multiplier(void *result)
{
	while (thread_cpu_ms() < 800)
		*(uint64_t *)result = multiply_numbers(*(uint64_t *)result);
	return NULL;
}

static void *sleeper(void *result)
{
	*(uint64_t *)result = wait_for_nothing();
	return NULL;
}

static void *worker(void *result)
{
	for (int i = 0; i < 30; i++) {
		*(uint64_t *)result = do_some(*(uint64_t *)result);
		*(uint64_t *)result += wait_some();
	}
	return NULL;
}

static const struct {
	const char *name;
	void *(*run)(void *result);
} kinds[KINDS] = {
	{"adder", adder},
	{"multiplier", multiplier},
	{"sleeper", sleeper},
	{"worker", worker},
};

static __attribute__((noipa)) int wait_for_all(const pthread_t *threads, int count)
{
	int failed = 0;

	for (int i = 0; i < count; i++)
		failed += pthread_join(threads[i], NULL) != 0;
	return failed;
}

int main(int argc, char **argv)
{
	int each = argc > 1 ? atoi(argv[1]) : 1, count = each * KINDS, failed;
	pthread_t threads[MOST * KINDS];
	uint64_t results[MOST * KINDS] = {0}, sum = 0;

	if (each < 1 || each > MOST) {
		fprintf(stderr, "usage: threads [1 to %d of each kind]\n", MOST);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		errno = pthread_create(&threads[i], NULL, kinds[i % KINDS].run, &results[i]);
		if (errno) {
			perror("threads");
			return 1;
		}
		pthread_setname_np(threads[i], kinds[i % KINDS].name);
	}
	failed = wait_for_all(threads, count);
	for (int i = 0; i < count; i++)
		sum += results[i];
	printf("%d threads, %d failed, sum %llu\n", count, failed, (unsigned long long)sum);
	return failed;
}
