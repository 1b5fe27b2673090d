/*
 * timeline: what was added to the counts, in order of time.
 *
 * Each record is one profile_add(): at time_ns, the thread's stack got these values. Recording
 * collects records as bytes and hands them to the file each second; nothing of it stays in memory.
 * Values are kept in units of a microsecond (times) or one (counts), and wall only as its
 * difference from cpu + blocked + runnable, which is nearly always 0. So a sample takes a few
 * bytes:
 *
 *     varint  time since the record before, us
 *     varint  zigzag difference of thread << 1 | region to the one before
 *     varint  zigzag difference of the stack_id to the one before
 *     byte    set of metrics whose value is not 0 (bit per entry of the file's metric list)
 *     varint  a value for each, in the order of the bits; wall's difference zigzag
 */
#pragma once

#include "base/bytes.h"
#include "model/metrics.h"
#include "model/stacks.h"
#include "model/threads.h"

struct timeline_record {
	uint64_t time_ns; /* since the recording began */
	thread_id thread;
	stack_id stack;
	bool in_region;
	uint64_t value[METRIC_COUNT]; /* rounded as above; 0 where the set lacks the metric */
};

/* Records being collected, or being read; each piece of bytes starts afresh from zeros. */
struct timeline {
	struct bytes bytes;
	size_t record_count;
	struct timeline_record last;
};

void timeline_release(struct timeline *timeline);
void timeline_clear(struct timeline *timeline); /* empties, keeps the memory */

/* Appends; time may go back a little, which is stored as no progress. */
void timeline_add(struct timeline *timeline, const struct timeline_record *record);

/*
 * Reads the record at *offset of `bytes` and moves *offset behind it; `record` holds the one before
 * (all zero at first). metric_of maps the bits of the file's set to metrics, METRIC_COUNT for
 * unknown ones. False at the end, or with *damaged set when the bytes make no sense; the numbers of
 * thread and stack are not checked against anything.
 */
bool timeline_read(const uint8_t *bytes, size_t size, size_t *offset, const uint8_t metric_of[8],
	struct timeline_record *record, bool *damaged);
