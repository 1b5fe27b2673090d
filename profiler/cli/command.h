/*
 * command: one word after `cprof`. Each cmd_NAME.c ends with one of these; main.c lists them once.
 */
#pragma once

#include <stddef.h>

enum exit_status {
	EXIT_GOOD = 0,
	EXIT_FAILED = 1, /* one sentence was printed */
	EXIT_USAGE = 2,
	EXIT_CPROF_FAILED = 125, /* `run`: cprof itself failed; as env(1) and timeout(1) */
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

struct command {
	const char *name;
	const char *summary; /* one line */
	const char *usage;   /* the whole --help text */
	int (*run)(
		int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
};

extern const struct command *const commands[]; /* NULL-terminated */
