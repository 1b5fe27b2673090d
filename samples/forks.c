/*
 * A family of processes, each with work of its own:
 *
 *     main
 *     |- fork                   child_work      300 ms of CPU
 *     |  `- fork                grandchild_work 200 ms
 *     |- vfork and exec         image_work      300 ms, this program again as `forks image`
 *     `- exec of itself         second_life     300 ms, the first process as `forks second`
 *
 * See four processes, each function in its own, and main's time in waitpid.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static uint64_t mix(uint64_t value)
{
	for (int i = 0; i < 100000; i++)
		value = (value ^ value >> 29) * 0xbf58476d1ce4e5b9;
	return value;
}

/* Four names for one piece of work: `salt` keeps the compiler from merging them. */
#define WORK(name, milliseconds, salt)                    \
	static __attribute__((noipa)) uint64_t name(void) \
	{                                                 \
		double end = cpu_ms() + (milliseconds);   \
		uint64_t value = (salt);                  \
                                                          \
		while (cpu_ms() < end)                    \
			value = mix(value);               \
		return value;                             \
	}

WORK(child_work, 300, 1)
WORK(grandchild_work, 200, 2)
WORK(image_work, 300, 3)
WORK(second_life, 300, 4)

static __attribute__((noipa)) int wait_for(pid_t child)
{
	int status = 1;

	if (child < 0 || waitpid(child, &status, 0) != child)
		perror("forks");
	return status;
}

/* The exit status of a process that worked: the result is used, and is never 0. */
static int outcome(uint64_t value)
{
	return value == 0;
}

static __attribute__((noipa)) int run_child(void)
{
	pid_t grandchild = fork();

	if (grandchild == 0)
		_exit(outcome(grandchild_work()));
	return outcome(child_work()) + wait_for(grandchild);
}

static __attribute__((noipa)) int run_image(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/proc/self/exe", "forks", "image", (char *)NULL);
		_exit(127);
	}
	return wait_for(child);
}

int main(int argc, char **argv)
{
	pid_t child;
	int failed;

	if (argc > 1 && !strcmp(argv[1], "image"))
		return outcome(image_work());
	if (argc > 1 && !strcmp(argv[1], "second")) {
		failed = outcome(second_life());
		printf("second life %s\n", failed ? "failed" : "done");
		return failed;
	}
	child = fork();
	if (child == 0)
		_exit(run_child());
	failed = run_image() + wait_for(child);
	printf("children %s\n", failed ? "failed" : "done");
	fflush(stdout);
	execl("/proc/self/exe", "forks", "second", (char *)NULL);
	perror("forks");
	return 1;
}
