#include "collect/ring_merge.h"

#include "base/alloc.h"
#include "collect/perf_record.h"

#include <stdlib.h>

#define CACHE_LINE     64
#define PREFETCH_BYTES 2048

struct ring_waiting {
	uint64_t time_ns; /* of the ring's next record */
	uint32_t ring;
};

void ring_merge_init(struct ring_merge *merge, struct ring *rings, size_t ring_count)
{
	*merge = (struct ring_merge){.rings = rings, .ring_count = ring_count};
	merge->heap = alloc_zeroed(ring_count, sizeof(*merge->heap));
}

void ring_merge_release(struct ring_merge *merge)
{
	free(merge->heap);
}

static void sift_down(struct ring_merge *merge, size_t at)
{
	struct ring_waiting *heap = merge->heap, moved = heap[at];

	for (size_t child; (child = 2 * at + 1) < merge->heap_count; at = child) {
		if (child + 1 < merge->heap_count && heap[child + 1].time_ns < heap[child].time_ns)
			child++;
		if (moved.time_ns <= heap[child].time_ns)
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

/*
 * What another CPU wrote is not in this one's cache, and a sample's record is some thousand bytes,
 * of which a walk reads the first, the innermost frames, and the size at the end. With many rings
 * there is time to have them brought until it is the record's turn.
 */
static void prefetch_record(const struct perf_event_header *record)
{
	const uint8_t *at = (const uint8_t *)record;
	size_t bytes = record->size < PREFETCH_BYTES ? record->size : PREFETCH_BYTES;

	for (size_t offset = CACHE_LINE; offset < bytes; offset += CACHE_LINE)
		__builtin_prefetch(at + offset);
	__builtin_prefetch(at + record->size - 8);
	__builtin_prefetch(at + record->size); /* the header of the one behind it */
}

/* Gives the last record's room back to the kernel and queues its ring by the next one. */
static void release_record(struct ring_merge *merge)
{
	struct ring *ring = &merge->rings[merge->heap[0].ring];
	const struct perf_event_header *next;

	ring_skip(ring, merge->record);
	merge->record = NULL;
	next = ring_peek(ring);
	if (next) {
		prefetch_record(next);
		merge->heap[0].time_ns = perf_record_time(next);
	} else {
		merge->heap[0] = merge->heap[--merge->heap_count];
	}
	sift_down(merge, 0);
}

void ring_merge_look(struct ring_merge *merge, uint64_t safe_ns)
{
	if (merge->record)
		release_record(merge);
	merge->heap_count = 0;
	merge->safe_ns = safe_ns;
	for (size_t i = 0; i < merge->ring_count; i++) {
		const struct perf_event_header *record;

		if (!merge->rings[i].page)
			continue;
		ring_look(&merge->rings[i]);
		record = ring_peek(&merge->rings[i]);
		if (record)
			merge->heap[merge->heap_count++] =
				(struct ring_waiting){perf_record_time(record), i};
	}
	for (size_t i = merge->heap_count / 2; i-- > 0;)
		sift_down(merge, i);
}

const struct perf_event_header *ring_merge_next(struct ring_merge *merge, size_t *ring)
{
	if (merge->record)
		release_record(merge);
	if (merge->heap_count == 0 || merge->heap[0].time_ns >= merge->safe_ns)
		return NULL;
	*ring = merge->heap[0].ring;
	merge->record = ring_peek(&merge->rings[*ring]);
	return merge->record;
}
