#include "collect/tracee.h"

#include "collect/program_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs in the helper: waits for the go-ahead, execs, and reports why that failed. */
static void become_program(char *const argv[], int start_fd, int failure_fd)
{
	char go;
	int cause;
	ssize_t got;

	do
		got = read(start_fd, &go, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1) /* the recorder died, or could not set everything up */
		_exit(EXIT_FAILURE);
	cause = program_exec(argv);
	if (write(failure_fd, &cause, sizeof(cause)) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int tracee_prepare(struct tracee *tracee, char *const argv[], struct error *err)
{
	int start[2], failure[2];

	*tracee = (struct tracee){
		.target.pid_fd = -1, .start_fd = -1, .failure_fd = -1, .argv = argv};
	tracee->target.end = &tracee->end;
	if (pipe2(start, O_CLOEXEC) < 0 || pipe2(failure, O_CLOEXEC) < 0)
		return error_set_errno(err, "cannot create a pipe");
	tracee->target.pid = fork();
	if (tracee->target.pid < 0)
		return error_set_errno(err, "cannot fork");
	if (tracee->target.pid == 0) {
		close(start[1]);
		become_program(argv, start[0], failure[1]);
	}
	close(start[0]);
	close(failure[1]);
	tracee->start_fd = start[1];
	tracee->failure_fd = failure[0];
	tracee->target.pid_fd = syscall(SYS_pidfd_open, tracee->target.pid, 0);
	if (tracee->target.pid_fd < 0)
		return error_set_errno(err, "cannot watch process %d", (int)tracee->target.pid);
	return 0;
}

int tracee_start(struct tracee *tracee, int *exec_errno, struct error *err)
{
	ssize_t got;

	if (write(tracee->start_fd, "g", 1) != 1)
		return error_set(err, "%s was ended by a signal before it began", tracee->argv[0]);
	close_fd(&tracee->start_fd);
	do
		got = read(tracee->failure_fd, exec_errno, sizeof(*exec_errno));
	while (got < 0 && errno == EINTR);
	close_fd(&tracee->failure_fd);
	if (got == 0) /* closed by a successful exec */
		return 0;
	if (got != sizeof(*exec_errno))
		*exec_errno = EIO;
	if (!tracee->end.is_watched)
		waitpid(tracee->target.pid, NULL, 0);
	tracee->target.pid = 0;
	errno = *exec_errno;
	return error_set_errno(err, "cannot run %s", tracee->argv[0]);
}

static void look_for_end(struct tracee *tracee, bool block)
{
	struct target_end *end = &tracee->end;
	pid_t got;

	do
		got = wait4(tracee->target.pid, &end->status, block ? 0 : WNOHANG, &end->usage);
	while (got < 0 && errno == EINTR);
	end->is_set = got == tracee->target.pid;
}

bool tracee_has_ended(struct tracee *tracee, bool block, struct tracee_end *end)
{
	if (tracee->target.pid == 0)
		return true;
	if (!tracee->end.is_set && !tracee->end.is_watched)
		look_for_end(tracee, block);
	if (!tracee->end.is_set)
		return false;
	tracee->target.pid = 0;
	*end = (struct tracee_end){.status = tracee->end.status,
		.usage = tracee->end.usage,
		.peak_rss_bytes = (uint64_t)tracee->end.usage.ru_maxrss * 1024};
	return true;
}

int tracee_exit_status(const struct tracee_end *end)
{
	return WIFSIGNALED(end->status) ? 128 + WTERMSIG(end->status) : WEXITSTATUS(end->status);
}

void tracee_release(struct tracee *tracee)
{
	if (tracee->target.pid > 0 && tracee->start_fd >= 0) {
		kill(tracee->target.pid, SIGKILL);
		waitpid(tracee->target.pid, NULL, 0);
		tracee->target.pid = 0;
	}
	close_fd(&tracee->start_fd);
	close_fd(&tracee->failure_fd);
	close_fd(&tracee->target.pid_fd);
}
