/*
 * options: getopt_long as the commands use it, and values with errors.
 *
 * A command describes its options once and is called back for each one:
 *
 *     static const struct option_set options = {"list", "n:h", long_options, set_option};
 *     int status = options_parse(&options, &mine, argc, argv);
 *     if (status >= 0) return status;              -- --help, or wrong usage: all is said
 *     ... the positional arguments are argv[optind] to argv[argc - 1]
 */
#pragma once

#include "base/error.h"
#include "cli/command.h"

#include <getopt.h>
#include <stdint.h>

struct option_set {
	const struct command *command;	   /* its name and usage */
	const char *short_options;	   /* as getopt(3), with 'h'; '+' in front: as there */
	const struct option *long_options; /* with "help" as 'h'; val >= 256: no short form */

	/* Takes one option; -1 and a sentence when the value makes no sense. */
	int (*set)(void *target, int option, const char *value, struct error *err);
};

/* Parses all of argv into target. -1: go on; otherwise the exit status to end with. */
int options_parse(const struct option_set *options, void *target, int argc, char **argv);

/* Whole numbers from `least` up, in decimal. The sentences begin with the option's name. */
int option_count(
	const char *option, const char *value, uint64_t least, uint64_t *count, struct error *err);

/* Finite numbers from least to most. */
int option_number(const char *option, const char *value, double least, double most, double *number,
	struct error *err);

/* The place of value in a NULL-terminated list of names, or -1 and an error that lists them. */
int option_choice(
	const char *option, const char *value, const char *const names[], struct error *err);
