/*
 * new_file: a file that bears its name only when it is whole.
 *
 * It is written without a name (or, where the file system has no such files, under another one) in
 * the same directory, made durable, named PATH.xxxxxx and renamed. Until then PATH is as it was,
 * and after a failure too. Files are created 0600, without following links, and under sudo given to
 * the user who called it.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct new_file {
	const char *path; /* borrowed */
	char *temporary;  /* PATH.XXXXXX; NULL while it has no name */
	int fd;
};

/* Fails when PATH could not be replaced: something else than a regular file has that name. */
int new_file_open(struct new_file *file, const char *path, struct error *err);
int new_file_write(struct new_file *file, const void *bytes, size_t length, struct error *err);

/* Makes it durable and gives it its name; PATH is replaced. */
int new_file_commit(struct new_file *file, struct error *err);

/* Closes; removes what was not committed. */
void new_file_close(struct new_file *file);

/* For other files that are created with the same care: */

/* An error when `path` exists and is no regular file: renaming onto it would destroy it. */
int new_file_check_name(const char *path, struct error *err);

/* Writes all of it at `offset`, or -1 with errno. */
int new_file_write_at(int fd, const void *bytes, size_t length, uint64_t offset);

/* Under sudo, makes the user who called it the owner; otherwise nothing. */
void new_file_give_to_caller(int fd);
