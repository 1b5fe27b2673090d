#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/reading.h"

#include <math.h>

extern const struct command cmd_flame;

enum {
	OPTION_REVERSE = OPTION_OF_COMMAND,
	OPTION_ICICLE,
	OPTION_FOLDED,
	OPTION_TITLE,
	OPTION_WIDTH,
	OPTION_MIN_WIDTH
};

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct reading *reading = target;
	struct flame_options *flame = &reading->view.flame;

	switch (option) {
	case OPTION_REVERSE:
		flame->reverse = true;
		return 0;
	case OPTION_ICICLE:
		flame->icicle = true;
		return 0;
	case OPTION_FOLDED:
		flame->folded = true;
		return 0;
	case OPTION_TITLE:
		flame->title = value;
		return 0;
	case OPTION_WIDTH:
		return option_number("--width", value, 100, 100000, &flame->width, err);
	case OPTION_MIN_WIDTH:
		return option_number("--min-width", value, 0.001, 1000, &flame->min_width, err);
	default:
		return reading_set(reading, option, value, err);
	}
}

static const struct option long_options[] = {
	READING_LONG,
	{"reverse", no_argument, NULL, OPTION_REVERSE},
	{"icicle", no_argument, NULL, OPTION_ICICLE},
	{"folded", no_argument, NULL, OPTION_FOLDED},
	{"title", required_argument, NULL, OPTION_TITLE},
	{"width", required_argument, NULL, OPTION_WIDTH},
	{"min-width", required_argument, NULL, OPTION_MIN_WIDTH},
	{0},
};

static const struct option_set option_set = {&cmd_flame, READING_SHORT, long_options, set_option};

static int run(int argc, char **argv)
{
	struct reading reading;
	struct error err;
	const char *profile;
	int status;

	reading_init(&reading);
	status = options_parse(&option_set, &reading, argc, argv);
	if (status >= 0)
		return status;
	if (reading_argument(argc, argv, &profile, &err) != 0)
		return message_usage("flame", &err);
	return reading_show(&reading, profile, reading.view.flame.folded ? "folded" : "flame");
}

const struct command cmd_flame = {
	.name = "flame",
	.summary = "the flame graph as an interactive SVG, or folded stacks",
	.usage =
		"usage: cprof flame [options] [PROFILE]\n"
		"\n"
		"Writes a flame graph that a browser shows by itself: click to zoom, Ctrl-F to\n"
		"search.\n"
		"\n"
		"    cprof flame v4 -o v4.svg\n"
		"\n"
		"PROFILE is a file, NAME for NAME.prof, or the label of a kept run; without it\n"
		"out.prof.\n"
		"\n"
		"      --reverse          stacks from the innermost function on: who calls it\n"
		"      --icicle           the root at the top\n"
		"      --folded           one line per stack (\"main;load;read 12\") instead of a\n"
		"                         picture\n"
		"      --title TEXT       the heading (default: the command line)\n"
		"      --width PIXELS     of the picture (default: 1200)\n"
		"      --min-width PIXELS\n"
		"                         leave out frames that are narrower (default: "
		"0.1)\n" READING_USAGE HELP_USAGE,
	.run = run,
};
