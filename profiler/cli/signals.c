#include "cli/signals.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t signals_stop;

/* Set before the handlers are, read by them: the program that signals are passed on to. */
static struct target program;

static bool asks_to_end(int number)
{
	return number != SIGUSR1 && number != SIGUSR2 && number != SIGTSTP && number != SIGTTIN;
}

static void pass_on(int number, siginfo_t *info, void *context)
{
	bool is_for_us_alone = info->si_code <= 0 && info->si_pid != program.pid;
	int kept = errno;

	(void)context;
	if (target_has_ended(&program))
		signals_stop |= asks_to_end(number); /* there is nobody else to heed it */
	else if (is_for_us_alone)
		syscall(SYS_pidfd_send_signal, program.pid_fd, number, NULL, 0);
	errno = kept;
}

static void end_recording(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	signals_stop = 1;
}

/* Enough for a signal to arrive. */
static const struct timespec moment = {.tv_nsec = 50000000};

/* Whether a shell made this process a job of its own, and will let it go on when asked to. */
static bool is_job(void)
{
	pid_t shell = getppid();

	return getsid(0) != getpid() && getsid(shell) == getsid(0) && getpgid(shell) != getpgrp();
}

/* The signal that the program is stopped by; 0: it is not. */
static int program_stop_signal(void)
{
	siginfo_t info = {0};

	if (waitid(P_PID, program.pid, &info, WSTOPPED | WNOHANG | WNOWAIT) < 0)
		return 0;
	return info.si_code == CLD_STOPPED ? info.si_status : 0;
}

static void stop_by(int number)
{
	struct sigaction usual = {.sa_handler = SIG_DFL}, kept;
	bool can_be_handled = sigaction(number, &usual, &kept) == 0;
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, number);
	kill(getpid(), number);
	pthread_sigmask(SIG_UNBLOCK, &only, NULL); /* here it stops, until it is let go on */
	pthread_sigmask(SIG_BLOCK, &only, NULL);
	if (can_be_handled)
		sigaction(number, &kept, NULL);
}

/*
 * A job stops when its program has (at Ctrl-Z, or since it raised SIGSTOP), for the shell looks at
 * cprof, and both go on when the shell lets the job. Where there is no such shell cprof stays
 * awake: nobody would wake it. It may hear of a stop that is over already.
 */
static void stop_with_program(int number, siginfo_t *info, void *context)
{
	int kept = errno, stopped_by = is_job() ? program_stop_signal() : 0;

	(void)number, (void)info, (void)context;
	if (stopped_by)
		stop_by(stopped_by);
	errno = kept;
}

/*
 * Ctrl-Z reaches the program by itself, and is heard of again when that has stopped. A tracer keeps
 * this to itself (its SIGCHLD is nobody's): the program is given a moment then.
 */
static void stop_job(int number, siginfo_t *info, void *context)
{
	struct sigaction child;
	int kept = errno;

	pass_on(number, info, context);
	if (sigaction(SIGCHLD, NULL, &child) == 0 && child.sa_handler == SIG_DFL && is_job() &&
		nanosleep(&moment, NULL) == 0)
		stop_by(number);
	errno = kept;
}

/* Let go on alone, it takes the program along; a job that goes on as a whole does in a moment. */
static void go_on(int number, siginfo_t *info, void *context)
{
	int kept = errno;

	(void)info, (void)context;
	if (program_stop_signal() && nanosleep(&moment, NULL) == 0 && program_stop_signal())
		syscall(SYS_pidfd_send_signal, program.pid_fd, number, NULL, 0);
	errno = kept;
}

/* SA_RESTART: the recorder's poll() returns all the same, and nothing else is disturbed. */
static void handle(const int *numbers, size_t count, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < count; i++)
		sigaction(numbers[i], &action, NULL);
	/* Writing must fail with an error that can be told, not end the recorder. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

void signals_pass_on(const struct target *target)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	static const int stops[] = {SIGTSTP, SIGTTIN};

	program = *target;
	handle(numbers, sizeof(numbers) / sizeof(numbers[0]), pass_on);
	handle(stops, sizeof(stops) / sizeof(stops[0]), stop_job);
	handle(&(int){SIGCHLD}, 1, stop_with_program);
	handle(&(int){SIGCONT}, 1, go_on);
}

void signals_end_recording(void)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

	handle(numbers, sizeof(numbers) / sizeof(numbers[0]), end_recording);
}
