/*
 * stack_memory: what a thread's last stack looked like, so that of the next one only the inner part
 * needs to be there.
 *
 * A mark is the border between a function and its caller, with the stack that begins at the caller:
 *
 *     cfa              return address   outside
 *     7ffd3c7e1d40     55d0c0a011c9     main
 *     7ffd3c7e1910     55d0c0a01160     main;descend;descend;descend ...
 *
 * Outermost first, so cfas fall; of a deep stack about every 256th part, as a copy holds many
 * frames, and each frame that is larger than that. A sample whose copy ends before its stack does
 * shares a frame with the last stack when the outermost mark that the copy reaches is among the
 * sample's own borders, cfa and return address, and the frames further out that the copy holds are
 * those of the mark's stack. What lies outside of it is then taken from the mark.
 *
 * Why that is right: while a frame lives, the frames outside of it do not change. What it does not
 * exclude is that the frame ended since the last sample and the same call was made again, at the
 * same depth, by a caller who was called from elsewhere.
 *
 * So, first, the marks are always those of the thread's last stack: each sample takes away what it
 * has left or has otherwise. Second, whenever the outer part of a stack could be read from the
 * process, it is compared with what the marks would have said. Where the two differ neither is used.
 * A thread whose marks differed once gets nothing from them until they agreed STACK_MEMORY_PROOFS
 * times in a row; differing STACK_MEMORY_ERRORS times in a row they are forgotten.
 *
 * Only threads whose copy was full once, or did not hold all that a walk needed, have marks; at
 * most STACK_MEMORY_MARKS each (6 KiB).
 */
#pragma once

#include "base/array.h"
#include "model/stacks.h"

#include <stdbool.h>

#define STACK_MEMORY_MARKS  256u
#define STACK_MEMORY_PROOFS 100u
#define STACK_MEMORY_ERRORS 8u

struct stack_mark {
	uint64_t cfa, return_address;
	stack_id outside; /* from the caller outwards */
	uint32_t depth;	  /* its frames */
};

struct stack_memory {
	ARRAY(struct stack_mark) marks;
	uint32_t right_count; /* comparisons since the last that differed */
	uint32_t wrong_count; /* those that differed in a row; while right_count grows, the last
				 such number */
	bool is_kept;	      /* the owner's: this thread has marks */
};

/*
 * A walk, innermost frame first. cfas[i] is the border between frame i and its caller, whose ip
 * ips[i + 1] is the return address; the last frame's is not used.
 */
struct walked_stack {
	const uint64_t *ips, *cfas;
	const frame_id *frames;
	size_t depth;
};

void stack_memory_release(struct stack_memory *memory);

/* Forgets everything: the thread runs another program. */
void stack_memory_clear(struct stack_memory *memory);

/*
 * The mark that the walk shares, and in *inner how many of the walk's frames lie inside of it.
 * NULL: none. Borrowed until the memory changes.
 */
const struct stack_mark *stack_memory_find(const struct stack_memory *memory,
	const struct stacks *stacks, const struct walked_stack *walked, size_t *inner);

/* Whether the walk's frames from `inner` outwards are the mark's, to the root. */
bool stack_mark_agrees(const struct stack_mark *mark, const struct stacks *stacks,
	const struct walked_stack *walked, size_t inner);

/* The mark at just this CFA, or NULL. */
const struct stack_mark *stack_memory_at(const struct stack_memory *memory, uint64_t cfa);

/* Whether what was not compared may be taken from the marks. */
bool stack_memory_is_trusted(const struct stack_memory *memory);

/* What a comparison with the process said. */
void stack_memory_compared(struct stack_memory *memory, bool was_right);

/*
 * Forgets the marks inside of `cfa` and at it: all that the thread has left. None when `cfa` lies
 * outside of them all, as on another stack.
 */
void stack_memory_leave(struct stack_memory *memory, uint64_t cfa);

void stack_memory_forget(struct stack_memory *memory); /* all marks */

/*
 * One more, further in than all others: the border of a frame of `frame_bytes`, on a stack that
 * reaches in to `innermost_cfa`.
 */
void stack_memory_add(struct stack_memory *memory, struct stack_mark mark, uint64_t frame_bytes,
	uint64_t innermost_cfa);
