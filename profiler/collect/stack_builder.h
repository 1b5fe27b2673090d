/*
 * stack_builder: from a sample's registers, stack bytes and kernel addresses to a stack_id.
 */
#pragma once

#include "collect/tasks.h"

struct stack_builder {
	struct profile *profile; /* borrowed */
	uint64_t time_ns;	 /* of the sample: code that is made at run time changes */
	uint64_t *ips, *cfas;
	uint8_t *flags;
	frame_id *frames;
	module_id kernel;	   /* 0 until a kernel frame was seen */
	struct outer_stack *outer; /* what lies beyond a sample's copy */
	size_t inside;		   /* frames of the last walk that its copy alone gave */
	bool was_cut;		   /* the last stack was deeper than its copy */
	bool was_read;		   /* more than the copy was asked for */
	bool was_completed; /* and its outer part could be read from the process all the same */
	bool was_unmapped;  /* the last stack led to an address in no known mapping */
	bool was_restored;  /* or was known from the thread's stack before */
	bool was_32bit;	    /* of the last one only the innermost function is known */
	bool was_guessed;   /* the last stack has a frame that no unwind row covers */
};

void stack_builder_init(struct stack_builder *builder, struct profile *profile);
void stack_builder_release(struct stack_builder *builder);

/* The stack of this sample of the thread. */
stack_id stack_builder_build(struct stack_builder *builder, struct live_thread *thread,
	const struct event_sample *sample);
