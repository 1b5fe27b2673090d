#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/reading.h"

extern const struct command cmd_tree;

enum {
	OPTION_SHOW_ALL = OPTION_OF_COMMAND,
	OPTION_FLAT,
	OPTION_THRESHOLD,
	OPTION_HIDE,
	OPTION_SHOW,
	OPTION_UNICODE,
	OPTION_NO_UNICODE
};

static int set_threshold(struct tree_options *tree, const char *value, struct error *err)
{
	double percent;

	if (option_number("--threshold", value, 0, 100, &percent, err) != 0)
		return -1;
	tree->threshold = percent / 100;
	return 0;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct reading *reading = target;
	struct tree_options *tree = &reading->view.tree;

	switch (option) {
	case OPTION_SHOW_ALL:
		tree->show_all = true;
		return 0;
	case OPTION_FLAT:
		tree->flat = true;
		return 0;
	case OPTION_THRESHOLD:
		return set_threshold(tree, value, err);
	case OPTION_HIDE:
		tree->hide = value;
		return 0;
	case OPTION_SHOW:
		tree->show = value;
		return 0;
	case OPTION_UNICODE:
	case OPTION_NO_UNICODE:
		tree->unicode = option == OPTION_UNICODE;
		return 0;
	default:
		return reading_set(reading, option, value, err);
	}
}

static const struct option long_options[] = {
	READING_LONG,
	COLOR_LONG,
	{"show-all", no_argument, NULL, OPTION_SHOW_ALL},
	{"flat", no_argument, NULL, OPTION_FLAT},
	{"threshold", required_argument, NULL, OPTION_THRESHOLD},
	{"hide", required_argument, NULL, OPTION_HIDE},
	{"show", required_argument, NULL, OPTION_SHOW},
	{"unicode", no_argument, NULL, OPTION_UNICODE},
	{"no-unicode", no_argument, NULL, OPTION_NO_UNICODE},
	{0},
};

static const struct option_set option_set = {&cmd_tree, READING_SHORT, long_options, set_option};

static int run(int argc, char **argv)
{
	struct reading reading;
	struct error err;
	const char *profile;
	int status;

	reading_init(&reading);
	reading.view.tree.unicode = output_has_unicode();
	status = options_parse(&option_set, &reading, argc, argv);
	if (status >= 0)
		return status;
	if (reading_argument(argc, argv, &profile, &err) != 0)
		return message_usage("tree", &err);
	return reading_show(&reading, profile, "tree");
}

const struct command cmd_tree = {
	.name = "tree",
	.summary = "the tree of calls, as pyinstrument prints it",
	.usage = "usage: cprof tree [options] [PROFILE]\n"
		 "\n"
		 "Prints the calls as a tree with the time under each, the heaviest first. Frames\n"
		 "of libraries are put together in groups.\n"
		 "\n"
		 "PROFILE is a file, NAME for NAME.prof, or the label of a kept run; without it\n"
		 "out.prof.\n"
		 "\n"
		 "      --show-all         the frames of libraries too\n"
		 "      --flat             a list of functions by their own time\n"
		 "      --threshold PERCENT\n"
		 "                         leave out what has less of the whole (default: 1)\n"
		 "      --hide PATTERN     hide frames of files that match, like libraries'\n"
		 "      --show PATTERN     show frames of files that match; stronger than --hide\n"
		 "      --unicode          draw with lines, whatever the locale says\n"
		 "      --no-unicode       draw with ASCII characters\n" COLOR_USAGE READING_USAGE
			 HELP_USAGE,
	.run = run,
};
