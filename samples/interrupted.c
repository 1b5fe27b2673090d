/*
 * Calls that return EINTR when the thread is stopped while it waits in them, though no signal came:
 * signal(7), "Interruption of system calls and library functions by stop signals". Each thread
 * works for a moment, then waits for 1 ms in one of them, for 1.5 s in all; another thread waits
 * without a limit while children end, of which it wants to know nothing:
 *
 *     start_thread
 *     |- wait_in_epoll_wait      |- wait_in_semtimedop
 *     |- wait_in_sigtimedwait    |- wait_in_recv
 *     |- wait_in_poll            `- wait_for_the_end
 *
 * See that none of them ever sees EINTR: it prints "never interrupted" and exits with 0, else
 * with 1.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int epoll, semaphores, endless_epoll, end_event, pair[2];

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static __attribute__((noipa)) int wait_in_epoll_wait(void)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, 1) < 0 && errno == EINTR;
}

static __attribute__((noipa)) int wait_in_sigtimedwait(void)
{
	struct timespec limit = {.tv_nsec = 1000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &limit) < 0 && errno == EINTR;
}

static __attribute__((noipa)) int wait_in_poll(void)
{
	struct pollfd polled = {.fd = end_event, .events = POLLPRI};

	return poll(&polled, 1, 1) < 0 && errno == EINTR;
}

static __attribute__((noipa)) int wait_in_semtimedop(void)
{
	struct sembuf take = {.sem_op = -1};
	struct timespec limit = {.tv_nsec = 1000000};

	return semtimedop(semaphores, &take, 1, &limit) < 0 && errno == EINTR;
}

static __attribute__((noipa)) int wait_in_recv(void)
{
	char byte;

	return recv(pair[0], &byte, 1, 0) < 0 && errno == EINTR;
}

static __attribute__((noipa)) int work(int rounds)
{
	volatile int done = 0;

	while (done < rounds)
		done++;
	return done;
}

/* How often a call was interrupted; the work before it is now longer, now shorter. */
static void *repeat(void *call)
{
	double end = now_s() + 1.5;
	long interrupted = 0;

	for (unsigned i = 0; now_s() < end; i++) {
		work(i * 7919 % 200000);
		interrupted += ((int (*)(void))call)();
	}
	return (void *)interrupted;
}

static __attribute__((noipa)) int wait_without_limit(void)
{
	struct epoll_event event;

	return epoll_wait(endless_epoll, &event, 1, -1) < 0 && errno == EINTR;
}

static void *wait_for_the_end(void *unused)
{
	sigset_t child;
	long interrupted;

	(void)unused;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD); /* whose default is to be ignored */
	pthread_sigmask(SIG_UNBLOCK, &child, NULL);
	interrupted = wait_without_limit();
	return (void *)interrupted;
}

static void block_all_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static int set_up(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct timeval limit = {.tv_usec = 1000};

	epoll = epoll_create1(0);
	endless_epoll = epoll_create1(0);
	end_event = eventfd(0, 0);
	semaphores = semget(IPC_PRIVATE, 1, 0600);
	block_all_signals();
	return semaphores < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
	       setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	       epoll_ctl(endless_epoll, EPOLL_CTL_ADD, end_event, &event) < 0;
}

/* Their ends send SIGCHLD to the one thread that does not block it. */
static void have_children(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
		usleep(20000);
	}
}

int main(void)
{
	static const char *const names[] = {
		"epoll_wait", "sigtimedwait", "poll", "semtimedop", "recv", "endless epoll_wait"};
	static int (*const calls[])(void) = {wait_in_epoll_wait, wait_in_sigtimedwait, wait_in_poll,
		wait_in_semtimedop, wait_in_recv};
	enum { CALLS = sizeof(calls) / sizeof(calls[0]) };
	pthread_t threads[CALLS + 1];
	long interrupted = 0;

	if (set_up()) {
		perror("interrupted");
		return 2;
	}
	for (int i = 0; i < CALLS; i++)
		pthread_create(&threads[i], NULL, repeat, (void *)calls[i]);
	pthread_create(&threads[CALLS], NULL, wait_for_the_end, NULL);
	have_children();
	for (int i = 0; i <= CALLS; i++) {
		void *times;

		if (i == CALLS)
			eventfd_write(end_event, 1);
		pthread_join(threads[i], &times);
		interrupted += (long)times;
		if (times)
			printf("%s was interrupted %ld times\n", names[i], (long)times);
	}
	semctl(semaphores, 0, IPC_RMID);
	if (!interrupted)
		puts("never interrupted");
	return interrupted > 0;
}
