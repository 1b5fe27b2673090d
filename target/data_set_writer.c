#include "data_set_writer.h"

#include "hdf5_output.h"
#include "palette.h"
#include "text_output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The signal that wants to end the program, or 0. Set by the handler, read by the main thread. */
static volatile sig_atomic_t ending_signal;

static void on_signal(int signal)
{
	ending_signal = signal;
}

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING_SIGNALS = sizeof(ending_signals) / sizeof(*ending_signals) };

static void catch_signals(struct sigaction before[ENDING_SIGNALS])
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	for (unsigned i = 0; i < ENDING_SIGNALS; i++) {
		sigaction(ending_signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(ending_signals[i], &action, NULL);
	}
}

/* Puts the handlers back and lets a signal that came meanwhile have its effect. */
static void release_signals(const struct sigaction before[ENDING_SIGNALS])
{
	for (unsigned i = 0; i < ENDING_SIGNALS; i++)
		sigaction(ending_signals[i], &before[i], NULL);
	if (ending_signal)
		raise(ending_signal);
}

static bool is_ours(const char *name)
{
	unsigned class;
	char rest;

	return !strcmp(name, "data.hdf5") ||
	       (sscanf(name, "probabilities_%u.tx%c", &class, &rest) == 2 && rest == 't');
}

/* Fails when the directory holds anything that `generate` did not write; it may be missing. */
static int check_only_ours(const char *directory, struct failure *err)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	int failed = 0;

	if (!entries)
		return errno == ENOENT
			       ? 0
			       : fail(err, "%s cannot be replaced: %s", directory, strerror(errno));
	while (!failed && (entry = readdir(entries)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			!is_ours(entry->d_name))
			failed = fail(err,
				"%s would be replaced, but holds %s, which is not ours; move that "
				"away "
				"first",
				directory, entry->d_name);
	closedir(entries);
	return failed;
}

/* Removes a directory with files of ours. */
static void remove_ours(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)))
		if (is_ours(entry->d_name))
			unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	rmdir(directory);
}

static int make_directory(const char *directory, struct failure *err)
{
	if (mkdir(directory, 0777) && errno != EEXIST)
		return fail(err, "the directory %s cannot be made: %s", directory, strerror(errno));
	return 0;
}

/*
 * Makes the directory, or takes over what a killed generate has left of it. Returns a descriptor
 * that holds its lock, so that two of them do not write into one.
 */
static int open_part(const char *part, struct failure *err)
{
	int fd;

	if (make_directory(part, err))
		return -1;
	fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, "%s cannot be opened: %s", part, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		return fail(
			err, "another `segment generate` is writing %s; wait for it to end", part);
	}
	return fd;
}

static int write_files(const char *part, const struct data_size *size, const struct picture *image,
	const double *probabilities, struct failure *err)
{
	char path[PATH_MAX];

	if (data_set_hdf5_path(part, path, err) ||
		hdf5_output_write(path, size->tiles, image, probabilities, &ending_signal, err))
		return -1;
	for (unsigned class = 0; size->has_text && class < CLASS_COUNT; class ++)
		if (data_set_text_path(part, class, path, err) ||
			text_output_write(path, size->tiles, image->height, image->width,
				probabilities + class, &ending_signal, err))
			return -1;
	return 0;
}

/* At every moment the directory is the whole old one, the whole new one, or missing. */
static int replace_directory(
	const char *part, const char *old, const char *directory, struct failure *err)
{
	if (ending_signal)
		return fail(err, "interrupted");
	if (rename(directory, old) && errno != ENOENT)
		return fail(err, "%s cannot be replaced: %s", directory, strerror(errno));
	if (rename(part, directory)) {
		fail(err, "%s cannot get its name %s: %s", part, directory, strerror(errno));
		rename(old, directory);
		return -1;
	}
	remove_ours(old);
	return 0;
}

static int write_locked(const struct data_size *size, const struct picture *image,
	const double *probabilities, const char *directory, struct failure *err)
{
	char part[PATH_MAX + 8], old[PATH_MAX + 8];
	struct sigaction before[ENDING_SIGNALS];
	int failed, lock;

	snprintf(part, sizeof(part), "%s.part", directory);
	snprintf(old, sizeof(old), "%s.old", directory);
	lock = open_part(part, err);
	if (lock < 0)
		return -1;
	ending_signal = 0;
	catch_signals(before);
	remove_ours(old);
	failed = write_files(part, size, image, probabilities, err) ||
		 replace_directory(part, old, directory, err);
	if (failed)
		remove_ours(part);
	close(lock);
	release_signals(before);
	return failed ? -1 : 0;
}

int data_set_write(const struct data_size *size, const struct picture *image,
	const double *probabilities, struct failure *err)
{
	char named[PATH_MAX], directory[PATH_MAX];

	if (data_set_directory(size->name, named, err) || make_directory("data", err))
		return -1;
	/* data/SIZE may be a link to a larger disk: what it leads to is replaced. */
	if (!realpath(named, directory))
		snprintf(directory, sizeof(directory), "%s", named);
	if (check_only_ours(directory, err))
		return -1;
	return write_locked(size, image, probabilities, directory, err);
}
