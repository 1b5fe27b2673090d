/*
 * table: the table that cProfile users know, as pstats prints it (sort keys, restrictions, callers
 * and callees too). Where nothing counted calls, `samples` with its standard error takes the place
 * of ncalls, and shares that of the times per call.
 */
#include "base/escape.h"
#include "viz/header.h"
#include "viz/totals.h"

#include <inttypes.h>
#include <math.h>
#include <regex.h>
#include <string.h>
#include <time.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct row {
	item_id item;
	const struct cost *cost;
	char *name;	  /* as it is shown, safe for terminals */
	char *function;	  /* the bare name */
	const char *file; /* its base name */
	uint32_t line;
};

struct table {
	const struct measure *measure;
	const struct view_options *options;
	struct call_tree tree;
	struct totals totals;
	ARRAY(struct row) rows;
	ARRAY(char *) notes; /* "List reduced from ..." */
	FILE *out;
};

/* --- sorting ---------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_total(const struct row *a, const struct row *b)
{
	return compare_numbers(b->cost->total, a->cost->total);
}

static int by_self(const struct row *a, const struct row *b)
{
	return compare_numbers(b->cost->self, a->cost->self);
}

static int by_samples(const struct row *a, const struct row *b)
{
	return compare_numbers(b->cost->total_samples, a->cost->total_samples);
}

static int by_file(const struct row *a, const struct row *b)
{
	return strcmp(a->file, b->file);
}

static int by_line(const struct row *a, const struct row *b)
{
	return compare_numbers(a->line, b->line);
}

static int by_name(const struct row *a, const struct row *b)
{
	return strcmp(a->function, b->function);
}

static int by_name_file_line(const struct row *a, const struct row *b)
{
	int result = by_name(a, b);

	if (result == 0)
		result = by_file(a, b);
	return result ? result : by_line(a, b);
}

static int by_standard_name(const struct row *a, const struct row *b)
{
	return strcmp(a->name, b->name);
}

/* pstats' keys and labels, and `samples`. Those of calls compare nothing: none were counted. */
static const struct sort_key {
	const char *name, *label;
	int (*compare)(const struct row *a, const struct row *b);
} sort_keys[] = {
	{"calls", "call count", NULL},
	{"cumtime", "cumulative time", by_total},
	{"cumulative", "cumulative time", by_total},
	{"filename", "file name", by_file},
	{"line", "line number", by_line},
	{"module", "file name", by_file},
	{"name", "function name", by_name},
	{"ncalls", "call count", NULL},
	{"nfl", "name/file/line", by_name_file_line},
	{"pcalls", "primitive call count", NULL},
	{"samples", "samples", by_samples},
	{"stdname", "standard name", by_standard_name},
	{"time", "internal time", by_self},
	{"tottime", "internal time", by_self},
};

static void list_keys(char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(sort_keys); i++) {
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s%s", i ? ", " : "", sort_keys[i].name);
	}
}

/* A whole name, or the beginning of names that all mean the same order. */
static const struct sort_key *find_key(const char *name, struct error *err)
{
	const struct sort_key *found = NULL;
	char known[256];

	list_keys(known, sizeof(known));
	for (size_t i = 0; i < COUNT_OF(sort_keys); i++) {
		const struct sort_key *key = &sort_keys[i];

		if (strcmp(key->name, name) == 0) {
			found = key;
			break;
		}
		if (!name[0] || strncmp(key->name, name, strlen(name)) != 0)
			continue;
		if (found && strcmp(found->label, key->label) != 0) {
			error_set(err, "sort key '%s' could be %s or %s: known keys are %s", name,
				found->name, key->name, known);
			return NULL;
		}
		found = key;
	}
	if (!found)
		error_set(err, "unknown sort key '%s': known keys are %s", name, known);
	return found;
}

struct order {
	const struct sort_key *keys[16];
	size_t count;
};

static int order_init(struct order *order, const struct table_options *options, struct error *err)
{
	static const char *const cumulative[] = {"cumulative"};
	bool is_default = options->sort_key_count == 0;
	const char *const *names = is_default ? cumulative : options->sort_keys;

	order->count = is_default ? 1 : options->sort_key_count;
	if (order->count > COUNT_OF(order->keys))
		return error_set(err, "%zu sort keys are given: at most %zu are used", order->count,
			COUNT_OF(order->keys));
	for (size_t i = 0; i < order->count; i++) {
		order->keys[i] = find_key(names[i], err);
		if (!order->keys[i])
			return -1;
		if (!order->keys[i]->compare)
			return error_set(err,
				"cannot sort by %s: this profile counted no calls, it took "
				"samples: sort by `samples` instead",
				order->keys[i]->name);
	}
	return 0;
}

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	int result = 0;

	for (size_t i = 0; i < order->count && result == 0; i++)
		result = order->keys[i]->compare(a, b);
	return result ? result : by_standard_name(a, b);
}

/* --- rows and restrictions ---------------------------------------------------------------------
 */

/* Base name of the item's file; "~" as in pstats where there is none. */
static const char *file_of(const struct items *items, item_id id, uint32_t *line)
{
	const char *source = items_source(items, id, line);

	return source[0] ? items_base_name(source) : "~";
}

static void add_row(struct table *table, item_id id)
{
	const struct items *items = &table->tree.items;
	const struct cost *cost = &table->totals.of[id];
	char *name;
	struct row *row;

	if (cost->total == 0 && cost->total_samples == 0)
		return;
	row = array_add(&table->rows);
	name = items_name(items, id);
	row->item = id;
	row->cost = cost;
	row->name = escape_text(name);
	row->function = items_short_name(items, id);
	row->file = file_of(items, id, &row->line);
	free(name);
}

static void drop_row(struct row *row)
{
	free(row->name);
	free(row->function);
}

static void shrink(struct table *table, size_t count)
{
	while (table->rows.count > count)
		drop_row(&table->rows.items[--table->rows.count]);
}

/* Keeps the rows whose name the expression finds. */
static int restrict_by_pattern(struct table *table, const char *pattern, struct error *err)
{
	char reason[128];
	size_t kept = 0;
	regex_t regex;
	int failure = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);

	if (failure) {
		regerror(failure, &regex, reason, sizeof(reason));
		return error_set(err, "'%s' is not a regular expression: %s", pattern, reason);
	}
	for (size_t i = 0; i < table->rows.count; i++) {
		struct row *row = &table->rows.items[i];

		if (regexec(&regex, row->name, 0, NULL, 0) == 0)
			table->rows.items[kept++] = *row;
		else
			drop_row(row);
	}
	table->rows.count = kept;
	regfree(&regex);
	return 0;
}

/* pstats': "20" keeps the first 20 rows, "0.5" the first half, other text is searched in names. */
static int restrict_rows(struct table *table, const char *restriction, struct error *err)
{
	size_t before = table->rows.count;
	char *end, *quoted;
	double number = strtod(restriction, &end);
	bool is_number = end != restriction && *end == '\0' && number >= 0;

	if (is_number && strspn(restriction, "0123456789") == strlen(restriction))
		shrink(table, number < (double)before ? (size_t)number : before);
	else if (is_number && number < 1)
		shrink(table, (size_t)((double)before * number + .5));
	else if (restrict_by_pattern(table, restriction, err) != 0)
		return -1;
	if (table->rows.count == before)
		return 0;
	quoted = escape_text(restriction);
	*array_add(&table->notes) = alloc_format("List reduced from %zu to %zu due to restriction "
						 "<%s%s%s>",
		before, table->rows.count, is_number ? "" : "'", quoted, is_number ? "" : "'");
	free(quoted);
	return 0;
}

static int fill_rows(struct table *table, struct error *err)
{
	const struct table_options *options = &table->options->table;
	struct order order;
	char rows[32];

	if (order_init(&order, options, err) != 0)
		return -1;
	for (item_id id = 1; id <= table->totals.item_count; id++)
		add_row(table, id);
	if (table->rows.count)
		qsort_r(table->rows.items, table->rows.count, sizeof(struct row), compare_rows,
			&order);
	for (size_t i = 0; i < options->restriction_count; i++)
		if (restrict_rows(table, options->restrictions[i], err) != 0)
			return -1;
	if (options->rows == 0)
		return 0;
	snprintf(rows, sizeof(rows), "%zu", options->rows);
	return restrict_rows(table, rows, err);
}

/* --- columns ------------------------------------------------------------------------------------
 */

struct cell {
	char text[64];
};

static void print_samples(const struct table *table, const struct cost *cost, struct cell *cell)
{
	double error = totals_standard_error(&table->tree, cost->total_samples);
	int used = snprintf(cell->text, sizeof(cell->text), "%" PRIu64, cost->total_samples);

	if (error > 0)
		snprintf(cell->text + used, sizeof(cell->text) - used, " ±%.0f", ceil(error));
}

static void print_value(const struct table *table, uint64_t value, struct cell *cell)
{
	snprintf(cell->text, sizeof(cell->text), "%.*f",
		measure_unit(table->measure) == UNIT_NS ? 3 : 0,
		measure_number(table->measure, value));
}

static void print_self(const struct table *table, const struct cost *cost, struct cell *cell)
{
	print_value(table, cost->self, cell);
}

static void print_total(const struct table *table, const struct cost *cost, struct cell *cell)
{
	print_value(table, cost->total, cell);
}

static void print_share(const struct table *table, uint64_t value, struct cell *cell)
{
	snprintf(cell->text, sizeof(cell->text), "%.2f",
		measure_percent(value, table->tree.all.total));
}

static void print_self_share(const struct table *table, const struct cost *cost, struct cell *cell)
{
	print_share(table, cost->self, cell);
}

static void print_total_share(const struct table *table, const struct cost *cost, struct cell *cell)
{
	print_share(table, cost->total, cell);
}

static const struct column {
	const char *header;
	size_t width; /* without the space before it; the first is aligned as pstats' ncalls */
	void (*print)(const struct table *table, const struct cost *cost, struct cell *cell);
} table_columns[] = {
	{"samples", 13, print_samples},
	{"tottime", 8, print_self},
	{"%", 8, print_self_share},
	{"cumtime", 8, print_total},
	{"%", 8, print_total_share},
};

static void put_right(FILE *out, const char *text, size_t width)
{
	size_t taken = escape_width(text);

	fprintf(out, "%*s%s", taken < width ? (int)(width - taken) : 0, "", text);
}

/* A name at column `used` of the line, cut where a terminal ends. */
static void put_name(const struct table *table, const char *name, size_t used)
{
	size_t columns = table->options->columns;
	char *fitting = escape_fit(name, columns == 0	       ? 0
					 : columns > used + 20 ? columns - used
							       : 20);

	fprintf(table->out, "%s\n", fitting);
	free(fitting);
}

static const char *name_header(const struct table *table)
{
	static const char *const headers[] = {
		[VIEW_BY_FUNCTION] = "filename:lineno(function)",
		[VIEW_BY_LINE] = "filename:lineno(function)",
		[VIEW_BY_MODULE] = "module",
		[VIEW_BY_THREAD] = "thread (pid/tid)",
		[VIEW_BY_PROCESS] = "process (pid)",
		[VIEW_BY_STACK] = "stack",
	};

	return headers[table->options->selection.by];
}

static void write_rows(const struct table *table)
{
	size_t used = COUNT_OF(table_columns);

	for (size_t i = 0; i < COUNT_OF(table_columns); i++) {
		used += table_columns[i].width;
		put_right(table->out, table_columns[i].header, table_columns[i].width + (i > 0));
	}
	fprintf(table->out, " %s\n", name_header(table));
	for (size_t i = 0; i < table->rows.count; i++) {
		const struct row *row = &table->rows.items[i];

		for (size_t j = 0; j < COUNT_OF(table_columns); j++) {
			struct cell cell;

			table_columns[j].print(table, row->cost, &cell);
			put_right(table->out, cell.text, table_columns[j].width + (j > 0));
		}
		fputc(' ', table->out);
		put_name(table, row->name, used);
	}
	fprintf(table->out, "\n\n");
}

/* --- callers and callees ------------------------------------------------------------------------
 */

struct relative { /* a caller or callee of a row */
	char *name;
	const char *file; /* its base name */
	uint32_t line;
	const struct cost *cost;
};

/* As pstats: by file, line number and name. */
static int compare_relatives(const void *a, const void *b)
{
	const struct relative *left = a, *right = b;
	int result = strcmp(left->file, right->file);

	if (result == 0)
		result = compare_numbers(left->line, right->line);
	return result ? result : strcmp(left->name, right->name);
}

typedef ARRAY(struct relative) relatives;

/* The table's arcs, ordered by the item whose callers or callees they are. */
struct arc_index {
	bool callers;
	const struct arc **arcs;
	size_t count;
};

static item_id arc_owner(const struct arc *arc, bool callers)
{
	return callers ? arc->callee : arc->caller;
}

static int compare_arcs(const void *a, const void *b, void *context)
{
	const bool *callers = context;

	return compare_numbers(arc_owner(*(const struct arc *const *)a, *callers),
		arc_owner(*(const struct arc *const *)b, *callers));
}

static void arc_index_init(struct arc_index *index, const struct totals *totals, bool callers)
{
	index->callers = callers;
	index->count = totals->arcs.count;
	index->arcs = alloc_zeroed(index->count + 1, sizeof(*index->arcs));
	for (size_t i = 0; i < index->count; i++)
		index->arcs[i] = &totals->arcs.items[i];
	qsort_r(index->arcs, index->count, sizeof(*index->arcs), compare_arcs, &callers);
}

/* The first arc of the item, or of one after it. */
static size_t arc_index_find(const struct arc_index *index, item_id item)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (arc_owner(index->arcs[middle], index->callers) < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void collect_relatives(
	const struct table *table, const struct arc_index *index, item_id item, relatives *found)
{
	for (size_t i = arc_index_find(index, item); i < index->count; i++) {
		const struct arc *arc = index->arcs[i];
		item_id other = index->callers ? arc->caller : arc->callee;
		struct relative relative = {.cost = &arc->cost};
		char *name;

		if (arc_owner(arc, index->callers) != item)
			break;
		name = items_name(&table->tree.items, other);
		relative.name = escape_text(name);
		relative.file = file_of(&table->tree.items, other, &relative.line);
		*array_add(found) = relative;
		free(name);
	}
	if (found->count)
		qsort(found->items, found->count, sizeof(struct relative), compare_relatives);
}

static void write_relatives(const struct table *table, const struct arc_index *index,
	const struct row *row, size_t name_width)
{
	relatives found = {0};
	size_t taken = escape_width(row->name);

	collect_relatives(table, index, row->item, &found);
	fprintf(table->out, "%s%*s%s ", row->name,
		taken < name_width ? (int)(name_width - taken) : 0, "",
		index->callers ? "<-" : "->");
	if (found.count == 0)
		fputc('\n', table->out);
	for (size_t i = 0; i < found.count; i++) {
		struct relative *relative = &found.items[i];
		struct cell self, total;

		if (i > 0)
			fprintf(table->out, "%*s", (int)name_width + 1, "");
		print_self(table, relative->cost, &self);
		print_total(table, relative->cost, &total);
		fprintf(table->out, "%*" PRIu64 " %8s %8s  %s\n", i > 0 ? 9 : 7,
			relative->cost->total_samples, self.text, total.text, relative->name);
		free(relative->name);
	}
	array_release(&found);
}

static void write_calls(const struct table *table, bool callers)
{
	struct arc_index index;
	size_t width = 0;

	arc_index_init(&index, &table->totals, callers);
	for (size_t i = 0; i < table->rows.count; i++)
		if (escape_width(table->rows.items[i].name) + 2 > width)
			width = escape_width(table->rows.items[i].name) + 2;
	fprintf(table->out, "%-*s%s\n", (int)width, "Function ",
		callers ? "was called by..." : "called...");
	fprintf(table->out, "%*s   samples  tottime  cumtime\n", (int)width, "");
	for (size_t i = 0; i < table->rows.count; i++)
		write_relatives(table, &index, &table->rows.items[i], width);
	free(index.arcs);
	fprintf(table->out, "\n\n");
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static bool is_code(enum view_by by)
{
	return by == VIEW_BY_FUNCTION || by == VIEW_BY_LINE || by == VIEW_BY_MODULE;
}

static void write_title(const struct table *table)
{
	uint64_t start_ns = table->measure->profile->info.start_unix_ns;
	time_t start = (time_t)(start_ns / 1000000000u);
	const char *source = table->options->source_name;
	char when[32] = "";
	struct tm local;

	if (start_ns && localtime_r(&start, &local))
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &local);
	if (when[0] || source) {
		fprintf(table->out, "%s%s", when, when[0] && source ? "    " : "");
		escape_write(table->out, source ? source : "");
		fprintf(table->out, "\n\n");
	}
}

static void write_summary(const struct table *table)
{
	const struct measure *measure = table->measure;
	const struct cost *all = &table->tree.all;

	fprintf(table->out, "         %" PRIu64 " samples", all->total_samples);
	if (measure_unit(measure) == UNIT_NS)
		fprintf(table->out, " in %.3f seconds (%s)", measure_number(measure, all->total),
			metrics[measure->metric].name);
	fprintf(table->out, "; samples: %s, ± one standard error\n\n",
		is_code(table->options->selection.by) ? "those with the row on the stack"
						      : "those of the row");
}

static void write_order(const struct table *table)
{
	const struct table_options *options = &table->options->table;

	fprintf(table->out, "   Ordered by: ");
	for (size_t i = 0; i < options->sort_key_count; i++)
		fprintf(table->out, "%s%s", i ? ", " : "",
			find_key(options->sort_keys[i], NULL)->label);
	fprintf(table->out, "%s\n", options->sort_key_count ? "" : "cumulative time");
	for (size_t i = 0; i < table->notes.count; i++)
		fprintf(table->out, "   %s\n", table->notes.items[i]);
	fputc('\n', table->out);
}

static void write_table(const struct table *table)
{
	const struct table_options *options = &table->options->table;
	struct header header;

	write_title(table);
	header_init(&header, table->measure);
	header_wrap(&header, table->options->columns > 3 ? table->options->columns - 3 : 0);
	header_write(&header, "   ", table->out);
	header_release(&header);
	fputc('\n', table->out);
	write_summary(table);
	write_order(table);
	if (!options->callers && !options->callees)
		write_rows(table);
	if (options->callers)
		write_calls(table, true);
	if (options->callees)
		write_calls(table, false);
}

static void table_release(struct table *table)
{
	shrink(table, 0);
	array_release(&table->rows);
	for (size_t i = 0; i < table->notes.count; i++)
		free(table->notes.items[i]);
	array_release(&table->notes);
	totals_release(&table->totals);
	call_tree_release(&table->tree);
}

static int table_write(const struct profile *const profiles[], size_t profile_count,
	const struct view_options *options, FILE *out, struct error *err)
{
	bool with_arcs = options->table.callers || options->table.callees;
	struct call_tree_shape shape = {.by = options->selection.by};
	struct table table = {.options = options, .out = out};
	struct measure measure;
	int result;

	(void)profile_count;
	if (with_arcs && !is_code(options->selection.by))
		return error_set(err, "callers and callees are those of functions, lines or "
				      "modules: leave out --by");
	if (measure_init(&measure, &options->selection, profiles[0], err) != 0)
		return -1;
	table.measure = &measure;
	call_tree_build(&table.tree, &measure, &shape);
	totals_build(&table.totals, &table.tree, with_arcs);
	result = fill_rows(&table, err);
	if (result == 0)
		write_table(&table);
	table_release(&table);
	return result;
}

const struct exporter table_exporter = {
	"table", "the table of pstats: functions by their time", "txt", table_write};
