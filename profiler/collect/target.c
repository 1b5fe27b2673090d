#include "collect/target.h"

#include "collect/proc_tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The process that thread `tid` belongs to; 0: there is no such thread. */
static pid_t process_of(pid_t tid)
{
	char path[32], line[256];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file) && sscanf(line, "Tgid: %d", &pid) != 1)
		;
	fclose(file);
	return pid;
}

static int refuse_missing(pid_t pid, struct error *err)
{
	pid_t process = process_of(pid);

	if (process && process != pid)
		return error_set(err,
			"%d is a thread of process %d: record it with `cprof attach %d:%d`",
			(int)pid, (int)process, (int)process, (int)pid);
	return error_set(err, "there is no process %d", (int)pid);
}

/* Opening maps needs the same right as perf events of the process do. */
static bool may_look_at(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno != EACCES && errno != EPERM;
	close(fd);
	return true;
}

static int refuse_foreign(pid_t pid, const char *name, struct error *err)
{
	char path[32];
	struct stat status;
	struct passwd *owner;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if (stat(path, &status) < 0)
		return error_set(err, "there is no process %d", (int)pid);
	owner = getpwuid(status.st_uid);
	if (status.st_uid == geteuid() || geteuid() == 0)
		return error_set(err, "the kernel lets nobody look at process %d (%s)%s", (int)pid,
			name, geteuid() == 0 ? ": this root lacks CAP_SYS_PTRACE" : "");
	return error_set(err,
		"process %d (%s) belongs to %s: record it with `sudo cprof attach %d`", (int)pid,
		name, owner ? owner->pw_name : "another user", (int)pid);
}

static int check_process(pid_t pid, struct error *err)
{
	struct proc_task task;

	if (process_of(pid) != pid || !proc_task_read((uint32_t)pid, (uint32_t)pid, &task))
		return refuse_missing(pid, err);
	if (task.is_kernel_thread)
		return error_set(err,
			"process %d (%s) is a thread of the kernel: it runs no program to record",
			(int)pid, task.name);
	if (!may_look_at(pid))
		return refuse_foreign(pid, task.name, err);
	return 0;
}

static int check_thread(pid_t pid, pid_t tid, struct error *err)
{
	struct proc_task task;

	if (!proc_task_read((uint32_t)pid, (uint32_t)tid, &task))
		return error_set(err, "process %d has no thread %d: `ls /proc/%d/task` lists them",
			(int)pid, (int)tid, (int)pid);
	return 0;
}

int target_attach(struct target *target, pid_t pid, pid_t tid, struct error *err)
{
	*target = (struct target){.pid = pid, .tid = tid, .pid_fd = -1, .is_attached = true};
	if (check_process(pid, err) < 0 || (tid && check_thread(pid, tid, err) < 0))
		return -1;
	target->pid_fd = syscall(SYS_pidfd_open, pid, 0);
	if (target->pid_fd < 0)
		return error_set_errno(err, "cannot watch process %d", (int)pid);
	if (target_has_ended(target))
		return error_set(err,
			"process %d has ended; only its parent has not taken note of it yet",
			(int)pid);
	return 0;
}

void target_release(struct target *target)
{
	if (target->pid_fd >= 0)
		close(target->pid_fd);
	target->pid_fd = -1;
}

bool target_has_ended(const struct target *target)
{
	struct pollfd polled = {.fd = target->pid_fd, .events = POLLIN};

	return poll(&polled, 1, 0) > 0;
}
