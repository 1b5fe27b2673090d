/*
 * What `segment` can do besides running a stage. Each is one row at the end of its own file; main.c
 * lists them.
 */
#ifndef TARGET_COMMAND_H
#define TARGET_COMMAND_H

#include "failure.h"

enum exit_status {
	EXIT_GOOD = 0,
	EXIT_FAILED = 1, /* with one sentence */
	EXIT_USAGE = 2,
};

struct command {
	const char *name, *summary;
	const char *usage; /* its words, with a space before them, or "" */
	/*
	 * argv[0] is the command's name. Returns an exit status; EXIT_FAILED with the sentence in
	 * err, EXIT_USAGE when getopt has said what is wrong or with the sentence in err.
	 */
	int (*run)(int argc, char **argv, struct failure *err);
};

extern const struct command command_generate, command_verify, command_list;

#endif
