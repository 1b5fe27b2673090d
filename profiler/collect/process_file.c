#include "collect/process_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: a FIFO must not keep us waiting before fstat() sees it. */
#define FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

/*
 * /proc/PID/status, proc(5):
 *
 *     Uid:	1000	1000	1000	1000          real, effective, saved, of the file system
 *     NSpid:	4711	17                            in our pid namespace ... in its own
 */
static void read_line(const char *line, struct process_view *view)
{
	const char *last;
	unsigned number;

	if (sscanf(line, "Uid: %*u %u", &number) == 1)
		view->user = number;
	if (strncmp(line, "NSpid:", 6) != 0)
		return;
	last = strrchr(line, '\t');
	if (last && sscanf(last, "%u", &number) == 1)
		view->inner_pid = number;
}

struct process_view process_view_of(uint32_t pid)
{
	struct process_view view = {.pid = pid, .inner_pid = pid, .user = geteuid()};
	char path[64], line[256];
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	status = fopen(path, "re");
	if (!status)
		return view;
	while (fgets(line, sizeof(line), status))
		read_line(line, &view);
	fclose(status);
	return view;
}

/* openat2(2), Linux 5.6. Older kernels follow symbolic links of directories wherever they lead. */
static int open_below(int root, const char *path)
{
	struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(root, path + strspn(path, "/"), FLAGS);
	return fd;
}

/* The process's root directory. Where it is gone, and was not in a namespace of its own: ours. */
static int open_root(const struct process_view *view)
{
	char path[64];
	int root;

	snprintf(path, sizeof(path), "/proc/%u/root", view->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 && errno == ENOENT && view->inner_pid == view->pid)
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root;
}

int process_file_open(const struct process_view *view, const char *path)
{
	int root = open_root(view), fd;
	struct stat status;

	if (root < 0)
		return -1;
	fd = open_below(root, path);
	close(root);
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_uid == view->user || status.st_uid == 0))
		return fd;
	close(fd);
	return -1;
}
