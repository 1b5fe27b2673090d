#include "cli/runs.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/new_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ESCAPED_MAX    200		/* letters of a directory name before the hash */
#define RECORD_MAX     ((off_t)4 << 20) /* bytes of a .run file: a command line has 2 MiB at most */
#define SUFFIX_PROFILE ".prof"
#define SUFFIX_RECORD  ".run"

/* --- the directory ---------------------------------------------------------------------------- */

const char *runs_directory(void)
{
	const char *directory = getenv("CPROF_DIR");

	return directory && directory[0] ? directory : ".cprof";
}

/* A file name for any label: see runs.h. Caller frees. */
static char *label_escaped(const char *label)
{
	size_t length = strlen(label);
	char *name = alloc_bytes(3 * length + 2), *end = name;

	if (length == 0)
		*end++ = '%';
	for (size_t i = 0; i < length; i++) {
		unsigned char letter = label[i];
		bool is_plain = isascii(letter) && (isalnum(letter) || strchr("_-=+,@:", letter) ||
							   (letter == '.' && i > 0));

		if (is_plain)
			*end++ = letter;
		else
			end += sprintf(end, "%%%02X", letter);
	}
	*end = '\0';
	if (end - name > ESCAPED_MAX) {
		char *cut = alloc_format(
			"%.*s%%%016" PRIx64, ESCAPED_MAX, name, hash_bytes(label, length));

		free(name);
		return cut;
	}
	return name;
}

/* --- keeping ---------------------------------------------------------------------------------- */

/* Opens (and makes) the directory `name` in `parent` without following links. */
static int open_directory(int parent, const char *name, struct error *err)
{
	bool is_new = mkdirat(parent, name, 0700) == 0;
	struct stat stat;
	int directory;

	if (!is_new && errno != EEXIST)
		return error_set_errno(err, "cannot make the directory %s", name);
	directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &stat) != 0) {
		error_set_errno(err, "cannot open the directory %s", name);
		goto failed;
	}
	if (stat.st_uid != geteuid() && geteuid() != 0) {
		error_set(err,
			"the directory %s belongs to another user: set CPROF_DIR to one "
			"of your own",
			name);
		goto failed;
	}
	if (is_new)
		new_file_give_to_caller(directory);
	return directory;
failed:
	if (directory >= 0)
		close(directory);
	return -1;
}

static int ignore_for_git(int directory)
{
	int file = openat(directory, ".gitignore",
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result;

	if (file < 0)
		return errno == EEXIST ? 0 : -1;
	result = write(file, "*\n", 2) == 2 ? 0 : -1;
	new_file_give_to_caller(file);
	close(file);
	return result;
}

static int open_label(const char *label, struct error *err)
{
	int top = open_directory(AT_FDCWD, runs_directory(), err), directory = -1;
	char *name;

	if (top < 0)
		return -1;
	if (ignore_for_git(top) != 0) {
		error_set_errno(err, "cannot write %s/.gitignore", runs_directory());
		close(top);
		return -1;
	}
	name = label_escaped(label);
	directory = open_directory(top, name, err);
	if (directory < 0)
		error_prefix(err, "in %s", runs_directory());
	free(name);
	close(top);
	return directory;
}

static int copy_bytes(int from, int to)
{
	char bytes[65536];
	ssize_t got;

	while ((got = read(from, bytes, sizeof(bytes))) > 0)
		for (ssize_t done = 0, put; done < got; done += put)
			if ((put = write(to, bytes + done, got - done)) < 0)
				return -1;
	return got < 0 ? -1 : 0;
}

/* For when a link cannot be: another file system, or one without links. */
static int copy_profile(const char *path, int directory, const char *name)
{
	int from = open(path, O_RDONLY | O_CLOEXEC), to = -1, result = -1, cause;

	if (from >= 0)
		to = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	if (to >= 0) {
		new_file_give_to_caller(to);
		result = copy_bytes(from, to);
	}
	cause = errno;
	if (to >= 0 && close(to) != 0 && result == 0) {
		cause = errno;
		result = -1;
	}
	if (to >= 0 && result != 0)
		unlinkat(directory, name, 0);
	if (from >= 0)
		close(from);
	errno = cause;
	return result;
}

static int link_profile(const char *path, int directory, const char *name)
{
	struct stat stat;

	/* A link to a symbolic link would keep where it points, not what is there now. */
	if (lstat(path, &stat) == 0 && S_ISREG(stat.st_mode) &&
		linkat(AT_FDCWD, path, directory, name, 0) == 0)
		return 0;
	return copy_profile(path, directory, name);
}

/* Written under another name and renamed: a .run file is whole from its first moment. */
static int save_record(int directory, const char *name, struct run *run)
{
	char *temporary = alloc_format(".%s", name);
	int descriptor = openat(directory, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
	    result = -1, cause;
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;

	if (file) {
		bool is_good;

		new_file_give_to_caller(descriptor);
		run_write(file, run);
		is_good = !ferror(file);
		if (fclose(file) == 0 && is_good)
			result = renameat(directory, temporary, directory, name);
	}
	cause = errno;
	if (result != 0)
		unlinkat(directory, temporary, 0);
	errno = cause;
	free(temporary);
	return result;
}

/* "20240229T142501.123456789-4711" of now. */
static void make_stem(char *stem, size_t size)
{
	struct timespec now;
	struct tm parts;
	char time[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(time, sizeof(time), "%Y%m%dT%H%M%S", &parts);
	snprintf(stem, size, "%s.%09ld-%d", time, now.tv_nsec, getpid());
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);

	return length > suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

static int is_record(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && has_suffix(entry->d_name, SUFFIX_RECORD);
}

static int is_kept_file(const struct dirent *entry)
{
	return is_record(entry) ||
	       (entry->d_name[0] != '.' && has_suffix(entry->d_name, SUFFIX_PROFILE));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_entries(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

/*
 * Forgets everything older than the last RUNS_KEPT records. Another cprof that does the same at the
 * same time removes the same files. A profile without a record may still be getting one, and
 * goes only when it is older than the oldest run that stays.
 */
static void forget_old(int directory)
{
	struct dirent **records, **files;
	int count = scandirat(directory, ".", &records, is_record, by_name), file_count;

	if (count > RUNS_KEPT) {
		const char *oldest = records[count - RUNS_KEPT]->d_name;
		size_t length = strlen(oldest) - strlen(SUFFIX_RECORD);

		file_count = scandirat(directory, ".", &files, is_kept_file, by_name);
		for (int i = 0; i < file_count; i++)
			if (strncmp(files[i]->d_name, oldest, length) < 0)
				unlinkat(directory, files[i]->d_name, 0);
		if (file_count >= 0)
			free_entries(files, file_count);
	}
	if (count >= 0)
		free_entries(records, count);
}

int runs_keep(const char *profile_path, const struct profile *profile, struct error *err)
{
	struct run run;
	char stem[80], name[96];
	int directory, result = -1;

	run_of_profile(&run, profile);
	directory = open_label(run.label, err);
	if (directory < 0)
		goto out;
	make_stem(stem, sizeof(stem));
	snprintf(name, sizeof(name), "%s" SUFFIX_PROFILE, stem);
	if (link_profile(profile_path, directory, name) != 0) {
		error_set_errno(err, "cannot keep %s in %s", profile_path, runs_directory());
		goto out;
	}
	snprintf(name, sizeof(name), "%s" SUFFIX_RECORD, stem);
	if (save_record(directory, name, &run) != 0) {
		error_set_errno(err, "cannot keep %s in %s", profile_path, runs_directory());
		snprintf(name, sizeof(name), "%s" SUFFIX_PROFILE, stem);
		unlinkat(directory, name, 0);
		goto out;
	}
	forget_old(directory);
	result = 0;
out:
	if (directory >= 0)
		close(directory);
	run_release(&run);
	return result;
}

/* --- finding ---------------------------------------------------------------------------------- */

void runs_release(struct runs *runs)
{
	for (size_t i = 0; i < runs->items.count; i++)
		run_release(&runs->items.items[i]);
	array_release(&runs->items);
}

static void load_run(struct runs *runs, int directory, const char *label_name, const char *name)
{
	int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
	struct stat stat;
	struct run run;

	if (!file)
		return;
	if (fstat(descriptor, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size <= RECORD_MAX &&
		run_read(&run, file)) {
		run.path = alloc_format("%s/%s/%.*s" SUFFIX_PROFILE, runs_directory(), label_name,
			(int)(strlen(name) - strlen(SUFFIX_RECORD)), name);
		*array_add(&runs->items) = run;
	}
	fclose(file);
}

/* Runs of `label` only: two long labels might share a directory. */
static void load_label(struct runs *runs, int top, const char *label_name, const char *label)
{
	int directory = openat(top, label_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent **entries;
	int count;

	if (directory < 0)
		return;
	count = scandirat(directory, ".", &entries, is_record, by_name);
	for (int i = 0; i < count; i++) {
		size_t before = runs->items.count;

		load_run(runs, directory, label_name, entries[i]->d_name);
		if (label && runs->items.count > before &&
			strcmp(runs->items.items[before].label, label) != 0)
			run_release(&runs->items.items[--runs->items.count]);
	}
	if (count >= 0)
		free_entries(entries, count);
	close(directory);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int runs_load(struct runs *runs, const char *label, struct error *err)
{
	int top = open(runs_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries;
	int count;

	if (top < 0 && errno == ENOENT)
		return 0;
	if (top < 0)
		return error_set_errno(err, "cannot open the kept runs in %s", runs_directory());
	if (label) {
		char *name = label_escaped(label);

		load_label(runs, top, name, label);
		free(name);
	} else {
		count = scandirat(top, ".", &entries, is_visible, by_name);
		for (int i = 0; i < count; i++)
			load_label(runs, top, entries[i]->d_name, NULL);
		if (count >= 0)
			free_entries(entries, count);
	}
	close(top);
	return 0;
}
