/*
 * reading: what the commands that show a profile have in common: the options -m, --region and -o,
 * and the way from a PROFILE argument through an exporter to the output.
 */
#pragma once

#include "base/error.h"
#include "viz/exporter.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

struct reading {
	const char *output; /* -o; NULL: stdout */
	struct view_options view;
	int color; /* 0 never, 1 always, -1 where the output is a terminal that knows colours */
};

/* Values of long options without a short form. Those of a command start at OPTION_OF_COMMAND. */
enum { OPTION_REGION = 256, OPTION_COLOR, OPTION_NO_COLOR, OPTION_OF_COMMAND };

/* For getopt: these lists begin those of a command. */
#define READING_SHORT "hm:o:"
/* clang-format off */
#define READING_LONG \
	{"help", no_argument, NULL, 'h'}, \
	{"metric", required_argument, NULL, 'm'}, \
	{"output", required_argument, NULL, 'o'}, \
	{"region", no_argument, NULL, OPTION_REGION}
#define COLOR_LONG \
	{"color", no_argument, NULL, OPTION_COLOR}, \
	{"no-color", no_argument, NULL, OPTION_NO_COLOR}
#define READING_USAGE \
	"  -m, --metric METRIC    wall, cpu, blocked, runnable or samples (default: wall\n" \
	"                         where there was one thread in all, cpu otherwise)\n" \
	"      --region           only what ran between cprof_start() and cprof_stop()\n" \
	"  -o, --output FILE      write to FILE instead of standard output\n"
#define COLOR_USAGE \
	"      --color            colours always, not only on a terminal\n" \
	"      --no-color         never colours; so does a NO_COLOR in the environment\n"
#define HELP_USAGE \
	"  -h, --help             show this help\n"
/* clang-format on */

void reading_init(struct reading *reading);

/* Takes one of the options above: 0, or -1 with an error. */
int reading_set(struct reading *reading, int option, const char *value, struct error *err);

/*
 * Loads what `argument` stands for (NULL: out.prof) and writes it with the exporter of this name.
 * Says what went wrong; returns the exit status.
 */
int reading_show(struct reading *reading, const char *argument, const char *exporter);

/* The last part of it: writes loaded profiles to the output of -o. */
int reading_write(struct reading *reading, const char *exporter,
	const struct profile *const profiles[], size_t count, struct error *err);

/* The one PROFILE of `argv[optind] ...`, NULL for none. More is wrong usage: -1 with an error. */
int reading_argument(int argc, char **argv, const char **argument, struct error *err);
