/*
 * outer_stack: what a walk needs of a thread's memory and was not copied with its sample: the part
 * of the stack beyond the copy, or the stack that a signal handler with a stack of its own
 * interrupted.
 *
 * It is read from the process a moment later. That is right as long as the frames at the border
 * still are what they were, since a frame cannot change while the ones within it last. Whether they
 * are is looked at afterwards, so that they also lasted while it was read: the return addresses,
 * and the word below each, in which a function saves its caller's frame pointer or other register
 * first. (Not the frames' other words: local variables change while a function runs.)
 */
#pragma once

#include "collect/event.h"

#define OUTER_STACK_BYTES (256u << 10) /* read at a time */

struct outer_stack {
	uint32_t pid;
	const struct event_sample *sample; /* borrowed while it is walked */
	bool was_read;			   /* something was asked for */
	bool was_beyond;		   /* of that, what a larger copy could have held */
	uint64_t address;		   /* of what was read last */
	size_t count, wanted;
	uint8_t bytes[OUTER_STACK_BYTES];
};

/* For the walk of one sample. */
void outer_stack_begin(struct outer_stack *outer, uint32_t pid, const struct event_sample *sample);

/* Whether the address is likely to lie on the stack that was copied, further out. */
bool outer_stack_is_near(const struct outer_stack *outer, uint64_t address);

/* Eight bytes that the copy does not hold; false when they are not to be had. */
bool outer_stack_read(struct outer_stack *outer, uint64_t address, uint64_t *value);

/* How many frames of the walk (at least one) were found with the copy alone. */
size_t outer_stack_inside(const struct event_sample *sample, const struct walk_result *walk);

/*
 * Whether the frames at the border are what they were: `inside` as above. False also when the copy
 * has no border, as it ends within frame 0.
 */
bool outer_stack_is_unchanged(
	const struct outer_stack *outer, const struct walk_result *walk, size_t inside);

/* Whether more than half of the copy is frame i's own. */
bool outer_stack_is_mostly(
	const struct outer_stack *outer, const struct walk_result *walk, size_t i);
