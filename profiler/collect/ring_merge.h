/*
 * ring_merge: the records of many rings as one stream, in order of time.
 *
 * Within a ring records are in order already (but for a few microseconds), so only the rings' first
 * records are compared: those that have any stand in a heap, the one with the oldest on top. A
 * record may be given out when no ring can still get an older one: the caller says up to which time
 * that is so. Cost per record: log2 of the number of rings.
 *
 *     ring_merge_look(&merge, safe_ns);
 *     while ((record = ring_merge_next(&merge, &ring))) ...
 */
#pragma once

#include "collect/ring.h"

struct ring_merge {
	struct ring *rings; /* borrowed; one that is closed counts as empty */
	size_t ring_count;
	uint64_t safe_ns; /* records older than this may be given out */
	struct ring_waiting *heap;
	size_t heap_count;
	const struct perf_event_header *record; /* given out last: of heap[0]'s ring; NULL: none */
};

void ring_merge_init(struct ring_merge *merge, struct ring *rings, size_t ring_count);
void ring_merge_release(struct ring_merge *merge);

/* Looks at all rings: what is in them now, and is older than safe_ns, will be given out. */
void ring_merge_look(struct ring_merge *merge, uint64_t safe_ns);

/* The oldest record, valid until the next call, and its ring's index; NULL when none is left. */
const struct perf_event_header *ring_merge_next(struct ring_merge *merge, size_t *ring);
