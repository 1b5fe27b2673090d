#include "model/part_file.h"

#include "base/alloc.h"
#include "base/new_file.h"
#include "model/chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the name still leads to the file that is open: another recording may have moved it. */
static bool is_still_named(int fd, const char *name)
{
	struct stat open_one, named_one;

	return fstat(fd, &open_one) == 0 && lstat(name, &named_one) == 0 &&
	       open_one.st_dev == named_one.st_dev && open_one.st_ino == named_one.st_ino;
}

/* Renames without replacing anything; -1 with EEXIST when the new name is taken. */
static int rename_to_free_name(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system that cannot do that (NFS): a link never replaces, either. */
	return link(from, to) == 0 ? unlink(from) : -1;
}

static int put_aside(struct part_file *part, const char *path, struct error *err)
{
	for (unsigned number = 1; number < 10000; number++) {
		char *name = number == 1 ? alloc_format("%s.interrupted", path)
					 : alloc_format("%s.interrupted.%u", path, number);

		if (rename_to_free_name(part->name, name) == 0) {
			free(part->interrupted);
			part->interrupted = name;
			return 0;
		}
		free(name);
		if (errno != EEXIST)
			return error_set_errno(err,
				"cannot rename %s, which an interrupted recording left",
				part->name);
	}
	return error_set(err, "there are too many files named %s.interrupted.N: remove some", path);
}

/* With the lock on a left-over: keeps it under another name if there is anything in it. */
static int clear_left_over(struct part_file *part, const char *path, int fd, struct error *err)
{
	struct stat status;

	if (!is_still_named(fd, part->name))
		return 0;
	if (fstat(fd, &status) == 0 && status.st_size <= CHUNK_FILE_HEADER_SIZE)
		return unlink(part->name) == 0 || errno == ENOENT
			       ? 0
			       : error_set_errno(err, "cannot remove %s", part->name);
	return put_aside(part, path, err);
}

/* Another file has the name. 0 when it is out of the way now. */
static int handle_existing(struct part_file *part, const char *path, struct error *err)
{
	int fd = open(part->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), result;
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set_errno(err, "cannot open %s, which is in the way", part->name);
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		result =
			error_set(err, "%s is in the way and is not a file: remove it", part->name);
	else if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		result = clear_left_over(part, path, fd, err);
	else if (errno == EWOULDBLOCK)
		result = error_set(err,
			"another recording is writing %s: wait for its end, or choose another file "
			"with -o",
			part->name);
	else
		result = error_set_errno(
			err, "cannot tell whether a recording is writing %s", part->name);
	close(fd);
	return result;
}

/*
 * Locks the file just created. Somebody who took it for a left-over in between has removed it:
 * false. A file system without locks is used without; then nobody can tell a left-over from a
 * recording, and handle_existing() says so.
 */
static bool take_lock(struct part_file *part)
{
	while (flock(part->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			break;
	return is_still_named(part->fd, part->name);
}

static int create(struct part_file *part, const char *path, struct error *err)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		part->fd =
			open(part->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (part->fd >= 0 && take_lock(part))
			return 0;
		if (part->fd < 0 && errno != EEXIST)
			return error_set_errno(err, "cannot create %s", part->name);
		if (part->fd >= 0)
			close(part->fd);
		part->fd = -1;
		if (handle_existing(part, path, err) != 0)
			return -1;
	}
	return error_set(err, "cannot create %s: others keep creating it", part->name);
}

int part_file_open(struct part_file *part, const char *path, struct error *err)
{
	*part = (struct part_file){.name = alloc_format("%s.part", path), .fd = -1};
	if (new_file_check_name(path, err) != 0 || create(part, path, err) != 0)
		return -1;
	new_file_give_to_caller(part->fd);
	return 0;
}

void part_file_remove(struct part_file *part)
{
	if (is_still_named(part->fd, part->name))
		unlink(part->name);
}

void part_file_close(struct part_file *part)
{
	if (part->fd >= 0)
		close(part->fd);
	part->fd = -1;
	free(part->name);
	free(part->interrupted);
	part->name = part->interrupted = NULL;
}
