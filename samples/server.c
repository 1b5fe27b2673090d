/*
 * Runs until SIGTERM, to be attached to:
 *
 *     server    main: waits for signals in wait_for_orders
 *     spinner   computes all the time, in spin
 *     waiter    waits in wait_for_events since the beginning, and for ever
 *
 * SIGUSR1 starts a thread ("late", late_work) and a child (child_work), of 300 ms of CPU each.
 * At the end it says how often a wait was interrupted: never, if nobody interfered. It writes its
 * pid first, and ends by itself after a minute.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORK_MS = 300, LIFE_S = 60 };

static volatile int is_over, interruptions;

static double thread_cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static __attribute__((noipa)) uint64_t spin(uint64_t value)
{
	for (int i = 0; i < 100000; i++)
		value = value * 6364136223846793005 + 1442695040888963407;
	return value;
}

static __attribute__((noipa)) int wait_for_events(int events)
{
	struct epoll_event event;
	int got = epoll_wait(events, &event, 1, -1);

	interruptions += got < 0 && errno == EINTR;
	return got + 1;
}

static void *spinner(void *result)
{
	while (!is_over)
		*(uint64_t *)result = spin(*(uint64_t *)result);
	return NULL;
}

static void *waiter(void *unused)
{
	int events = epoll_create1(0);

	(void)unused;
	while (!is_over)
		wait_for_events(events);
	return NULL;
}

static __attribute__((noipa)) void *late_work(void *unused)
{
	uint64_t value = 1;

	(void)unused;
	pthread_setname_np(pthread_self(), "late");
	while (thread_cpu_ms() < WORK_MS)
		value = spin(value);
	return (void *)(uintptr_t)(value & 1);
}

static __attribute__((noipa)) int child_work(void)
{
	uint64_t value = 1;

	while (thread_cpu_ms() < WORK_MS)
		value = spin(value);
	return value == 0;
}

static void start_more(void)
{
	pthread_t late;
	pid_t child;

	if (pthread_create(&late, NULL, late_work, NULL) == 0)
		pthread_detach(late);
	child = fork();
	if (child == 0)
		_exit(child_work());
	waitpid(child, NULL, 0);
}

static __attribute__((noipa)) int wait_for_orders(const sigset_t *orders)
{
	struct timespec life = {.tv_sec = LIFE_S};

	return sigtimedwait(orders, NULL, &life) + 0;
}

int main(void)
{
	static uint64_t result = 1; /* threads go on while the process ends */
	pthread_t threads[2];
	sigset_t orders;
	int order;

	sigemptyset(&orders);
	sigaddset(&orders, SIGTERM);
	sigaddset(&orders, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &orders, NULL);
	if (pthread_create(&threads[0], NULL, spinner, &result) != 0 ||
		pthread_create(&threads[1], NULL, waiter, NULL) != 0)
		return 1;
	pthread_setname_np(threads[0], "spinner");
	pthread_setname_np(threads[1], "waiter");
	printf("%d\n", (int)getpid());
	fflush(stdout);
	while ((order = wait_for_orders(&orders)) != SIGTERM) {
		if (order == SIGUSR1) {
			start_more();
		} else if (errno == EINTR) {
			interruptions++;
		} else {
			return 1; /* nobody has told it to end */
		}
	}
	is_over = 1;
	printf("%d interruptions\n", interruptions);
	return 0;
}
