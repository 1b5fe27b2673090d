#include "base/array.h"
#include "base/escape.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/runs.h"
#include "viz/measure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern const struct command cmd_list;

struct list_options {
	uint64_t rows; /* 0: all */
};

/* A run and its place among those with its label. */
struct entry {
	const struct run *run;
	size_t group_runs;  /* runs in its group */
	size_t groups_back; /* newer groups with its label */
	bool is_short;	    /* a long label is cut: a reader at a terminal sees it */
};

struct entries {
	ARRAY(struct entry) items;
};

#define LABEL_WIDTH 40 /* longer labels are cut: a label may be a whole command line */

/* --- cells ------------------------------------------------------------------------------------ */

/* What to type as PROFILE. */
static char *profile_cell(const struct entry *entry)
{
	char *safe = escape_text(entry->run->label);
	char *label = escape_fit(safe, entry->is_short ? LABEL_WIDTH : 0), *cell = label;

	if (entry->groups_back > 0) {
		cell = alloc_format("%s~%zu", label, entry->groups_back);
		free(label);
	}
	free(safe);
	return cell;
}

static char *when_cell(const struct entry *entry)
{
	time_t seconds = entry->run->start_unix_ns / 1000000000u;
	struct tm local;
	char text[64];

	if (entry->run->start_unix_ns == 0 || !localtime_r(&seconds, &local))
		return alloc_string("-");
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	return alloc_string(text);
}

static char *elapsed_cell(const struct entry *entry)
{
	return alloc_format("%.3f s", (double)entry->run->elapsed_ns / 1e9);
}

static char *peak_cell(const struct entry *entry)
{
	char text[64];

	if (entry->run->peak_rss_bytes == 0)
		return alloc_string("-");
	return alloc_string(measure_bytes(entry->run->peak_rss_bytes, text, sizeof(text)));
}

static char *samples_cell(const struct entry *entry)
{
	return alloc_format("%" PRIu64, entry->run->samples);
}

static char *runs_cell(const struct entry *entry)
{
	return alloc_format("%zu", entry->group_runs);
}

static char *command_cell(const struct entry *entry)
{
	return escape_text(entry->run->command);
}

struct column {
	const char *header;
	char *(*cell)(const struct entry *entry); /* safe for terminals; caller frees */
	bool is_number;
};

static const struct column columns[] = {
	{"PROFILE", profile_cell, false},
	{"RECORDED", when_cell, false},
	{"ELAPSED", elapsed_cell, true},
	{"PEAK RSS", peak_cell, true},
	{"SAMPLES", samples_cell, true},
	{"RUNS", runs_cell, true},
	{"COMMAND", command_cell, false},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* --- table ------------------------------------------------------------------------------------ */

struct table {
	ARRAY(char *) cells; /* COLUMN_COUNT a row */
	size_t widths[COLUMN_COUNT];
};

static void table_add(struct table *table, size_t column, char *cell)
{
	size_t width = escape_width(cell);

	if (width > table->widths[column])
		table->widths[column] = width;
	*array_add(&table->cells) = cell;
}

static void table_fill(struct table *table, const struct entries *entries)
{
	for (size_t column = 0; column < COLUMN_COUNT; column++)
		table_add(table, column, alloc_string(columns[column].header));
	for (size_t i = 0; i < entries->items.count; i++)
		for (size_t column = 0; column < COLUMN_COUNT; column++)
			table_add(table, column, columns[column].cell(&entries->items.items[i]));
}

/* The last column ends where the line does: line_width, 0 for any. */
static void print_row(const struct table *table, char *const cells[], size_t line_width, FILE *out)
{
	const size_t last = COLUMN_COUNT - 1;
	size_t used = 0;
	char *rest;

	for (size_t i = 0; i < last; i++) {
		int padding = (int)(table->widths[i] - escape_width(cells[i]));

		fprintf(out, "%*s%s%*s  ", columns[i].is_number ? padding : 0, "", cells[i],
			columns[i].is_number ? 0 : padding, "");
		used += table->widths[i] + 2;
	}
	rest = escape_fit(cells[last], line_width > used ? line_width - used : 0);
	fprintf(out, "%s\n", rest);
	free(rest);
}

static void table_release(struct table *table)
{
	for (size_t i = 0; i < table->cells.count; i++)
		free(table->cells.items[i]);
	array_release(&table->cells);
}

static int print_table(struct entries *entries, struct error *err)
{
	struct table table = {0};
	struct output output;
	size_t width;

	if (output_open(&output, NULL, err) != 0)
		return -1;
	width = output_columns(&output);
	for (size_t i = 0; i < entries->items.count; i++)
		entries->items.items[i].is_short = width > 0;
	table_fill(&table, entries);
	for (size_t i = 0; i < table.cells.count; i += COLUMN_COUNT)
		print_row(&table, table.cells.items + i, width, output.file);
	table_release(&table);
	return output_close(&output, err);
}

/* --- entries ---------------------------------------------------------------------------------- */

static bool same_label(const struct run *a, const struct run *b)
{
	return strcmp(a->label, b->label) == 0;
}

/* Counts from the newest run of the label back: runs of a label lie together, oldest first. */
static struct entry entry_of(const struct runs *runs, size_t index)
{
	const struct run *items = runs->items.items, *run = &items[index];
	struct entry entry = {.run = run};
	size_t newest_of_group = index;

	for (size_t i = 0; i < runs->items.count; i++) {
		if (!run_repeats(run, &items[i]))
			continue;
		entry.group_runs++;
		if (i > newest_of_group)
			newest_of_group = i;
	}
	for (size_t i = newest_of_group + 1; i < runs->items.count; i++) {
		bool is_newest = same_label(run, &items[i]);

		for (size_t j = i + 1; j < runs->items.count && is_newest; j++)
			is_newest = !run_repeats(&items[i], &items[j]);
		entry.groups_back += is_newest;
	}
	return entry;
}

static int by_start(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	uint64_t x = one->run->start_unix_ns, y = other->run->start_unix_ns;

	return x < y ? -1 : x > y;
}

static void entries_fill(struct entries *entries, const struct runs *runs, uint64_t rows)
{
	for (size_t i = 0; i < runs->items.count; i++)
		*array_add(&entries->items) = entry_of(runs, i);
	if (entries->items.count > 1)
		qsort(entries->items.items, entries->items.count, sizeof(struct entry), by_start);
	if (rows && entries->items.count > rows) {
		size_t dropped = entries->items.count - rows;

		memmove(entries->items.items, entries->items.items + dropped,
			rows * sizeof(struct entry));
		entries->items.count = rows;
	}
}

static int load_runs(struct runs *runs, int label_count, char **labels, struct error *err)
{
	if (label_count == 0)
		return runs_load(runs, NULL, err);
	for (int i = 0; i < label_count; i++) {
		size_t before = runs->items.count;

		if (runs_load(runs, labels[i], err) != 0)
			return -1;
		if (runs->items.count == before)
			return error_set(err, "no run with the label '%s' is kept in %s", labels[i],
				runs_directory());
	}
	return 0;
}

static int list(const struct list_options *options, int label_count, char **labels)
{
	struct runs runs = {0};
	struct entries entries = {0};
	struct error err;
	int result = load_runs(&runs, label_count, labels, &err);

	if (result == 0 && runs.items.count == 0) {
		message_note("no runs are kept in %s yet: `cprof run PROGRAM` keeps one",
			runs_directory());
	} else if (result == 0) {
		entries_fill(&entries, &runs, options->rows);
		result = print_table(&entries, &err);
	}
	array_release(&entries.items);
	runs_release(&runs);
	return result == 0 ? EXIT_GOOD : message_failed(&err);
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct list_options *options = target;

	if (option != 'n')
		return error_set(err, "option %d is not known here", option);
	return option_count("--rows", value, 1, &options->rows, err);
}

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"rows", required_argument, NULL, 'n'},
	{0},
};

static const struct option_set option_set = {&cmd_list, "hn:", long_options, set_option};

static int run(int argc, char **argv)
{
	struct list_options options = {0};
	int status = options_parse(&option_set, &options, argc, argv);

	if (status >= 0)
		return status;
	return list(&options, argc - optind, argv + optind);
}

const struct command cmd_list = {
	.name = "list",
	.summary = "the kept runs",
	.usage =
		"usage: cprof list [options] [LABEL...]\n"
		"\n"
		"Lists the runs that `cprof run` kept in .cprof/ of this directory (or in\n"
		"CPROF_DIR), the newest last. The first column is what other commands take as\n"
		"PROFILE: a label, with ~1 for the group of repetitions before the newest, ~2 for\n"
		"the one before that.\n"
		"\n"
		"  -n, --rows N           only the newest N\n"
		"  -h, --help             show this help\n",
	.run = run,
};
