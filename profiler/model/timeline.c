#include "model/timeline.h"

#include <string.h>

void timeline_release(struct timeline *timeline)
{
	array_release(&timeline->bytes);
}

void timeline_clear(struct timeline *timeline)
{
	timeline->bytes.count = timeline->record_count = 0;
	timeline->last = (struct timeline_record){0};
}

static void put_varint(struct timeline *timeline, uint64_t value)
{
	while (value >= 0x80) {
		*array_add(&timeline->bytes) = value | 0x80;
		value >>= 7;
	}
	*array_add(&timeline->bytes) = value;
}

static void put_difference(struct timeline *timeline, int64_t difference)
{
	put_varint(timeline, (uint64_t)difference << 1 ^ (uint64_t)(difference >> 63));
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

void timeline_add(struct timeline *timeline, const struct timeline_record *record)
{
	struct timeline_record *last = &timeline->last;
	uint64_t time_us = record->time_ns / 1000, last_us = last->time_ns / 1000;
	uint8_t set = 0;

	for (int i = 0; i < METRIC_COUNT; i++)
		if (metrics[i].is_shown && (record->value[i] + granularity(i) / 2) / granularity(i))
			set |= METRIC_BIT(i);
	put_varint(timeline, time_us > last_us ? time_us - last_us : 0);
	put_difference(timeline, who(record) - who(last));
	put_difference(timeline, (int64_t)record->stack - last->stack);
	*array_add(&timeline->bytes) = set;
	for (int i = 0; i < METRIC_COUNT; i++)
		if (set & METRIC_BIT(i))
			put_varint(
				timeline, (record->value[i] + granularity(i) / 2) / granularity(i));
	if (time_us > last_us)
		last->time_ns = time_us * 1000;
	last->thread = record->thread;
	last->in_region = record->in_region;
	last->stack = record->stack;
	timeline->record_count++;
}

struct cursor {
	const uint8_t *bytes;
	size_t size, offset;
	bool damaged;
};

static uint64_t get_varint(struct cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte;

		if (cursor->offset >= cursor->size)
			break;
		byte = cursor->bytes[cursor->offset++];
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	cursor->damaged = true;
	return 0;
}

static int64_t get_difference(struct cursor *cursor)
{
	uint64_t value = get_varint(cursor);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

bool timeline_read(const uint8_t *bytes, size_t size, size_t *offset, const uint8_t metric_of[8],
	struct timeline_record *record, bool *damaged)
{
	struct cursor cursor = {.bytes = bytes, .size = size, .offset = *offset};
	uint64_t thread;
	uint8_t set;

	*damaged = false;
	if (*offset >= size)
		return false;
	record->time_ns += get_varint(&cursor) * 1000;
	thread = (uint64_t)who(record) + (uint64_t)get_difference(&cursor);
	record->thread = thread >> 1;
	record->in_region = thread & 1;
	record->stack += (uint32_t)get_difference(&cursor);
	set = cursor.offset < size ? bytes[cursor.offset++] : 0;
	memset(record->value, 0, sizeof(record->value));
	for (int bit = 0; bit < 8; bit++) {
		uint64_t value;

		if (!(set & 1 << bit))
			continue;
		value = get_varint(&cursor);
		if (metric_of[bit] < METRIC_COUNT)
			record->value[metric_of[bit]] = value * granularity(metric_of[bit]);
	}
	*offset = cursor.offset;
	*damaged = cursor.damaged;
	return !cursor.damaged;
}
