#include "cli/signals.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

volatile sig_atomic_t signals_stop;

/* Set before the handlers are, read by them: the program that signals are passed on to. */
static struct target program;

static bool asks_to_end(int number)
{
	return number != SIGUSR1 && number != SIGUSR2;
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

	program = *target;
	handle(numbers, sizeof(numbers) / sizeof(numbers[0]), pass_on);
}

void signals_end_recording(void)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

	handle(numbers, sizeof(numbers) / sizeof(numbers[0]), end_recording);
}
