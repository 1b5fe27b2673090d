/*
 * arguments: what a PROFILE on the command line stands for. Tried in this order:
 *
 *     out.prof    a file that is a profile
 *     out         NAME for NAME.prof
 *     v4          a label: the newest group of repetitions among the kept runs
 *     v4~1        the group before it
 *
 * A file that is no profile comes last of all: ./segment does not hide the label "segment". A group
 * is the runs that repeat each other (runs.h); groups are ordered by their newest run.
 */
#pragma once

#include "base/array.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define DEFAULT_PROFILE "out.prof"

enum argument_kind {
	ARGUMENT_FILE,
	ARGUMENT_LABEL,
	ARGUMENT_OTHER_FILE, /* it is there, but does not begin like a profile */
};

struct profile_argument {
	enum argument_kind kind;
	ARRAY(char *) paths; /* one file, or all runs of the group with the newest last */
	size_t left_out;     /* runs with the same label that are of other groups */
};

/* Finds what `text` stands for. The error names the command that would record it. */
int argument_resolve(struct profile_argument *argument, const char *text, struct error *err);

/* Whether a word that may also be a pattern is a profile: it stands for one or ends like one. */
bool argument_is_profile(const char *text);

/* The file to read for a view of one profile; borrowed from the argument. */
const char *argument_newest(const struct profile_argument *argument);

void argument_release(struct profile_argument *argument);
