#include "base/regular_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int regular_file_reopen(int found, const char *name, struct error *err)
{
	char path[32];
	struct stat status;
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	if (fstat(found, &status) != 0)
		error_set_errno(err, "cannot examine %s", name);
	else if (!S_ISREG(status.st_mode))
		error_set(err, "%s is not a regular file", name);
	else if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0)
		error_set_errno(err, "cannot open %s", name);
	close(found);
	return fd;
}

int regular_file_open(const char *path, struct error *err)
{
	int found = open(path, O_PATH | O_CLOEXEC);

	if (found < 0)
		return error_set_errno(err, "cannot open %s", path);
	return regular_file_reopen(found, path, err);
}
