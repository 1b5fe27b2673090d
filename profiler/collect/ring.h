/*
 * ring: the memory in which the kernel leaves the records of one CPU (perf_event_open(2), "MMAP
 * layout"). Records are read in place; only one that wraps around the end is copied.
 *
 *     page 0       struct perf_event_mmap_page: data_head (kernel's), data_tail (ours)
 *     page 1 ...   2^n pages of records, each a struct perf_event_header and its body
 */
#pragma once

#include "base/error.h"

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd;
	struct perf_event_mmap_page *page; /* NULL: closed */
	uint8_t *data;
	size_t data_bytes;     /* a power of two */
	uint64_t head;	       /* how far the kernel had written when last looked at */
	uint64_t tail;	       /* how far we have read */
	uint8_t *wrapped;      /* 64 KiB for the record that wraps */
	uint64_t wrapped_tail; /* which one that is; 0: none (the first never wraps) */
};

/* Maps data_bytes (a power of two) of fd's ring; -1 where so much may not be locked. */
int ring_open(struct ring *ring, int fd, size_t data_bytes, struct error *err);
void ring_close(struct ring *ring);

/* Looks how far the kernel has come, for the calls of ring_peek() that follow. */
void ring_look(struct ring *ring);

/* The next record; NULL when there is none. Valid until ring_skip(). */
const struct perf_event_header *ring_peek(struct ring *ring);

/* Done with the record that ring_peek() gave; the kernel may overwrite it. */
void ring_skip(struct ring *ring, const struct perf_event_header *record);
