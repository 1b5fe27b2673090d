/*
 * outer_stack: the part of a stack that lies beyond what was copied with its sample.
 *
 * It is read from the process a moment later. That is right as long as the frames at the border
 * still are what they were, since a frame cannot change while the ones within it last: the copy's
 * last bytes are compared with the memory first.
 */
#pragma once

#include "collect/event.h"

#define OUTER_STACK_BYTES (256u << 10) /* read at a time */

struct outer_stack {
	uint32_t pid;
	const struct event_sample *sample; /* borrowed while it is walked */
	bool was_compared, is_same;
	uint64_t address; /* of what was read last */
	size_t count;
	uint8_t bytes[OUTER_STACK_BYTES];
};

/* For the walk of one sample. */
void outer_stack_begin(struct outer_stack *outer, uint32_t pid, const struct event_sample *sample);

/* Eight bytes from beyond the copy; false when they are not to be had, or not to be trusted. */
bool outer_stack_read(struct outer_stack *outer, uint64_t address, uint64_t *value);
