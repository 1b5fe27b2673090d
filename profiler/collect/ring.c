#include "collect/ring.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORD_MAX 65536 /* perf_event_header.size has 16 bits */

int ring_open(struct ring *ring, int fd, size_t data_bytes, struct error *err)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE);
	void *memory;

	*ring = (struct ring){.fd = fd};
	memory = mmap(NULL, page_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return error_set_errno(err,
			"cannot map %zu KiB of ring buffer: raise it with "
			"`sysctl kernel.perf_event_mlock_kb=2048` or `ulimit -l`",
			data_bytes / 1024);
	ring->page = memory;
	ring->data = (uint8_t *)memory + page_bytes;
	ring->data_bytes = data_bytes;
	ring->wrapped = alloc_bytes(RECORD_MAX);
	return 0;
}

void ring_close(struct ring *ring)
{
	if (ring->page)
		munmap(ring->page, sysconf(_SC_PAGESIZE) + ring->data_bytes);
	free(ring->wrapped);
	*ring = (struct ring){.fd = -1};
}

void ring_look(struct ring *ring)
{
	ring->head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
}

const struct perf_event_header *ring_peek(struct ring *ring)
{
	size_t start = ring->tail & (ring->data_bytes - 1);
	const struct perf_event_header *record = (const void *)(ring->data + start);
	size_t to_end = ring->data_bytes - start;

	if (ring->tail == ring->head)
		return NULL;
	/* Records are multiples of 8 bytes, so a header never wraps. */
	if (record->size <= to_end)
		return record;
	if (ring->wrapped_tail != ring->tail) {
		memcpy(ring->wrapped, record, to_end);
		memcpy(ring->wrapped + to_end, ring->data, record->size - to_end);
		ring->wrapped_tail = ring->tail;
	}
	return (const void *)ring->wrapped;
}

void ring_skip(struct ring *ring, const struct perf_event_header *record)
{
	ring->tail += record->size;
	__atomic_store_n(&ring->page->data_tail, ring->tail, __ATOMIC_RELEASE);
}
