#include "base/array.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/reading.h"
#include "model/profile_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct command cmd_diff;

enum { OPTION_MIN_ABS = OPTION_OF_COMMAND, OPTION_MIN_REL };

struct diff_command_options {
	struct reading reading;
	double min_abs; /* in ns where min_abs_is_time, else in what the metric is shown in */
	bool min_abs_is_time;
};

/* One side of the comparison: the repetitions of a run. */
struct side {
	struct profile_argument argument;
	struct profile *profiles; /* one per path; the first `loaded` are initialised */
	size_t loaded;
	char *name; /* for the heading */
};

/* --- options ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	double ns;
} time_units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

/* "2ms", "0.5s", or a bare number in the unit that the table shows. */
static int set_min_abs(struct diff_command_options *options, const char *value, struct error *err)
{
	char *end;
	double number = strtod(value, &end);

	options->min_abs_is_time = *end != '\0';
	options->min_abs = number;
	if (end == value || !isfinite(number) || number < 0)
		goto wrong;
	if (!*end)
		return 0;
	for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
		if (strcmp(end, time_units[i].name) != 0)
			continue;
		options->min_abs = number * time_units[i].ns;
		return 0;
	}
wrong:
	return error_set(
		err, "--min-abs needs a number, with ns, us, ms or s for a time, not '%s'", value);
}

static int set_min_rel(struct diff_command_options *options, const char *value, struct error *err)
{
	size_t length = strcspn(value, "%");
	bool has_sign = strcmp(value + length, "%") == 0;
	char *number = alloc_string_n(value, has_sign ? length : strlen(value));
	double percent;
	int result = option_number("--min-rel", number, 0, INFINITY, &percent, err);

	options->reading.view.diff.min_rel = percent / 100;
	free(number);
	return result;
}

static int set_rows(struct diff_command_options *options, const char *value, struct error *err)
{
	uint64_t rows;

	if (option_count("--rows", value, 0, &rows, err) != 0)
		return -1;
	options->reading.view.diff.rows = rows;
	return 0;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct diff_command_options *options = target;

	switch (option) {
	case 'n':
		return set_rows(options, value, err);
	case OPTION_MIN_ABS:
		return set_min_abs(options, value, err);
	case OPTION_MIN_REL:
		return set_min_rel(options, value, err);
	default:
		return reading_set(&options->reading, option, value, err);
	}
}

static const struct option long_options[] = {
	READING_LONG,
	{"rows", required_argument, NULL, 'n'},
	{"min-abs", required_argument, NULL, OPTION_MIN_ABS},
	{"min-rel", required_argument, NULL, OPTION_MIN_REL},
	{0},
};

static const struct option_set option_set = {
	&cmd_diff, READING_SHORT "n:", long_options, set_option};

/* --- the two sides ---------------------------------------------------------------------------- */

/* "v4", "v4 (2 kept runs of another build or setting left out)" */
static char *side_name(const char *text, const struct profile_argument *argument)
{
	if (argument->left_out == 0)
		return alloc_string(text);
	return alloc_format("%s (%zu kept run%s of another build or setting left out)", text,
		argument->left_out, argument->left_out == 1 ? "" : "s");
}

static int side_load(struct side *side, const char *text, struct error *err)
{
	*side = (struct side){0};
	if (argument_resolve(&side->argument, text, err) != 0)
		return -1;
	side->name = side_name(text, &side->argument);
	side->profiles = alloc_zeroed(side->argument.paths.count, sizeof(*side->profiles));
	for (size_t i = 0; i < side->argument.paths.count; i++) {
		side->loaded++;
		if (profile_load(&side->profiles[i], side->argument.paths.items[i], false, NULL,
			    err) != 0)
			return -1;
	}
	return 0;
}

static void side_release(struct side *side)
{
	for (size_t i = 0; i < side->loaded; i++)
		profile_release(&side->profiles[i]);
	free(side->profiles);
	free(side->name);
	argument_release(&side->argument);
}

/* --min-abs in the metric's own unit, which is known only now. */
static int settle_min_abs(
	struct diff_command_options *options, const struct side *new, struct error *err)
{
	int asked = options->reading.view.selection.metric;
	enum metric metric =
		asked >= 0 ? (enum metric)asked : profile_default_metric(&new->profiles[0]);
	bool metric_is_time = metrics[metric].unit == UNIT_NS;

	if (options->min_abs_is_time && !metric_is_time)
		return error_set(
			err, "--min-abs is a time, but %s are counted", metrics[metric].name);
	options->reading.view.diff.min_abs =
		options->min_abs * (metric_is_time && !options->min_abs_is_time ? 1e9 : 1);
	return 0;
}

static int compare(struct diff_command_options *options, const struct side *base,
	const struct side *new, struct error *err)
{
	size_t count = base->loaded + new->loaded;
	const struct profile **profiles = alloc_zeroed(count, sizeof(*profiles));
	struct diff_options *diff = &options->reading.view.diff;
	int result;

	for (size_t i = 0; i < count; i++)
		profiles[i] =
			i < base->loaded ? &base->profiles[i] : &new->profiles[i - base->loaded];
	diff->base_count = base->loaded;
	diff->base_name = base->name;
	diff->new_name = new->name;
	result = settle_min_abs(options, new, err);
	if (result == 0)
		result = reading_write(&options->reading, "diff", profiles, count, err);
	free(profiles);
	return result;
}

static int run(int argc, char **argv)
{
	struct diff_command_options options = {0};
	struct side base = {0}, new = {0};
	struct error err;
	int status;

	reading_init(&options.reading);
	status = options_parse(&option_set, &options, argc, argv);
	if (status >= 0)
		return status;
	if (argc - optind != 2) {
		error_set(&err, "compares two profiles, not %d: BASE and NEW", argc - optind);
		return message_usage("diff", &err);
	}
	status = EXIT_GOOD;
	if (side_load(&base, argv[optind], &err) != 0 ||
		side_load(&new, argv[optind + 1], &err) != 0 ||
		compare(&options, &base, &new, &err) != 0)
		status = message_failed(&err);
	side_release(&base);
	side_release(&new);
	return status;
}

const struct command cmd_diff = {
	.name = "diff",
	.summary = "what changed between two profiles, function by function",
	.usage = "usage: cprof diff [options] BASE NEW\n"
		 "\n"
		 "Prints time and peak memory of both, then what each function took before and\n"
		 "after.\n"
		 "\n"
		 "    cprof diff v4 v7           two stages\n"
		 "    cprof diff v4~1 v4         the build before and this one\n"
		 "\n"
		 "BASE and NEW are files, NAME for NAME.prof, or labels of kept runs: all\n"
		 "repetitions of the newest such run, or of the one before it (v4~1).\n"
		 "\n"
		 "  -n, --rows N           at most N functions (default: 40); 0: all\n"
		 "      --min-abs CHANGE   list no smaller changes: 5ms, or a bare number of\n"
		 "                         seconds or samples\n"
		 "      --min-rel PERCENT  list no changes that are a smaller part of what "
		 "was\n" READING_USAGE HELP_USAGE,
	.run = run,
};
