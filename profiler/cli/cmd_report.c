#include "base/array.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/reading.h"

#include <string.h>

extern const struct command cmd_report;

enum { OPTION_BY = OPTION_OF_COMMAND, OPTION_CALLERS, OPTION_CALLEES };

struct report_options {
	struct reading reading;
	ARRAY(const char *) sort_keys;
};

static const char *const by_names[] = {
	[VIEW_BY_FUNCTION] = "function",
	[VIEW_BY_LINE] = "line",
	[VIEW_BY_MODULE] = "module",
	[VIEW_BY_THREAD] = "thread",
	[VIEW_BY_PROCESS] = "process",
	[VIEW_BY_STACK] = "stack",
	NULL,
};

static int set_by(struct report_options *options, const char *value, struct error *err)
{
	int by = option_choice("--by", value, by_names, err);

	if (by < 0)
		return -1;
	options->reading.view.selection.by = by;
	return 0;
}

static int set_rows(struct report_options *options, const char *value, struct error *err)
{
	uint64_t rows;

	if (option_count("--rows", value, 1, &rows, err) != 0)
		return -1;
	options->reading.view.table.rows = rows;
	return 0;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct report_options *options = target;

	switch (option) {
	case 's':
		*array_add(&options->sort_keys) = value;
		return 0;
	case 'n':
		return set_rows(options, value, err);
	case OPTION_BY:
		return set_by(options, value, err);
	case OPTION_CALLERS:
		options->reading.view.table.callers = true;
		return 0;
	case OPTION_CALLEES:
		options->reading.view.table.callees = true;
		return 0;
	default:
		return reading_set(&options->reading, option, value, err);
	}
}

static const struct option long_options[] = {
	READING_LONG,
	{"sort", required_argument, NULL, 's'},
	{"rows", required_argument, NULL, 'n'},
	{"by", required_argument, NULL, OPTION_BY},
	{"callers", no_argument, NULL, OPTION_CALLERS},
	{"callees", no_argument, NULL, OPTION_CALLEES},
	{0},
};

static const struct option_set option_set = {
	&cmd_report, READING_SHORT "s:n:", long_options, set_option};

/*
 * The last word is the profile if it is one; otherwise all words are patterns and out.prof is read.
 * Without an out.prof the word was probably meant as a profile, and what it lacks is told.
 */
static const char *take_profile(int *argc, char **argv)
{
	struct profile_argument argument;
	const char *last;
	bool has_default;

	if (*argc == 0)
		return NULL;
	last = argv[*argc - 1];
	has_default = argument_resolve(&argument, DEFAULT_PROFILE, NULL) == 0;
	argument_release(&argument);
	if (has_default && !argument_is_profile(last))
		return NULL;
	--*argc;
	return last;
}

static int run(int argc, char **argv)
{
	struct report_options options = {0};
	const char *profile;
	int status, word_count;
	char **words;

	reading_init(&options.reading);
	status = options_parse(&option_set, &options, argc, argv);
	if (status < 0) {
		struct table_options *table = &options.reading.view.table;

		words = argv + optind;
		word_count = argc - optind;
		profile = take_profile(&word_count, words);
		table->restrictions = (const char *const *)words;
		table->restriction_count = word_count;
		table->sort_keys = options.sort_keys.items;
		table->sort_key_count = options.sort_keys.count;
		status = reading_show(&options.reading, profile, "table");
	}
	array_release(&options.sort_keys);
	return status;
}

const struct command cmd_report = {
	.name = "report",
	.summary = "the table of functions, as cProfile and pstats print it",
	.usage =
		"usage: cprof report [options] [PATTERN...] [PROFILE]\n"
		"\n"
		"Prints where the time went, a row per function: in the function itself (tottime)\n"
		"and with everything that it called (cumtime).\n"
		"\n"
		"PROFILE is a file, NAME for NAME.prof, or the label of a kept run; out.prof when\n"
		"the last word is none of these. Each PATTERN cuts the list down: 10 to ten rows,\n"
		"0.5 to half of them, anything else (a regular expression) to the rows with a\n"
		"matching \"file:line(function)\".\n"
		"\n"
		"  -s, --sort KEY         cumulative (default), time, samples, name, filename,\n"
		"                         line ...; repeat it to order what is equal\n"
		"  -n, --rows N           at most N rows\n"
		"      --by WHAT          a row per function (default), line, module, thread,\n"
		"                         process or stack\n"
		"      --callers          for each function, who called it\n"
		"      --callees          for each function, whom it called\n" READING_USAGE
			HELP_USAGE,
	.run = run,
};
