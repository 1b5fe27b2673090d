#include "cli/arguments.h"

#include "base/alloc.h"
#include "cli/runs.h"
#include "model/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_file(const char *path)
{
	struct stat stat_of_path;

	return stat(path, &stat_of_path) == 0 && !S_ISDIR(stat_of_path.st_mode);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);

	return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

/* Names that can only have been meant as files. */
static bool is_file_name(const char *text)
{
	return strchr(text, '/') || ends_with(text, ".prof") || ends_with(text, ".part");
}

static bool is_profile_file(const char *path)
{
	struct chunk_reader reader;
	bool is_profile = chunk_reader_open(&reader, path, NULL) == 0;

	chunk_reader_close(&reader);
	return is_profile;
}

static void add_path(struct profile_argument *argument, const char *path)
{
	*array_add(&argument->paths) = alloc_string(path);
}

/* --- labels ----------------------------------------------------------------------------------- */

/*
 * The newest run of the group that is `back` groups before the newest one, or NULL. Groups are
 * counted where their newest run stands.
 */
static const struct run *group_newest(const struct runs *runs, uint64_t back, uint64_t *group_count)
{
	const struct run *found = NULL, *items = runs->items.items;

	*group_count = 0;
	for (size_t i = runs->items.count; i-- > 0;) {
		bool is_seen = false;

		for (size_t newer = i + 1; newer < runs->items.count && !is_seen; newer++)
			is_seen = run_repeats(&items[newer], &items[i]);
		if (is_seen)
			continue;
		if (*group_count == back)
			found = &items[i];
		++*group_count;
	}
	return found;
}

static void take_group(
	struct profile_argument *argument, const struct runs *runs, const struct run *newest)
{
	for (size_t i = 0; i < runs->items.count; i++) {
		const struct run *run = &runs->items.items[i];

		if (run_repeats(newest, run))
			add_path(argument, run->path);
		else
			argument->left_out++;
	}
	argument->kind = ARGUMENT_LABEL;
}

static void no_such_group(
	const char *text, const char *label, uint64_t group_count, struct error *err)
{
	if (group_count == 1)
		error_set(err,
			"no profile '%s': all kept runs of '%s' are repetitions of one; `cprof "
			"list` shows them",
			text, label);
	else
		error_set(err, "no profile '%s': the oldest group of '%s' is %s~%llu", text, label,
			label, (unsigned long long)group_count - 1);
}

/* 1: found; 0: no run has this label; -1: a run has, but the groups do not go back that far. */
static int find_label(struct profile_argument *argument, const char *label, uint64_t back,
	const char *text, struct error *err)
{
	struct runs runs = {0};
	const struct run *newest;
	uint64_t group_count;
	int result = 0;

	if (runs_load(&runs, label, err) != 0)
		return -1;
	newest = group_newest(&runs, back, &group_count);
	if (newest) {
		take_group(argument, &runs, newest);
		result = 1;
	} else if (group_count > 0) {
		no_such_group(text, label, group_count, err);
		result = -1;
	}
	runs_release(&runs);
	return result;
}

/* Cuts "v4~1" into "v4" and 1; false where the text has no such end. */
static bool split_back(char *label, uint64_t *back)
{
	char *tilde = strrchr(label, '~');

	if (!tilde || !tilde[1] || strspn(tilde + 1, "0123456789") != strlen(tilde + 1))
		return false;
	errno = 0;
	*back = strtoull(tilde + 1, NULL, 10);
	*tilde = '\0';
	return errno == 0;
}

static int find_runs(struct profile_argument *argument, const char *text, struct error *err)
{
	int result = find_label(argument, text, 0, text, err);
	char *label = alloc_string(text);
	uint64_t back;

	if (result == 0 && split_back(label, &back))
		result = find_label(argument, label, back, text, err);
	free(label);
	return result;
}

/*
 * The program of the newest kept run whose label is its arguments, as it was typed and ready for a
 * shell; NULL: none. Caller frees.
 */
static char *known_program(void)
{
	struct runs runs = {0};
	const struct run *newest = NULL;
	char *program = NULL;

	if (runs_load(&runs, NULL, NULL) != 0)
		return NULL;
	for (size_t i = 0; i < runs.items.count; i++) {
		const struct run *run = &runs.items.items[i];

		if (strcmp(command_arguments(run->command), run->label) == 0 &&
			(!newest || run->start_unix_ns > newest->start_unix_ns))
			newest = run;
	}
	if (newest) {
		size_t length = command_arguments(newest->command) - newest->command;

		while (length > 0 && newest->command[length - 1] == ' ')
			length--;
		program = alloc_string_n(newest->command, length);
	}
	runs_release(&runs);
	return program;
}

/* A recording under this name that is going on, or did not end; NULL: none. Caller frees. */
static char *cut_recording(const char *text)
{
	for (size_t i = 0; i < 2; i++) {
		char *path =
			i == 0 ? alloc_format("%s.part", text) : alloc_format("%s.prof.part", text);

		if (is_file(path))
			return path;
		free(path);
	}
	return NULL;
}

static int not_found(const char *text, struct error *err)
{
	char *program, *cut = cut_recording(text);

	if (cut) {
		error_set(err,
			"there is no %s yet, only %s: its recording goes on or was cut off; make "
			"it whole with: cprof info --repair %s",
			text, cut, cut);
		free(cut);
		return -1;
	}
	if (strcmp(text, DEFAULT_PROFILE) == 0)
		return error_set(
			err, "there is no %s here: record one with: cprof run PROGRAM", text);
	if (is_file_name(text))
		return error_set(err,
			"cannot open %s: No such file or directory: record it with: cprof run -o "
			"%s PROGRAM",
			text, text);
	program = known_program();
	error_set(err, "no profile '%s': record it with: cprof run %s %s", text,
		program ? program : "PROGRAM", text);
	free(program);
	return -1;
}

/* False: `text` is nothing of this kind. */
static bool find_file(struct profile_argument *argument, const char *text)
{
	char *with_suffix = alloc_format("%s.prof", text);
	bool is_found = true;

	if (is_profile_file(text))
		add_path(argument, text);
	else if (is_file(with_suffix))
		add_path(argument, with_suffix);
	else
		is_found = false;
	free(with_suffix);
	return is_found;
}

int argument_resolve(struct profile_argument *argument, const char *text, struct error *err)
{
	int result;

	*argument = (struct profile_argument){.kind = ARGUMENT_FILE};
	if (find_file(argument, text))
		return 0;
	result = find_runs(argument, text, err);
	if (result != 0)
		return result < 0 ? -1 : 0;
	if (!is_file(text))
		return not_found(text, err);
	argument->kind = ARGUMENT_OTHER_FILE;
	add_path(argument, text);
	return 0;
}

bool argument_is_profile(const char *text)
{
	struct profile_argument argument;
	struct error ignored;
	bool is_profile;

	/* What is hardly a pattern is taken as a file, so that its error is told. */
	if (ends_with(text, ".prof") || ends_with(text, ".part"))
		return true;
	is_profile = argument_resolve(&argument, text, &ignored) == 0 &&
		     argument.kind != ARGUMENT_OTHER_FILE;
	argument_release(&argument);
	return is_profile;
}

const char *argument_newest(const struct profile_argument *argument)
{
	return argument->paths.items[argument->paths.count - 1];
}

void argument_release(struct profile_argument *argument)
{
	for (size_t i = 0; i < argument->paths.count; i++)
		free(argument->paths.items[i]);
	array_release(&argument->paths);
}
