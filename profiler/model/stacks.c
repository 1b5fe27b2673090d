#include "model/stacks.h"

const struct stack_end_info stack_ends[STACK_END_COUNT] = {
	[STACK_ROOTED] = {"rooted", "reaches main or the thread's start"},
	[STACK_TRUNCATED] = {"truncated", "the copied part of the stack ended first"},
	[STACK_NO_RULE] = {"no rule", "no unwind information for a frame"},
	[STACK_BROKEN] = {"broken", "the next frame made no sense"},
	[STACK_TOO_DEEP] = {"too deep", "more frames than are kept"},
	[STACK_NOT_WALKED] = {"not walked", "no user stack to walk"},
};

void stacks_init(struct stacks *stacks)
{
	*stacks = (struct stacks){0};
	for (int end = STACK_ROOTED; end < STACK_END_COUNT; end++)
		*array_add(&stacks->items) = (struct stack){0};
}

void stacks_release(struct stacks *stacks)
{
	array_release(&stacks->items);
	hash_release(&stacks->table);
}

static bool same_stack(const void *owner, uint32_t id, const void *key)
{
	const struct stack *a = stacks_at(owner, id), *b = key;

	return a->parent == b->parent && a->frame == b->frame;
}

/* A loader fills `items` alone: most profiles that are read are never added to. */
static void index_loaded(struct stacks *stacks)
{
	size_t indexed = stacks->table.count + STACK_END_COUNT - 1; /* the roots never are */

	if (indexed >= stacks->items.count)
		return;
	hash_reserve(&stacks->table, stacks->items.count);
	for (; indexed < stacks->items.count; indexed++) {
		const struct stack *stack = &stacks->items.items[indexed];

		hash_insert(&stacks->table, hash_pair(stack->parent, stack->frame), indexed + 1);
	}
}

stack_id stacks_push(struct stacks *stacks, stack_id parent, frame_id frame)
{
	struct stack key = {.parent = parent, .frame = frame};
	uint64_t hash = hash_pair(parent, frame);
	stack_id id;

	index_loaded(stacks);
	id = hash_find(&stacks->table, hash, same_stack, stacks, &key);
	if (id)
		return id;
	*array_add(&stacks->items) = key;
	id = stacks->items.count;
	hash_insert(&stacks->table, hash, id);
	return id;
}

stack_id stacks_intern(
	struct stacks *stacks, const frame_id *frames, size_t count, enum stack_end end)
{
	stack_id id = count > STACK_DEPTH_MAX ? STACK_TOO_DEEP : end;

	if (count > STACK_DEPTH_MAX)
		count = STACK_DEPTH_MAX;
	while (count > 0)
		id = stacks_push(stacks, id, frames[--count]);
	return id;
}

const struct stack *stacks_at(const struct stacks *stacks, stack_id id)
{
	return &stacks->items.items[id - 1];
}

enum stack_end stacks_end(const struct stacks *stacks, stack_id id)
{
	while (id >= STACK_END_COUNT)
		id = stacks_at(stacks, id)->parent;
	return id;
}

size_t stacks_depth(const struct stacks *stacks, stack_id id)
{
	size_t depth = 0;

	for (; id >= STACK_END_COUNT; id = stacks_at(stacks, id)->parent)
		depth++;
	return depth;
}
