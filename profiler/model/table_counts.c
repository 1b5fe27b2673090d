/*
 * The table of counts: thread and region, stack, set of metrics; then the values, metric by metric.
 */
#include "model/table.h"

#include <stdlib.h>

/* A row's key: rows are in ascending order of thread, then region, then stack. */
static uint64_t count_who(const struct count *count)
{
	return (uint64_t)count->thread << 1 | count->in_region;
}

static int compare_counts(const void *left, const void *right, void *context)
{
	const struct count *counts = context;
	const struct count *a = &counts[*(const uint32_t *)left];
	const struct count *b = &counts[*(const uint32_t *)right];

	if (count_who(a) != count_who(b))
		return count_who(a) < count_who(b) ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

void table_counts_order(
	struct tables_writer *writer, const struct profile *profile, bool all_counts)
{
	size_t count = all_counts ? profile->counts.count : profile->dirty_counts.count;

	writer->counts.count = 0;
	array_reserve(&writer->counts, count);
	EACH(i, count)
	*array_add(&writer->counts) = all_counts ? i : profile->dirty_counts.items[i];
	if (count > 0)
		qsort_r(writer->counts.items, count, sizeof(uint32_t), compare_counts,
			profile->counts.items);
}

/* Wall is nearly always the sum of its parts: only the difference is stored. */
static uint64_t wall_expected(const struct count *count)
{
	return count->value[METRIC_CPU] + count->value[METRIC_BLOCKED] +
	       count->value[METRIC_RUNNABLE];
}

static uint64_t stored_value(const struct count *count, int metric)
{
	return count->value[metric] - (metric == METRIC_WALL ? wall_expected(count) : 0);
}

static uint32_t stored_set(const struct count *count)
{
	uint32_t set = 0;

	for (int metric = 0; metric < METRIC_COUNT; metric++)
		if (stored_value(count, metric))
			set |= METRIC_BIT(metric);
	return set;
}

static void put_count_keys(
	struct bytes *out, const struct count *counts, const uint32_t *order, size_t count)
{
	uint64_t who = 0, stack = 0;

	EACH(i, count)
	{
		bytes_put_number(out, count_who(&counts[order[i]]) - who);
		who = count_who(&counts[order[i]]);
	}
	who = 0;
	EACH(i, count)
	{
		const struct count *row = &counts[order[i]];

		bytes_put_number(out, row->stack - (count_who(row) == who ? stack : 0));
		who = count_who(row);
		stack = row->stack;
	}
}

static bool put_counts(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct count *counts = profile->counts.items;
	const uint32_t *order = writer->counts.items + writer->next;
	size_t count = table_at_most(writer->counts.count - writer->next, TABLE_ROWS_MAX);

	if (count == 0)
		return false;
	EACH(i, count)
	writer->written.counts += order[i] >= writer->before.counts;
	table_put_head(out, writer->written.counts, count);
	put_count_keys(out, counts, order, count);
	EACH(i, count)
	bytes_put_number(out, stored_set(&counts[order[i]]));
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		EACH(i, count)
		{
			uint64_t value = stored_value(&counts[order[i]], metric);

			if (value && metric == METRIC_WALL)
				bytes_put_signed(out, value);
			else if (value)
				bytes_put_number(out, value);
		}
	writer->next += count;
	return true;
}

/*
 * The index of the row with this key, added when it is new. While the keys of a file only ascend,
 * as those of a compact one do, no table is needed to see that a row is new.
 */
static uint32_t count_row(
	struct tables_reader *reader, thread_id thread, stack_id stack, bool in_region)
{
	struct profile *profile = reader->profile;
	struct count key = {.thread = thread, .stack = stack, .in_region = in_region};
	struct count last = {.thread = reader->last_thread,
		.stack = reader->last_stack,
		.in_region = reader->last_in_region};
	uint64_t who = count_who(&key), last_who = count_who(&last);

	if (who < last_who || (who == last_who && stack <= last.stack))
		return profile_count(profile, thread, stack, in_region) - profile->counts.items;
	reader->last_thread = thread;
	reader->last_stack = stack;
	reader->last_in_region = in_region;
	*array_add(&profile->counts) = key;
	return profile->counts.count - 1;
}

/* Reads the two columns of keys and finds the rows, into reader->rows. */
static void get_count_keys(struct tables_reader *reader, size_t count)
{
	const struct profile *profile = reader->profile;
	uint64_t who = 0, last_who = 0, stack = 0;

	reader->sets.count = 0;
	array_reserve(&reader->sets, count);
	EACH(i, count)
	{
		who += table_get_limited(reader, UINT32_MAX, "a thread that is not there");
		if (who >> 1 == 0 || who >> 1 > profile->threads.threads.count) {
			table_fail(reader, "a thread that is not there");
			return;
		}
		*array_add(&reader->sets) = who;
	}
	reader->rows.count = 0;
	array_reserve(&reader->rows, count);
	EACH(i, count)
	{
		uint64_t step = cursor_number(reader->cursor);

		who = reader->sets.items[i];
		stack = who == last_who ? stack + step : step;
		last_who = who;
		if (step == 0 || stack < step || stack > profile->stacks.items.count) {
			table_fail(reader, "a stack that is not there, or out of order");
			return;
		}
		*array_add(&reader->rows) = count_row(reader, who >> 1, stack, who & 1);
	}
}

static void get_count_values(struct tables_reader *reader, size_t count, unsigned bit)
{
	struct count *counts = reader->profile->counts.items;
	unsigned metric = reader->metric_of[bit];

	EACH(i, count)
	{
		uint64_t value;

		if (!(reader->sets.items[i] >> bit & 1))
			continue;
		value = metric == METRIC_WALL ? (uint64_t)cursor_signed(reader->cursor)
					      : cursor_number(reader->cursor);
		if (metric < METRIC_COUNT)
			counts[reader->rows.items[i]].value[metric] = value;
	}
}

static bool reads_wall(const struct tables_reader *reader)
{
	for (unsigned bit = 0; bit < reader->metric_count; bit++)
		if (reader->metric_of[bit] == METRIC_WALL)
			return true;
	return false;
}

static void get_counts(struct tables_reader *reader)
{
	uint64_t size;
	size_t count = table_get_head(
		reader, 3, sizeof(struct count) + 3 * sizeof(struct hash_slot), &size);
	struct count *counts;
	uint64_t any = 0;

	array_reserve(&reader->profile->counts, reader->profile->counts.count + count);
	get_count_keys(reader, count);
	if (reader->problem)
		return;
	counts = reader->profile->counts.items;
	EACH(i, count)
	{
		uint64_t set = cursor_number(reader->cursor);

		if (reader->metric_count < 64 && set >> reader->metric_count)
			table_fail(reader, "a metric that is not there");
		any |= set;
		reader->sets.items[i] = set;
		memset(counts[reader->rows.items[i]].value, 0, sizeof(counts->value));
	}
	for (unsigned bit = 0; bit < reader->metric_count && !reader->problem; bit++)
		if (any >> bit & 1)
			get_count_values(reader, count, bit);
	if (reads_wall(reader))
		EACH(i, count)
	counts[reader->rows.items[i]].value[METRIC_WALL] +=
		wall_expected(&counts[reader->rows.items[i]]);
	if (size != reader->profile->counts.count)
		table_fail(reader, "rows before it are missing");
}

const struct table table_counts = {"CNTS", put_counts, get_counts};
