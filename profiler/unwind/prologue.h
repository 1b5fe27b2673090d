/*
 * prologue: what the first instructions of a function without CFI put on the stack.
 *
 *     push %rbx; push %r12; sub $8, %rsp        3 words below the return address
 *     push %rbp; mov %rsp, %rbp; ...            a frame pointer, which says more
 *
 * Decoded from the function's start, which is known where its return address follows a direct call.
 * And what its last instructions take away again, where nothing else comes before them:
 *
 *     add $24, %rsp; pop %rbx; ret
 */
#pragma once

#include "unwind/walk.h"

struct prologue {
	bool has_frame_pointer;
	uint64_t words;		   /* pushed or made room for, up to ip */
	uint8_t saved_register[8]; /* what the first pushes saved, by DWARF number; of an epilogue
				      what the last pops restore, the very last one first */
	uint8_t saved_count;
};

/*
 * The prologue of the function at `start`, as far as `ip`, which lies in it. False when its code
 * cannot be read.
 */
bool prologue_decode(
	const struct walk_source *source, uint64_t start, uint64_t ip, struct prologue *prologue);

/* How many words the code from `ip` on takes off the stack before it returns, if it does only that.
 */
bool epilogue_decode(const struct walk_source *source, uint64_t ip, struct prologue *epilogue);
