#include "base/new_file.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Caller frees. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return !slash	       ? alloc_string(".")
	       : slash == path ? alloc_string("/")
			       : alloc_string_n(path, slash - path);
}

/* In a directory like /tmp only their owner, or the directory's, may replace files. */
static bool is_kept_by_another(const char *path, const struct stat *file)
{
	char *name = directory_of(path);
	struct stat directory;
	uid_t user = geteuid();
	bool is_sticky = stat(name, &directory) == 0 && directory.st_mode & S_ISVTX;

	free(name);
	return is_sticky && user != 0 && user != file->st_uid && user != directory.st_uid;
}

int new_file_check_name(const char *path, struct error *err)
{
	struct stat status;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : error_set_errno(err, "cannot write %s", path);
	if (!S_ISREG(status.st_mode))
		return error_set(err,
			"cannot write %s: it is %s and would be replaced: choose another file",
			path,
			S_ISDIR(status.st_mode)	  ? "a directory"
			: S_ISLNK(status.st_mode) ? "a symbolic link"
						  : "not a regular file");
	if (is_kept_by_another(path, &status))
		return error_set(err,
			"cannot write %s: it is another user's, and nobody else may replace it "
			"there: choose another file",
			path);
	return 0;
}

int new_file_write_at(int fd, const void *bytes, size_t length, uint64_t offset)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = pwrite(fd, at, length, offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		at += written;
		offset += written;
		length -= written;
	}
	return 0;
}

static bool get_id(const char *variable, unsigned *id)
{
	const char *text = getenv(variable);
	char *end;

	if (!text || !*text)
		return false;
	*id = strtoul(text, &end, 10);
	return *end == '\0';
}

/* A refusal (a file system without owners, a container) is no reason to lose a recording. */
void new_file_give_to_caller(int fd)
{
	unsigned user, group;

	if (geteuid() == 0 && get_id("SUDO_UID", &user) && get_id("SUDO_GID", &group) &&
		fchown(fd, user, group) != 0)
		return;
}

/*
 * A file without a name leaves nothing behind when cprof is killed. It gets one through /proc, and
 * not every file system has such files.
 */
static bool open_unnamed(struct new_file *file)
{
	char *directory = directory_of(file->path);

	if (access("/proc/self/fd", X_OK) == 0)
		file->fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(directory);
	return file->fd >= 0;
}

static int open_named(struct new_file *file, struct error *err)
{
	file->temporary = alloc_format("%s.XXXXXX", file->path);
	file->fd = mkostemp(file->temporary, O_CLOEXEC); /* O_EXCL, 0600 */
	if (file->fd >= 0)
		return 0;
	error_set_errno(err, "cannot create a file beside %s", file->path);
	free(file->temporary);
	file->temporary = NULL;
	return -1;
}

int new_file_open(struct new_file *file, const char *path, struct error *err)
{
	*file = (struct new_file){.path = path, .fd = -1};
	if (new_file_check_name(path, err) != 0)
		return -1;
	if (!open_unnamed(file) && open_named(file, err) != 0)
		return -1;
	new_file_give_to_caller(file->fd);
	return 0;
}

int new_file_write(struct new_file *file, const void *bytes, size_t length, struct error *err)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t written = write(file->fd, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_set_errno(err, "cannot write %s", file->path);
		at += written;
		length -= written;
	}
	return 0;
}

/* The new name itself must survive a crash. What cannot be synced (some file systems) is left. */
static void sync_directory(const char *path)
{
	char *name = directory_of(path);
	int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(name);
}

/* A name beside the final one, since a link never replaces anything. */
static int link_temporary(struct new_file *file, struct error *err)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	for (int attempt = 0; attempt < 100; attempt++) {
		uint32_t suffix;

		if (getrandom(&suffix, sizeof(suffix), 0) != sizeof(suffix))
			break;
		file->temporary = alloc_format("%s.%06x", file->path, suffix & 0xffffff);
		if (linkat(AT_FDCWD, self, AT_FDCWD, file->temporary, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		free(file->temporary);
		file->temporary = NULL;
		if (errno != EEXIST)
			break;
	}
	return error_set_errno(err, "cannot create a file beside %s", file->path);
}

int new_file_commit(struct new_file *file, struct error *err)
{
	/* The name may have been taken by something else since it was opened. */
	if (new_file_check_name(file->path, err) != 0)
		return -1;
	if (fsync(file->fd) != 0)
		return error_set_errno(err, "cannot make %s durable", file->path);
	if (!file->temporary && link_temporary(file, err) != 0)
		return -1;
	if (rename(file->temporary, file->path) != 0)
		return error_set_errno(err, "cannot rename %s to %s", file->temporary, file->path);
	sync_directory(file->path);
	free(file->temporary);
	file->temporary = NULL;
	return 0;
}

void new_file_close(struct new_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	file->temporary = NULL;
}
