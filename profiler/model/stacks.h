/*
 * stacks: every distinct stack once, as a path in a tree.
 *
 * A stack is a node (parent, frame): its frame is the innermost one and its parent the caller's
 * stack. Each path ends in one of a few root nodes without a frame, which says how the walk that
 * found it ended. A parent's number is always lower than its children's, so totals over subtrees
 * take one pass from the highest number down.
 *
 *     id  parent  frame
 *      1     -      -      the roots, one per enum stack_end: 1 = rooted
 *      2     -      -      2 = truncated ...
 *     11     1    _start
 *     12    11    main
 */
#pragma once

#include "base/array.h"
#include "base/hash.h"
#include "model/frames.h"

typedef uint32_t stack_id;

enum stack_end {	  /* how the walk ended; the number is the root node's stack_id */
	STACK_ROOTED = 1, /* at main's or the thread's start */
	STACK_TRUNCATED,  /* the copied part of the stack ended first */
	STACK_NO_RULE,	  /* no unwind row and no frame pointer for the last frame */
	STACK_BROKEN,	  /* the next frame would lie below the last one, or outside any code */
	STACK_TOO_DEEP,	  /* more frames than are kept */
	STACK_NOT_WALKED, /* there were no user registers: kernel-only, or not a stack at all */
	STACK_END_COUNT	  /* one more than the last */
};

struct stack_end_info {
	const char *name; /* "rooted" */
	const char *summary;
};
extern const struct stack_end_info stack_ends[STACK_END_COUNT];

struct stack {
	stack_id parent; /* 0 for the root nodes */
	frame_id frame;	 /* 0 for the root nodes */
};

struct stacks {
	ARRAY(struct stack) items; /* items[id - 1] */
	struct hash table;
};

void stacks_init(struct stacks *stacks); /* with the root nodes */
void stacks_release(struct stacks *stacks);

/* The stack that continues `parent` (a root node or a stack) with one more inner frame. */
stack_id stacks_push(struct stacks *stacks, stack_id parent, frame_id frame);

/* Frames that are kept of a walk; files with stacks of more than twice as many are refused. */
#define STACK_DEPTH_MAX 16384

/*
 * A whole walk: count frames, innermost first, ended as `end`. Of more than STACK_DEPTH_MAX the
 * innermost are kept, as a stack that is too deep.
 */
stack_id stacks_intern(
	struct stacks *stacks, const frame_id *frames, size_t count, enum stack_end end);

const struct stack *stacks_at(const struct stacks *stacks, stack_id id);
enum stack_end stacks_end(const struct stacks *stacks, stack_id id);
size_t stacks_depth(const struct stacks *stacks, stack_id id);
