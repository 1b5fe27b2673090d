/*
 * output: where a command's result goes: stdout, or the FILE of -o.
 *
 * A regular file appears whole or not at all: it is written beside itself and renamed by
 * output_close(). Anything else that has a name (a device, a pipe) is written as it is.
 *
 * A full disk is an error, also on stdout. A closed pipe ends the program by SIGPIPE, as every
 * filter does (`cprof report | head`); where SIGPIPE is ignored it is an error like the others.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output {
	FILE *file;
	char *path;	 /* for messages and the rename; NULL: stdout */
	char *temporary; /* what is written until it is whole; NULL: path itself */
};

/* path NULL or "-": stdout. */
int output_open(struct output *output, const char *path, struct error *err);

/* Makes sure that everything is written, then gives the file its name. Releases in any case. */
int output_close(struct output *output, struct error *err);

/* Gives up: nothing is left of a file that was being written. */
void output_discard(struct output *output);

/* Whether a reader at a terminal sees it. */
bool output_is_terminal(const struct output *output);

/* On a terminal that knows colours, unless NO_COLOR is set to something (no-color.org). */
bool output_wants_color(const struct output *output);

/* Whether the locale's encoding has the box-drawing letters. */
bool output_has_unicode(void);

/* The terminal's width; 0: not a terminal, no limit. */
size_t output_columns(const struct output *output);
