#include "collect/process_file.h"

#include "base/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLAGS (O_PATH | O_CLOEXEC | O_NOFOLLOW)

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

/* Directory by directory, through no symbolic link and no "..". */
static int open_by_steps(int root, const char *path)
{
	int at = fcntl(root, F_DUPFD_CLOEXEC, 0);

	while (at >= 0 && *(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int next = -1;

		if (length <= NAME_MAX && !(length == 2 && path[0] == '.' && path[1] == '.')) {
			memcpy(name, path, length);
			name[length] = '\0';
			next = openat(at, name, FLAGS);
		}
		close(at);
		at = next;
		path += length;
	}
	return at;
}

/*
 * openat2(2), since Linux 5.6: symbolic links of directories are followed as the process would. Of
 * an older kernel, or where it is forbidden, none are followed.
 */
static int open_below(int root, const char *path)
{
	struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 && (errno == ENOSYS || errno == EPERM) ? open_by_steps(root, path) : fd;
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

int process_file_open_any(const struct process_view *view, const char *path)
{
	int root = open_root(view), found;

	if (root < 0)
		return -1;
	found = open_below(root, path);
	close(root);
	return found < 0 ? -1 : regular_file_reopen(found, path, NULL);
}

int process_file_open(const struct process_view *view, const char *path)
{
	int fd = process_file_open_any(view, path);
	struct stat status;

	if (fd < 0 ||
		(fstat(fd, &status) == 0 && (status.st_uid == view->user || status.st_uid == 0)))
		return fd;
	close(fd);
	return -1;
}
