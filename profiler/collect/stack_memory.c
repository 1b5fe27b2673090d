#include "collect/stack_memory.h"

/* Marks that are further apart lie on different stacks. */
#define GAP_MAX (8u << 20)

void stack_memory_release(struct stack_memory *memory)
{
	array_release(&memory->marks);
}

void stack_memory_clear(struct stack_memory *memory)
{
	stack_memory_release(memory);
	*memory = (struct stack_memory){0};
}

/* The outermost mark at or inside of `cfa`. */
static const struct stack_mark *mark_from(const struct stack_memory *memory, uint64_t cfa)
{
	size_t low = 0, high = memory->marks.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memory->marks.items[middle].cfa > cfa)
			low = middle + 1;
		else
			high = middle;
	}
	return low < memory->marks.count ? &memory->marks.items[low] : NULL;
}

const struct stack_mark *stack_memory_at(const struct stack_memory *memory, uint64_t cfa)
{
	const struct stack_mark *mark = mark_from(memory, cfa);

	return mark && mark->cfa == cfa ? mark : NULL;
}

/* What is outside of the frames that the walk, from `first` outwards, and the stack share; 0: not
 * all.
 */
static stack_id outside_of(const struct stacks *stacks, stack_id stack,
	const struct walked_stack *walked, size_t first)
{
	for (size_t i = first; i < walked->depth; i++) {
		const struct stack *at = stacks_at(stacks, stack);

		if (at->frame != walked->frames[i])
			return 0;
		stack = at->parent;
	}
	return stack;
}

bool stack_mark_agrees(const struct stack_mark *mark, const struct stacks *stacks,
	const struct walked_stack *walked, size_t inner)
{
	return outside_of(stacks, mark->outside, walked, inner) == STACK_ROOTED;
}

const struct stack_mark *stack_memory_find(const struct stack_memory *memory,
	const struct stacks *stacks, const struct walked_stack *walked, size_t *inner)
{
	const struct stack_mark *mark;
	size_t i;

	if (walked->depth < 2)
		return NULL;
	i = walked->depth - 2;
	mark = mark_from(memory, walked->cfas[i]);
	if (!mark)
		return NULL;
	while (i > 0 && walked->cfas[i] > mark->cfa)
		i--;
	if (walked->cfas[i] != mark->cfa || walked->ips[i + 1] != mark->return_address ||
		!outside_of(stacks, mark->outside, walked, i + 1))
		return NULL;
	*inner = i + 1;
	return mark;
}

bool stack_memory_is_trusted(const struct stack_memory *memory)
{
	return memory->wrong_count == 0 || memory->right_count >= STACK_MEMORY_PROOFS;
}

void stack_memory_compared(struct stack_memory *memory, bool was_right)
{
	if (was_right) {
		memory->right_count += memory->right_count < STACK_MEMORY_PROOFS;
		return;
	}
	memory->wrong_count = memory->right_count > 0 ? 1 : memory->wrong_count + 1;
	memory->right_count = 0;
	if (memory->wrong_count >= STACK_MEMORY_ERRORS)
		stack_memory_forget(memory);
}

void stack_memory_leave(struct stack_memory *memory, uint64_t cfa)
{
	size_t *count = &memory->marks.count;

	if (*count > 0 && memory->marks.items[0].cfa < cfa)
		return;
	while (*count > 0 && memory->marks.items[*count - 1].cfa <= cfa)
		(*count)--;
}

void stack_memory_forget(struct stack_memory *memory)
{
	memory->marks.count = 0;
}

static void drop_every_second(struct stack_memory *memory)
{
	for (size_t i = 0; 2 * i < memory->marks.count; i++)
		memory->marks.items[i] = memory->marks.items[2 * i];
	memory->marks.count = (memory->marks.count + 1) / 2;
}

/* How much of the stack one mark is for. */
static uint64_t gap_of(const struct stack_memory *memory, uint64_t innermost_cfa)
{
	return (memory->marks.items[0].cfa - innermost_cfa) / STACK_MEMORY_MARKS;
}

static bool wants(const struct stack_memory *memory, const struct stack_mark *mark,
	uint64_t frame_bytes, uint64_t innermost_cfa)
{
	uint64_t last, gap;

	if (memory->marks.count == 0)
		return true;
	last = memory->marks.items[memory->marks.count - 1].cfa;
	gap = gap_of(memory, innermost_cfa);
	return mark->cfa < last && last - mark->cfa <= GAP_MAX &&
	       (last - mark->cfa >= gap || frame_bytes >= gap);
}

void stack_memory_add(struct stack_memory *memory, struct stack_mark mark, uint64_t frame_bytes,
	uint64_t innermost_cfa)
{
	if (!wants(memory, &mark, frame_bytes, innermost_cfa))
		return;
	if (memory->marks.count == STACK_MEMORY_MARKS)
		drop_every_second(memory);
	*array_add(&memory->marks) = mark;
}
