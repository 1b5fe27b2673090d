/* What a thread's last stack tells of the next one: frames are numbers, each return address is its
 * frame's number times 16. */
#include "collect/stack_memory.h"

#include <check.h>

enum { DEPTH = 2000, FRAME_BYTES = 64, TOP = 0x7fff0000 };

static struct stacks stacks;
static struct stack_memory memory;
static uint64_t ips[DEPTH], cfas[DEPTH];
static frame_id frames[DEPTH];

static void start(void)
{
	stacks_init(&stacks);
	memory = (struct stack_memory){0};
}

static void finish(void)
{
	stacks_release(&stacks);
	stack_memory_release(&memory);
}

/* main (1), then `second`, then 3, 3, 3 ...: `depth` frames of so many bytes. */
static struct walked_stack walk_of(frame_id second, size_t depth, uint64_t frame_bytes)
{
	for (size_t i = 0; i < depth; i++) {
		size_t level = depth - 1 - i;

		frames[i] = level == 0 ? 1 : level == 1 ? second : 3;
		ips[i] = 16 * frames[i];
		cfas[i] = TOP - level * frame_bytes;
	}
	return (struct walked_stack){ips, cfas, frames, depth};
}

/* As stack_builder does; the last stack is the walk. */
static stack_id remember(const struct walked_stack *walk, uint64_t frame_bytes)
{
	stack_id stack = STACK_ROOTED;
	uint32_t depth = 0;

	stack_memory_forget(&memory);
	for (size_t i = walk->depth; i-- > 0;) {
		stack = stacks_push(&stacks, stack, walk->frames[i]);
		depth++;
		if (i > 0)
			stack_memory_add(&memory,
				(struct stack_mark){walk->cfas[i - 1], walk->ips[i], stack, depth},
				frame_bytes, walk->cfas[0]);
	}
	return stack;
}

static struct walked_stack inner_part(struct walked_stack walk, size_t depth)
{
	walk.depth = depth;
	return walk;
}

START_TEST(a_shared_frame_gives_the_rest)
{
	struct walked_stack walk = walk_of(2, DEPTH, FRAME_BYTES), part;
	const struct stack_mark *mark;
	size_t inner;

	remember(&walk, FRAME_BYTES);
	for (size_t left = 100; left <= DEPTH; left += 100) {
		part = inner_part(walk, left);
		mark = stack_memory_find(&memory, &stacks, &part, &inner);
		ck_assert_ptr_nonnull(mark);
		ck_assert_uint_lt(inner, left);
		ck_assert_uint_gt(inner + 100, left);
		ck_assert_uint_eq(mark->depth + inner, DEPTH);
		ck_assert_uint_eq(stacks_depth(&stacks, mark->outside), mark->depth);
		ck_assert_int_eq(stacks_end(&stacks, mark->outside), STACK_ROOTED);
	}
}
END_TEST

/* Of a stack that went deeper, or came back a little, the outer part is the same. */
START_TEST(a_stack_may_grow_and_shrink)
{
	struct walked_stack walk = walk_of(2, DEPTH - 500, FRAME_BYTES), part;
	const struct stack_mark *mark;
	size_t inner;

	remember(&walk, FRAME_BYTES);
	walk = walk_of(2, DEPTH, FRAME_BYTES);
	part = inner_part(walk, 600);
	mark = stack_memory_find(&memory, &stacks, &part, &inner);
	ck_assert_ptr_nonnull(mark);
	ck_assert_uint_eq(mark->depth + inner, DEPTH);
	walk = walk_of(2, DEPTH - 1000, FRAME_BYTES);
	part = inner_part(walk, 100);
	stack_memory_leave(&memory, walk.cfas[0] - 8);
	mark = stack_memory_find(&memory, &stacks, &part, &inner);
	ck_assert_ptr_nonnull(mark);
	ck_assert_uint_eq(mark->depth + inner, DEPTH - 1000);
}
END_TEST

START_TEST(what_is_not_shared_gives_nothing)
{
	struct walked_stack walk = walk_of(2, DEPTH, FRAME_BYTES), part;
	size_t inner;

	ck_assert_ptr_null(stack_memory_find(&memory, &stacks, &walk, &inner));
	remember(&walk, FRAME_BYTES);
	for (size_t i = 400; i < DEPTH; i++) /* returns to elsewhere */
		ips[i]++;
	part = inner_part(walk, 500);
	ck_assert_ptr_null(stack_memory_find(&memory, &stacks, &part, &inner));
	walk = walk_of(2, DEPTH, FRAME_BYTES);
	for (size_t i = 0; i < DEPTH; i++) /* lies elsewhere */
		cfas[i] -= 16;
	part = inner_part(walk, 500);
	ck_assert_ptr_null(stack_memory_find(&memory, &stacks, &part, &inner));
	walk = walk_of(2, DEPTH, FRAME_BYTES);
	frames[499] = 7; /* the same border, but a frame beyond it is another */
	part = inner_part(walk, 500);
	ck_assert_ptr_null(stack_memory_find(&memory, &stacks, &part, &inner));
}
END_TEST

START_TEST(what_a_thread_has_left_is_forgotten)
{
	struct walked_stack walk = walk_of(2, DEPTH, FRAME_BYTES), part = inner_part(walk, 500);
	size_t inner;

	remember(&walk, FRAME_BYTES);
	ck_assert_ptr_nonnull(stack_memory_find(&memory, &stacks, &part, &inner));
	stack_memory_leave(&memory, walk.cfas[DEPTH - 10]);
	ck_assert_ptr_null(stack_memory_find(&memory, &stacks, &part, &inner));
	ck_assert_uint_ge(memory.marks.count, 1);
	stack_memory_leave(&memory, UINT64_C(0x7ffff0000000)); /* on another stack */
	ck_assert_uint_ge(memory.marks.count, 1);
	stack_memory_clear(&memory);
	ck_assert_uint_eq(memory.marks.count, 0);
}
END_TEST

START_TEST(a_mark_agrees_with_the_same_callers_alone)
{
	struct walked_stack walk = walk_of(2, DEPTH, FRAME_BYTES), part;
	const struct stack_mark *mark;
	size_t inner;

	remember(&walk, FRAME_BYTES);
	part = inner_part(walk, 500);
	mark = stack_memory_find(&memory, &stacks, &part, &inner);
	ck_assert_ptr_nonnull(mark);
	ck_assert(stack_mark_agrees(mark, &stacks, &walk, inner));
	walk = walk_of(5, DEPTH, FRAME_BYTES);
	ck_assert(!stack_mark_agrees(mark, &stacks, &walk, inner));
	walk = walk_of(2, DEPTH - 1, FRAME_BYTES);
	ck_assert(!stack_mark_agrees(mark, &stacks, &walk, inner));
}
END_TEST

START_TEST(marks_that_were_wrong_must_prove_themselves)
{
	struct walked_stack walk = walk_of(2, DEPTH, FRAME_BYTES);

	remember(&walk, FRAME_BYTES);
	ck_assert(stack_memory_is_trusted(&memory));
	stack_memory_compared(&memory, true);
	stack_memory_compared(&memory, false);
	ck_assert(!stack_memory_is_trusted(&memory));
	for (unsigned i = 0; i < STACK_MEMORY_PROOFS; i++) {
		ck_assert(!stack_memory_is_trusted(&memory));
		stack_memory_compared(&memory, true);
	}
	ck_assert(stack_memory_is_trusted(&memory));
	for (unsigned i = 0; i < STACK_MEMORY_ERRORS; i++) {
		ck_assert_uint_gt(memory.marks.count, 0);
		stack_memory_compared(&memory, false);
	}
	ck_assert_uint_eq(memory.marks.count, 0);
	ck_assert(!stack_memory_is_trusted(&memory));
}
END_TEST

START_TEST(marks_are_few_however_deep_the_stack)
{
	struct walked_stack walk = walk_of(2, DEPTH, 4000);
	size_t inner;

	remember(&walk, 4000);
	ck_assert_uint_le(memory.marks.count, STACK_MEMORY_MARKS);
	ck_assert_uint_ge(memory.marks.count, STACK_MEMORY_MARKS / 4);
	walk = inner_part(walk, 60);
	ck_assert_ptr_nonnull(stack_memory_find(&memory, &stacks, &walk, &inner));
	/* One by one, as a stack grows from sample to sample: all the same. */
	stack_memory_clear(&memory);
	for (uint64_t i = 0; i < 100 * STACK_MEMORY_MARKS; i++) {
		uint64_t cfa = UINT64_C(0x7fff00000000) - 2000 * i;

		stack_memory_add(&memory, (struct stack_mark){cfa, 1, STACK_ROOTED, 1}, 2000, cfa);
	}
	ck_assert_uint_le(memory.marks.count, STACK_MEMORY_MARKS);
	ck_assert_uint_ge(memory.marks.count, STACK_MEMORY_MARKS / 4);
}
END_TEST

START_TEST(marks_belong_to_one_stack)
{
	struct stack_mark mark = {TOP, 1, STACK_ROOTED, 1};

	stack_memory_add(&memory, mark, 0, TOP - 100000);
	stack_memory_add(&memory, mark, 0, TOP - 100000); /* does not go on inwards */
	mark.cfa = TOP - (64u << 20);			  /* a coroutine's, say */
	stack_memory_add(&memory, mark, 1 << 20, mark.cfa);
	ck_assert_uint_eq(memory.marks.count, 1);
	ck_assert_ptr_nonnull(stack_memory_at(&memory, TOP));
	ck_assert_ptr_null(stack_memory_at(&memory, TOP - 8));
}
END_TEST

START_TEST(a_single_frame_shares_nothing)
{
	struct walked_stack walk = walk_of(2, DEPTH, FRAME_BYTES), part = inner_part(walk, 1);
	size_t inner;

	remember(&walk, FRAME_BYTES);
	ck_assert_ptr_null(stack_memory_find(&memory, &stacks, &part, &inner));
}
END_TEST

Suite *stack_memory_suite(void);

Suite *stack_memory_suite(void)
{
	Suite *suite = suite_create("stack_memory");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, a_shared_frame_gives_the_rest);
	tcase_add_test(core, a_stack_may_grow_and_shrink);
	tcase_add_test(core, what_is_not_shared_gives_nothing);
	tcase_add_test(core, what_a_thread_has_left_is_forgotten);
	tcase_add_test(core, a_mark_agrees_with_the_same_callers_alone);
	tcase_add_test(core, marks_that_were_wrong_must_prove_themselves);
	tcase_add_test(limits, marks_are_few_however_deep_the_stack);
	tcase_add_test(limits, marks_belong_to_one_stack);
	tcase_add_test(limits, a_single_frame_shares_nothing);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
