/*
 * stack_builder: from a sample's registers, stack bytes and kernel addresses to a stack_id.
 */
#pragma once

#include "collect/tasks.h"

struct stack_builder {
	struct profile *profile; /* borrowed */
	uint64_t *ips;
	uint8_t *flags;
	uint64_t *cfas;
	frame_id *frames;
	module_id kernel;    /* 0 until a kernel frame was seen */
	bool was_cut;	     /* the last stack was deeper than its copy */
	uint64_t used_bytes; /* of the stack's copy, by the last stack */
	bool was_guessed;    /* the last stack has a frame that no unwind row covers */
};

void stack_builder_init(struct stack_builder *builder, struct profile *profile);
void stack_builder_release(struct stack_builder *builder);

/* The stack of this sample of the process. */
stack_id stack_builder_build(struct stack_builder *builder, struct live_process *process,
	const struct event_sample *sample);
