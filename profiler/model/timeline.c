#include "model/timeline.h"

void timeline_release(struct timeline *timeline)
{
	array_release(&timeline->bytes);
}

void timeline_clear(struct timeline *timeline)
{
	timeline->bytes.count = timeline->record_count = 0;
	timeline->last = (struct timeline_record){0};
}

static uint64_t granularity(int metric)
{
	return metrics[metric].unit == UNIT_NS ? 1000 : 1;
}

/* The thread and whether it was in a region are one number: both rarely change. */
static int64_t who(const struct timeline_record *record)
{
	return (int64_t)record->thread << 1 | record->in_region;
}

static uint64_t wall_expected(const uint64_t value[METRIC_COUNT])
{
	return value[METRIC_CPU] + value[METRIC_BLOCKED] + value[METRIC_RUNNABLE];
}

/* The values as they are stored: rounded, and of wall what its parts do not explain. */
static void values_to_store(uint64_t stored[METRIC_COUNT], const struct timeline_record *record)
{
	for (int i = 0; i < METRIC_COUNT; i++)
		stored[i] = (record->value[i] + granularity(i) / 2) / granularity(i);
	stored[METRIC_WALL] -= wall_expected(stored);
}

void timeline_add(struct timeline *timeline, const struct timeline_record *record)
{
	struct timeline_record *last = &timeline->last;
	uint64_t time_us = record->time_ns / 1000, last_us = last->time_ns / 1000;
	uint64_t stored[METRIC_COUNT];
	uint8_t set = 0;

	values_to_store(stored, record);
	for (int i = 0; i < METRIC_COUNT; i++)
		if (metrics[i].is_shown && stored[i])
			set |= METRIC_BIT(i);
	bytes_put_number(&timeline->bytes, time_us > last_us ? time_us - last_us : 0);
	bytes_put_signed(&timeline->bytes, who(record) - who(last));
	bytes_put_signed(&timeline->bytes, (int64_t)record->stack - (int64_t)last->stack);
	bytes_put(&timeline->bytes, &set, 1);
	for (int i = 0; i < METRIC_COUNT; i++) {
		if (!(set & METRIC_BIT(i)))
			continue;
		if (i == METRIC_WALL)
			bytes_put_signed(&timeline->bytes, stored[i]);
		else
			bytes_put_number(&timeline->bytes, stored[i]);
	}
	if (time_us > last_us)
		last->time_ns = time_us * 1000;
	last->thread = record->thread;
	last->in_region = record->in_region;
	last->stack = record->stack;
	timeline->record_count++;
}

static void read_values(
	struct cursor *cursor, unsigned set, const uint8_t metric_of[8], uint64_t value[])
{
	bool has_wall = false;

	memset(value, 0, METRIC_COUNT * sizeof(value[0]));
	for (int bit = 0; bit < 8; bit++) {
		int metric = metric_of[bit];

		has_wall |= metric == METRIC_WALL;
		if (!(set & 1u << bit))
			continue;
		if (metric >= METRIC_COUNT)
			cursor_number(cursor);
		else if (metric == METRIC_WALL)
			value[metric] = (uint64_t)cursor_signed(cursor) * granularity(metric);
		else
			value[metric] = cursor_number(cursor) * granularity(metric);
	}
	if (has_wall)
		value[METRIC_WALL] += wall_expected(value);
}

bool timeline_read(const uint8_t *bytes, size_t size, size_t *offset, const uint8_t metric_of[8],
	struct timeline_record *record, bool *damaged)
{
	struct cursor cursor = {.at = bytes + *offset, .end = bytes + size};
	uint64_t thread;
	const uint8_t *set;

	*damaged = false;
	if (*offset >= size)
		return false;
	record->time_ns += cursor_number(&cursor) * 1000;
	thread = (uint64_t)who(record) + (uint64_t)cursor_signed(&cursor);
	record->thread = thread >> 1;
	record->in_region = thread & 1;
	record->stack += (uint32_t)cursor_signed(&cursor);
	set = cursor_take(&cursor, 1);
	read_values(&cursor, set ? *set : 0, metric_of, record->value);
	*offset = cursor.at - bytes;
	*damaged = cursor.damaged;
	return !cursor.damaged;
}
