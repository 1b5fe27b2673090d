/*
 * profile_timeline: the timeline as the payloads of chunks (type TIME of cprof-format(5)).
 *
 *     varint  number of records
 *     varint  time, us  \
 *     varint  who        } what the first record is relative to; who is thread << 1 | region
 *     varint  stack     /
 *     -       the records, as in timeline.h
 */
#pragma once

#include "model/timeline.h"

#define TIMELINE_CHUNK_TYPE "TIME"

/* How far a timeline was turned into payloads; all zero at first. */
struct timeline_position {
	size_t offset, records;
	struct timeline_record last;
};

/* The next payload (replaces what was in it), of bounded size; false when there is nothing left. */
bool timeline_next_payload(
	const struct timeline *timeline, struct timeline_position *position, struct bytes *payload);

/* What the records of a file may refer to. */
struct timeline_limits {
	uint8_t metric_of[8];
	uint64_t thread_count, stack_count;
};

/* Reads only how many records a payload has; 0 when it makes no sense. */
uint64_t timeline_payload_records(struct cursor payload);

/*
 * Calls visit for each record; returns the first result that is not 0, or -1 with *problem set when
 * the payload makes no sense.
 */
int timeline_visit_payload(struct cursor payload, const struct timeline_limits *limits,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	const char **problem);
