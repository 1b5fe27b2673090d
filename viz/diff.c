/*
 * diff: what changed between two groups of runs, function by function.
 *
 * A side's number is the median of its runs. Functions are matched by name, module and the base
 * name of their file, so that a rebuilt program in another directory is compared with itself.
 * Listed first is what changed most by itself, for that is where the cause lies; what calls it
 * changed only in total.
 */
#include "base/escape.h"
#include "viz/header.h"
#include "viz/totals.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum side { BASE, NEW, SIDE_COUNT };

struct spread { /* of a number over the runs of a side */
	double median, lowest, highest;
};

struct change { /* one function; values are medians of a side's runs */
	double self[SIDE_COUNT], total[SIDE_COUNT];
	struct spread self_runs[SIDE_COUNT], total_runs[SIDE_COUNT];
	char *name; /* safe */
	bool is_found[SIDE_COUNT];
};

struct run { /* one profile, read */
	enum side side;
	struct measure measure;
	struct facts facts;
	double *self, *total; /* by key */
	size_t key_count;     /* that the two have room for */
	double all;	      /* the metric over all functions */
};

struct diff {
	const struct view_options *options;
	enum metric metric;
	struct run *runs;
	size_t run_count, side_runs[SIDE_COUNT];
	struct strings keys; /* name, module and file of each function; string_id is the key */
	ARRAY(char *) names; /* by key - 1 */
	ARRAY(struct change) changes;
	size_t small_count; /* changes below the limits */
	FILE *out;
};

/* --- reading the runs ---------------------------------------------------------------------------
 */

/* The metric that is each side's default, or cpu where they differ. */
static int choose_metric(const struct diff *diff, const struct profile *const profiles[])
{
	int asked = diff->options->selection.metric;

	if (asked >= 0)
		return asked;
	asked = profile_default_metric(profiles[0]);
	for (size_t i = 1; i < diff->run_count; i++)
		if ((int)profile_default_metric(profiles[i]) != asked)
			asked = METRIC_CPU;
	return asked;
}

static string_id key_of(struct diff *diff, const struct items *items, item_id item)
{
	uint32_t line;
	const char *file = items_base_name(items_source(items, item, &line));
	char *name = items_short_name(items, item), *whole;
	char *text = alloc_format("%s\n%s\n%s", name, items_module_name(items, item), file);
	string_id key = strings_intern(&diff->keys, text);

	if (key > diff->names.count) {
		whole = items_name(items, item);
		*array_add(&diff->names) = escape_text(whole);
		free(whole);
	}
	free(name);
	free(text);
	return key;
}

static void make_room(struct run *run, size_t key_count)
{
	size_t room = run->key_count;

	if (room >= key_count)
		return;
	while (room < key_count)
		room = room ? room * 2 : 256;
	run->self = alloc_resized(run->self, room, sizeof(double));
	run->total = alloc_resized(run->total, room, sizeof(double));
	for (size_t i = run->key_count; i < room; i++)
		run->self[i] = run->total[i] = 0;
	run->key_count = room;
}

/* Functions that differ in nothing that is matched are one: their own costs add up. Their totals
 * may overlap, so that the greater one is the least that is true. */
static void read_run(struct diff *diff, struct run *run)
{
	enum view_by by = diff->options->selection.by;
	struct call_tree_shape shape = {
		.by = by == VIEW_BY_LINE || by == VIEW_BY_MODULE ? by : VIEW_BY_FUNCTION};
	struct call_tree tree;
	struct totals totals;

	call_tree_build(&tree, &run->measure, &shape);
	totals_build(&totals, &tree, false);
	for (item_id item = 1; item <= totals.item_count; item++) {
		const struct cost *cost = &totals.of[item];
		string_id key;

		if (cost->total == 0)
			continue;
		key = key_of(diff, &tree.items, item);
		make_room(run, key);
		run->self[key - 1] += (double)cost->self;
		run->total[key - 1] = fmax(run->total[key - 1], (double)cost->total);
	}
	run->all = (double)tree.all.total;
	run->facts = facts_of(&run->measure);
	totals_release(&totals);
	call_tree_release(&tree);
}

static int read_runs(struct diff *diff, const struct profile *const profiles[], struct error *err)
{
	struct view_selection selection = diff->options->selection;

	selection.metric = choose_metric(diff, profiles);
	diff->metric = selection.metric;
	for (size_t i = 0; i < diff->run_count; i++) {
		struct run *run = &diff->runs[i];

		run->side = i < diff->options->diff.base_count ? BASE : NEW;
		diff->side_runs[run->side]++;
		if (measure_init(&run->measure, &selection, profiles[i], err) != 0)
			return error_prefix(
				err, "the %s profile", run->side == BASE ? "first" : "second");
		read_run(diff, run);
	}
	return 0;
}

/* --- medians ------------------------------------------------------------------------------------
 */

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Over the runs of a side, of the number that `get` takes from each. */
static struct spread spread_of(const struct diff *diff, enum side side,
	double (*get)(const struct run *run, const void *context), const void *context)
{
	double *values = alloc_zeroed(diff->run_count, sizeof(*values));
	struct spread spread;
	size_t count = 0;

	for (size_t i = 0; i < diff->run_count; i++)
		if (diff->runs[i].side == side)
			values[count++] = get(&diff->runs[i], context);
	spread.median = median(values, count);
	spread.lowest = values[0];
	spread.highest = values[count - 1];
	free(values);
	return spread;
}

static double self_of(const struct run *run, const void *context)
{
	string_id key = *(const string_id *)context;

	return key <= run->key_count ? run->self[key - 1] : 0;
}

static double total_of(const struct run *run, const void *context)
{
	string_id key = *(const string_id *)context;

	return key <= run->key_count ? run->total[key - 1] : 0;
}

static struct change change_of(const struct diff *diff, string_id key)
{
	struct change change = {.name = diff->names.items[key - 1]};

	for (int side = BASE; side < SIDE_COUNT; side++) {
		change.self_runs[side] = spread_of(diff, side, self_of, &key);
		change.total_runs[side] = spread_of(diff, side, total_of, &key);
		change.self[side] = change.self_runs[side].median;
		change.total[side] = change.total_runs[side].median;
		change.is_found[side] = change.total_runs[side].highest > 0;
	}
	return change;
}

static double self_change(const struct change *change)
{
	return change->self[NEW] - change->self[BASE];
}

static double total_change(const struct change *change)
{
	return change->total[NEW] - change->total[BASE];
}

static bool is_below_limits(const struct diff_options *options, const double value[SIDE_COUNT])
{
	double size = fabs(value[NEW] - value[BASE]);

	return size == 0 || size < options->min_abs || size < options->min_rel * value[BASE];
}

static int compare_changes(const void *a, const void *b)
{
	const struct change *left = a, *right = b;
	double by_self = fabs(self_change(right)) - fabs(self_change(left));
	double by_total = fabs(total_change(right)) - fabs(total_change(left));

	if (by_self != 0)
		return by_self < 0 ? -1 : 1;
	if (by_total != 0)
		return by_total < 0 ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void find_changes(struct diff *diff)
{
	const struct diff_options *options = &diff->options->diff;

	for (string_id key = 1; key <= diff->names.count; key++) {
		struct change change = change_of(diff, key);

		if (is_below_limits(options, change.self) && is_below_limits(options, change.total))
			diff->small_count++;
		else
			*array_add(&diff->changes) = change;
	}
	if (diff->changes.count)
		qsort(diff->changes.items, diff->changes.count, sizeof(struct change),
			compare_changes);
}

/* --- the two sides ------------------------------------------------------------------------------
 */

enum fact_unit { FACT_SECONDS, FACT_BYTES, FACT_COUNT, FACT_PERCENT };

static double get_elapsed(const struct run *run, const void *context)
{
	(void)context;
	return (double)run->measure.profile->info.elapsed_ns / 1e9;
}

static double get_cpu(const struct run *run, const void *context)
{
	(void)context;
	return (double)run->facts.cpu_ns / 1e9;
}

static double get_peak(const struct run *run, const void *context)
{
	(void)context;
	return (double)run->measure.profile->info.peak_rss_bytes;
}

static double get_all(const struct run *run, const void *context)
{
	(void)context;
	return run->all / 1e9;
}

static double get_samples(const struct run *run, const void *context)
{
	(void)context;
	return (double)run->facts.samples;
}

static double get_rate(const struct run *run, const void *context)
{
	(void)context;
	return run->facts.rate_hz;
}

static double get_lost(const struct run *run, const void *context)
{
	(void)context;
	return (double)run->measure.profile->info.lost;
}

static double get_throttled(const struct run *run, const void *context)
{
	(void)context;
	return (double)run->measure.profile->info.throttled;
}

static double get_rooted(const struct run *run, const void *context)
{
	(void)context;
	return measure_percent(run->facts.by_end[STACK_ROOTED], run->facts.samples);
}

static double get_unnamed(const struct run *run, const void *context)
{
	(void)context;
	return measure_percent(run->facts.unnamed, run->facts.samples);
}

static double get_not_sampled(const struct run *run, const void *context)
{
	(void)context;
	return measure_percent(run->facts.not_sampled_ns, run->facts.cpu_ns);
}

static const struct fact_row {
	const char *name;
	enum fact_unit unit;
	bool is_compared; /* a result, not a quality of the recording */
	bool is_of_region;
	double (*get)(const struct run *run, const void *context);
} fact_rows[] = {
	{"elapsed", FACT_SECONDS, true, false, get_elapsed},
	{"CPU time", FACT_SECONDS, true, false, get_cpu},
	{"in the regions", FACT_SECONDS, true, true, get_all},
	{"peak memory (RSS)", FACT_BYTES, true, false, get_peak},
	{"samples", FACT_COUNT, false, false, get_samples},
	{"samples a CPU second", FACT_COUNT, false, false, get_rate},
	{"lost records", FACT_COUNT, false, false, get_lost},
	{"throttled", FACT_COUNT, false, false, get_throttled},
	{"stacks that reach main", FACT_PERCENT, false, false, get_rooted},
	{"ends without a symbol", FACT_PERCENT, false, false, get_unnamed},
	{"CPU time not sampled", FACT_PERCENT, false, false, get_not_sampled},
};

static char *fact_text(enum fact_unit unit, double value, char *text, size_t size)
{
	switch (unit) {
	case FACT_SECONDS:
		snprintf(text, size, "%.3f s", value);
		break;
	case FACT_BYTES:
		measure_bytes((uint64_t)fabs(value), text, size);
		break;
	case FACT_COUNT:
		snprintf(text, size, "%.0f", value);
		break;
	case FACT_PERCENT:
		snprintf(text, size, "%.1f %%", value);
		break;
	}
	return text;
}

/* Of nothing before there is no ratio. */
static void put_ratio(const struct diff *diff, double before, double after)
{
	if (before > 0)
		fprintf(diff->out, " %+8.1f%%", (after - before) / before * 100);
	else
		fprintf(diff->out, " %9s", "-");
}

/* "0.101 to 0.108 s" where there were several runs. */
static void put_spread(const struct diff *diff, enum fact_unit unit, const struct spread *spread)
{
	char low[32], high[32];

	fprintf(diff->out, "%s to %s", fact_text(unit, spread->lowest, low, sizeof(low)),
		fact_text(unit, spread->highest, high, sizeof(high)));
}

static void put_fact(const struct diff *diff, const struct fact_row *row)
{
	struct spread base = spread_of(diff, BASE, row->get, NULL);
	struct spread new = spread_of(diff, NEW, row->get, NULL);
	bool is_known = row->unit != FACT_BYTES || (base.lowest > 0 && new.lowest > 0);
	char text[32];

	if (row->is_of_region && !diff->options->selection.region_only)
		return;
	fprintf(diff->out, "   %-22s %12s", row->name,
		is_known ? fact_text(row->unit, base.median, text, sizeof(text)) : "-");
	fprintf(diff->out, " %12s",
		is_known ? fact_text(row->unit, new.median, text, sizeof(text)) : "-");
	if (row->is_compared && is_known) {
		text[0] = new.median < base.median ? '-' : '+';
		fact_text(row->unit, fabs(new.median - base.median), text + 1, sizeof(text) - 1);
		fprintf(diff->out, " %13s", text);
		put_ratio(diff, base.median, new.median);
		if (diff->run_count > SIDE_COUNT) {
			fputs("   runs: ", diff->out);
			put_spread(diff, row->unit, &base);
			fputs(" | ", diff->out);
			put_spread(diff, row->unit, &new);
		}
	}
	fputc('\n', diff->out);
}

static const struct profile *first_of(const struct diff *diff, enum side side)
{
	return diff->runs[side == BASE ? 0 : diff->side_runs[BASE]].measure.profile;
}

static void put_string(
	const struct diff *diff, const char *before, const struct profile *profile, string_id id)
{
	if (!id)
		return;
	fputs(before, diff->out);
	escape_write(diff->out, strings_get(&profile->strings, id));
}

/* "before  v4: 3 runs of ./segment v4 on debian, perf: task-clock, 999 Hz asked" */
static void put_side(const struct diff *diff, enum side side, const char *title, const char *name)
{
	const struct profile *profile = first_of(diff, side);
	const struct profile_info *info = &profile->info;

	fprintf(diff->out, "%-8s", title);
	if (name) {
		escape_write(diff->out, name);
		fputs(": ", diff->out);
	}
	fprintf(diff->out, "%zu run%s of ", diff->side_runs[side],
		diff->side_runs[side] == 1 ? "" : "s");
	put_string(diff, "", profile, info->command);
	put_string(diff, " on ", profile, info->host);
	put_string(diff, ", ", profile, info->backend);
	put_string(diff, ": ", profile, info->event);
	fprintf(diff->out, ", %" PRIu64 " Hz asked\n", info->rate_asked_hz);
}

static bool was_cut_off(const struct diff *diff)
{
	for (size_t i = 0; i < diff->run_count; i++)
		if (diff->runs[i].measure.profile->info.is_incomplete)
			return true;
	return false;
}

/* How far the differences can be trusted; no more is claimed than what is computed. */
static void put_caution(const struct diff *diff)
{
	bool is_single = diff->side_runs[BASE] == 1 || diff->side_runs[NEW] == 1;

	if (was_cut_off(diff))
		fputs("warning: a recording was cut off, its end is missing\n", diff->out);
	fputs(is_single ? "One run of a side says nothing of how much runs differ by themselves: "
			  "record each several times.\n"
			: "Numbers are medians. `~`: the runs of the two sides overlap, the change "
			  "may "
			  "be chance.\n",
		diff->out);
}

static void put_sides(const struct diff *diff)
{
	const struct diff_options *options = &diff->options->diff;
	const struct measure *measure = &diff->runs[0].measure;

	put_side(diff, BASE, "before", options->base_name);
	put_side(diff, NEW, "after", options->new_name);
	fprintf(diff->out, "Functions are compared by %s%s.\n\n", measure_title(measure),
		measure->region_only ? ", only in the regions marked with cprof_start/cprof_stop"
				     : "");
	fprintf(diff->out, "   %-22s %12s %12s %13s %9s\n", "", "before", "after", "change", "");
	for (size_t i = 0; i < sizeof(fact_rows) / sizeof(fact_rows[0]); i++)
		put_fact(diff, &fact_rows[i]);
	fputc('\n', diff->out);
	put_caution(diff);
}

/* --- the functions ------------------------------------------------------------------------------
 */

static double shown_number(const struct diff *diff, double value)
{
	return metrics[diff->metric].unit == UNIT_NS ? value / 1e9 : value;
}

static void put_values(const struct diff *diff, const double value[SIDE_COUNT])
{
	int decimals = metrics[diff->metric].unit == UNIT_NS ? 3 : 0;

	fprintf(diff->out, " %8.*f %8.*f %+8.*f", decimals, shown_number(diff, value[BASE]),
		decimals, shown_number(diff, value[NEW]), decimals,
		shown_number(diff, value[NEW] - value[BASE]));
	put_ratio(diff, value[BASE], value[NEW]);
}

static bool overlap(const struct spread runs[SIDE_COUNT])
{
	return runs[BASE].lowest <= runs[NEW].highest && runs[NEW].lowest <= runs[BASE].highest;
}

static const char *mark_of(const struct diff *diff, const struct change *change)
{
	bool by_self = self_change(change) != 0;

	if (!change->is_found[BASE])
		return "NEW";
	if (!change->is_found[NEW])
		return "GONE";
	if (diff->side_runs[BASE] == 1 || diff->side_runs[NEW] == 1)
		return "";
	return overlap(by_self ? change->self_runs : change->total_runs) ? "~" : "";
}

static void put_change(const struct diff *diff, const struct change *change)
{
	size_t columns = diff->options->columns, used = 81;
	bool grew =
		self_change(change) > 0 || (self_change(change) == 0 && total_change(change) > 0);
	char *name = escape_fit(change->name, columns == 0	    ? 0
					      : columns > used + 20 ? columns - used
								    : 20);

	if (diff->options->color)
		fputs(grew ? "\033[31m" : "\033[32m", diff->out);
	put_values(diff, change->self);
	fputs("  ", diff->out);
	put_values(diff, change->total);
	fprintf(diff->out, "  %-4s %s%s\n", mark_of(diff, change), name,
		diff->options->color ? "\033[0m" : "");
	free(name);
}

static void put_changes(const struct diff *diff)
{
	size_t rows = diff->options->diff.rows, count = diff->changes.count;

	if (rows == 0 || rows > count)
		rows = count;
	fprintf(diff->out, "\n %-36s  %-36s\n", "----- in the function itself -----",
		"----- with what it calls -----");
	for (int i = 0; i < 2; i++)
		fprintf(diff->out, "%s %8s %8s %8s %9s", i ? "  " : "", "before", "after", "change",
			"");
	fprintf(diff->out, "       function\n");
	for (size_t i = 0; i < rows; i++)
		put_change(diff, &diff->changes.items[i]);
	if (rows < count)
		fprintf(diff->out, "\n%zu more function%s changed: --rows shows more of them\n",
			count - rows, count - rows == 1 ? "" : "s");
	if (diff->small_count)
		fprintf(diff->out,
			"\n%zu function%s did not change, or less than --min-abs and --min-rel ask "
			"for\n",
			diff->small_count, diff->small_count == 1 ? "" : "s");
}

static void diff_release(struct diff *diff)
{
	for (size_t i = 0; i < diff->run_count; i++) {
		free(diff->runs[i].self);
		free(diff->runs[i].total);
	}
	free(diff->runs);
	for (size_t i = 0; i < diff->names.count; i++)
		free(diff->names.items[i]);
	array_release(&diff->names);
	array_release(&diff->changes);
	strings_release(&diff->keys);
}

static int diff_write(const struct profile *const profiles[], size_t profile_count,
	const struct view_options *options, FILE *out, struct error *err)
{
	struct diff diff = {.options = options, .run_count = profile_count, .out = out};
	int result;

	if (options->diff.base_count == 0 || options->diff.base_count >= profile_count)
		return error_set(err, "a comparison needs a profile on each side");
	diff.runs = alloc_zeroed(profile_count, sizeof(*diff.runs));
	result = read_runs(&diff, profiles, err);
	if (result == 0) {
		find_changes(&diff);
		put_sides(&diff);
		put_changes(&diff);
	}
	diff_release(&diff);
	return result;
}

const struct exporter diff_exporter = {
	"diff", "what changed between two groups of runs", "txt", diff_write};
