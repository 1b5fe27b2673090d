#include "model/profile_timeline.h"

#define BYTES_PER_CHUNK (4u << 20)

/* Our own timelines have our own metrics, in our order. */
static const uint8_t own_metrics[8] = {0, 1, 2, 3, 4, 5, 6, 7};

/* Moves behind the records that fill a chunk; records cannot be cut anywhere, so they are read. */
static void advance(const struct timeline *timeline, struct timeline_position *position)
{
	size_t start = position->offset;
	bool damaged;

	while (position->offset - start < BYTES_PER_CHUNK &&
		timeline_read(timeline->bytes.items, timeline->bytes.count, &position->offset,
			own_metrics, &position->last, &damaged))
		position->records++;
}

static void put_base(struct bytes *payload, const struct timeline_record *base)
{
	bytes_put_number(payload, base->time_ns / 1000);
	bytes_put_number(payload, (uint64_t)base->thread << 1 | base->in_region);
	bytes_put_number(payload, base->stack);
}

bool timeline_next_payload(
	const struct timeline *timeline, struct timeline_position *position, struct bytes *payload)
{
	struct timeline_position start = *position;

	if (start.offset >= timeline->bytes.count)
		return false;
	if (timeline->bytes.count - start.offset > BYTES_PER_CHUNK) {
		advance(timeline, position);
	} else {
		position->offset = timeline->bytes.count;
		position->records = timeline->record_count;
	}
	payload->count = 0;
	bytes_put_number(payload, position->records - start.records);
	put_base(payload, &start.last);
	bytes_put(payload, timeline->bytes.items + start.offset, position->offset - start.offset);
	return true;
}

uint64_t timeline_payload_records(struct cursor payload)
{
	uint64_t count = cursor_number(&payload);

	return count <= cursor_left(&payload) ? count : 0;
}

static bool get_base(struct cursor *payload, struct timeline_record *base)
{
	uint64_t who;

	*base = (struct timeline_record){0};
	base->time_ns = cursor_number(payload) * 1000;
	who = cursor_number(payload);
	base->thread = who >> 1;
	base->in_region = who & 1;
	base->stack = cursor_number(payload);
	return !payload->damaged;
}

static const char *record_problem(
	const struct timeline_record *record, const struct timeline_limits *limits)
{
	if (record->thread == 0 || record->thread > limits->thread_count)
		return "a record of a thread that is not there";
	if (record->stack == 0 || record->stack > limits->stack_count)
		return "a record of a stack that is not there";
	return NULL;
}

int timeline_visit_payload(struct cursor payload, const struct timeline_limits *limits,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	const char **problem)
{
	uint64_t count = cursor_number(&payload), read = 0;
	struct timeline_record record;
	size_t offset = 0, size;
	bool damaged = !get_base(&payload, &record);
	const uint8_t *bytes = payload.at;

	size = cursor_left(&payload);
	*problem = NULL;
	while (!damaged &&
		timeline_read(bytes, size, &offset, limits->metric_of, &record, &damaged)) {
		int result;

		*problem = record_problem(&record, limits);
		if (*problem)
			return -1;
		result = visit(context, &record);
		if (result != 0)
			return result;
		read++;
	}
	if (damaged || read != count)
		*problem = "its records do not fill it";
	return *problem ? -1 : 0;
}
