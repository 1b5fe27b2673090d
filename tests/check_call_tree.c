#include "view_text.h"
#include "viz/totals.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Suite *call_tree_suite(void);

struct fixture {
	struct profile profile;
	struct measure measure;
	struct call_tree tree;
	struct totals totals;
};

static void build(struct fixture *fixture, const char *folded, const struct call_tree_shape *shape)
{
	struct view_selection selection = {.metric = METRIC_SAMPLES};
	struct error err;

	view_profile(&fixture->profile, folded);
	ck_assert_int_eq(measure_init(&fixture->measure, &selection, &fixture->profile, &err), 0);
	call_tree_build(&fixture->tree, &fixture->measure, shape);
	totals_build(&fixture->totals, &fixture->tree, true);
}

static void release(struct fixture *fixture)
{
	totals_release(&fixture->totals);
	call_tree_release(&fixture->tree);
	profile_release(&fixture->profile);
}

static item_id find(const struct fixture *fixture, const char *name)
{
	for (item_id id = 1; id <= fixture->tree.items.all.count; id++) {
		char *found = items_short_name(&fixture->tree.items, id);
		bool is_same = strcmp(found, name) == 0;

		free(found);
		if (is_same)
			return id;
	}
	ck_abort_msg("no item %s", name);
	return 0;
}

static void assert_cost(
	const struct fixture *fixture, const char *name, uint64_t self, uint64_t total)
{
	const struct cost *cost = &fixture->totals.of[find(fixture, name)];

	ck_assert_msg(cost->self == self && cost->total == total,
		"%s: self %ju total %ju, not %ju %ju", name, (uintmax_t)cost->self,
		(uintmax_t)cost->total, (uintmax_t)self, (uintmax_t)total);
}

static const struct arc *find_arc(const struct fixture *fixture, const char *from, const char *to)
{
	item_id caller = find(fixture, from), callee = find(fixture, to);

	for (size_t i = 0; i < fixture->totals.arcs.count; i++) {
		const struct arc *arc = &fixture->totals.arcs.items[i];

		if (arc->caller == caller && arc->callee == callee)
			return arc;
	}
	return NULL;
}

static void assert_arc(
	const struct fixture *fixture, const char *from, const char *to, uint64_t total)
{
	const struct arc *arc = find_arc(fixture, from, to);

	ck_assert_msg(arc != NULL, "no call from %s to %s", from, to);
	ck_assert_uint_eq(arc->cost.total, total);
}

START_TEST(self_and_total)
{
	struct fixture fixture;

	build(&fixture, "main;load;read 12\nmain;load 3\nmain 1\n", &(struct call_tree_shape){0});
	assert_cost(&fixture, "main", 1, 16);
	assert_cost(&fixture, "load", 3, 15);
	assert_cost(&fixture, "read", 12, 12);
	assert_arc(&fixture, "main", "load", 15);
	assert_arc(&fixture, "load", "read", 12);
	ck_assert_uint_eq(fixture.tree.all.total, 16);
	ck_assert_uint_eq(fixture.totals.arcs.count, 2);
	release(&fixture);
}
END_TEST

START_TEST(recursion_counts_once_per_stack)
{
	struct fixture fixture;

	build(&fixture, "main;a;b;a;b;a 5\nmain;a 2\nmain;f;f;f 7\n", &(struct call_tree_shape){0});
	assert_cost(&fixture, "main", 0, 14);
	assert_cost(&fixture, "a", 7, 7);
	assert_cost(&fixture, "b", 0, 5);
	assert_cost(&fixture, "f", 7, 7);
	assert_arc(&fixture, "a", "b", 5);
	assert_arc(&fixture, "b", "a", 5);
	assert_arc(&fixture, "main", "a", 7);
	assert_arc(&fixture, "f", "f", 7);
	release(&fixture);
}
END_TEST

/* The same function at two lines, and at two addresses, is one node. */
START_TEST(addresses_of_a_function_fall_together)
{
	struct call_tree_shape by_function = {.by = VIEW_BY_FUNCTION},
			       by_line = {.by = VIEW_BY_LINE};
	const char *folded = "main;a.c:10:11(load);read 1\nmain;a.c:10:12(load);read 2\n";
	struct fixture fixture;

	build(&fixture, folded, &by_function);
	ck_assert_uint_eq(fixture.tree.nodes.count, 3);
	assert_cost(&fixture, "load", 0, 3);
	release(&fixture);
	build(&fixture, folded, &by_line);
	ck_assert_uint_eq(fixture.tree.nodes.count, 5);
	release(&fixture);
}
END_TEST

/* Siblings are found again also when others came in between. */
START_TEST(siblings_are_told_apart)
{
	struct fixture fixture;

	build(&fixture, "m;a:1;x 1\nm;b;x 2\nm;c;x 4\nm;a:1;y 8\nm;b;y 16\nm;a:1;x;z 32\nm;c 64\n",
		&(struct call_tree_shape){0});
	ck_assert_uint_eq(fixture.tree.nodes.count, 10);
	assert_cost(&fixture, "x", 7, 39);
	assert_cost(&fixture, "y", 24, 24);
	assert_cost(&fixture, "c", 64, 68);
	release(&fixture);
}
END_TEST

static void add_inlined(struct profile *profile)
{
	struct strings *strings = &profile->strings;
	module_id module = modules_intern(&profile->modules, strings, "program", MODULE_FILE, NULL);
	struct function inner = {.name = strings_intern(strings, "inner"), .module = module};
	struct function outer = {.name = strings_intern(strings, "outer"), .module = module};
	struct line lines[2] = {{.function = functions_intern(&profile->frames, &inner)},
		{.function = functions_intern(&profile->frames, &outer)}};
	frame_id frame = frames_intern(&profile->frames, module, 0x999);
	uint64_t value[METRIC_COUNT] = {[METRIC_SAMPLES] = 5};

	frames_name(&profile->frames, frame, lines, 2);
	profile_add(
		profile, 0, 1, stacks_push(&profile->stacks, STACK_ROOTED, frame), false, value);
}

START_TEST(inlined_calls_are_nodes)
{
	struct view_selection selection = {.metric = METRIC_SAMPLES};
	struct call_tree_shape shape = {0};
	struct fixture fixture;
	struct error err;

	view_profile(&fixture.profile, "main 1\n");
	add_inlined(&fixture.profile);
	ck_assert_int_eq(measure_init(&fixture.measure, &selection, &fixture.profile, &err), 0);
	call_tree_build(&fixture.tree, &fixture.measure, &shape);
	totals_build(&fixture.totals, &fixture.tree, true);
	assert_cost(&fixture, "inner", 5, 5);
	assert_cost(&fixture, "outer", 0, 5);
	assert_arc(&fixture, "outer", "inner", 5);
	for (node_id id = 1; id <= fixture.tree.nodes.count; id++) {
		const struct call_node *node = call_tree_at(&fixture.tree, id);

		ck_assert_int_eq(node->is_inlined, node->item == find(&fixture, "inner"));
	}
	release(&fixture);
}
END_TEST

START_TEST(reversed_has_callers_below_leaves)
{
	struct call_tree_shape shape = {.is_reversed = true};
	struct fixture fixture;

	build(&fixture, "main;a;x 1\nmain;b;x 2\nmain;b 4\n", &shape);
	for (node_id id = fixture.tree.first_root; id;
		id = call_tree_at(&fixture.tree, id)->next_sibling) {
		const struct call_node *node = call_tree_at(&fixture.tree, id);

		ck_assert_uint_eq(node->cost.total, node->item == find(&fixture, "x") ? 3 : 4);
	}
	assert_arc(&fixture, "x", "b", 2);
	assert_arc(&fixture, "b", "main", 6);
	release(&fixture);
}
END_TEST

START_TEST(processes_and_threads_are_roots)
{
	struct call_tree_shape process = {.below_process = true};
	struct call_tree_shape thread = {.below_process = true, .below_thread = true};
	struct call_tree_shape only = {.by = VIEW_BY_THREAD};
	const char *folded = "@1/1 main;a 1\n@1/2 start;a 2\n@7/7 main;a 4\n";
	struct fixture fixture;

	build(&fixture, folded, &process);
	assert_cost(&fixture, "program (1)", 0, 3);
	assert_cost(&fixture, "program (7)", 0, 4);
	assert_cost(&fixture, "a", 7, 7);
	release(&fixture);
	build(&fixture, folded, &thread);
	assert_cost(&fixture, "program (1/2)", 0, 2);
	assert_arc(&fixture, "program (1)", "program (1/2)", 2);
	release(&fixture);
	build(&fixture, folded, &only);
	assert_cost(&fixture, "program (7/7)", 4, 4);
	ck_assert_uint_eq(fixture.tree.nodes.count, 3);
	release(&fixture);
}
END_TEST

START_TEST(modules_merge_calls_within)
{
	struct call_tree_shape shape = {.by = VIEW_BY_MODULE};
	struct fixture fixture;

	build(&fixture, "main;a;libc.so!x;libc.so!y;b 3\n", &shape);
	ck_assert_uint_eq(fixture.tree.nodes.count, 3);
	assert_cost(&fixture, "program", 3, 3);
	assert_cost(&fixture, "libc.so", 0, 3);
	release(&fixture);
}
END_TEST

START_TEST(cut_stacks_hang_below_their_reason)
{
	struct view_selection selection = {.metric = METRIC_SAMPLES};
	struct call_tree_shape shape = {0};
	uint64_t value[METRIC_COUNT] = {[METRIC_SAMPLES] = 5};
	struct fixture fixture;
	struct error err;

	view_profile(&fixture.profile, "main;a 1\n");
	profile_add(&fixture.profile, 0, 1,
		stacks_push(&fixture.profile.stacks, STACK_TRUNCATED, 2), false, value);
	ck_assert_int_eq(measure_init(&fixture.measure, &selection, &fixture.profile, &err), 0);
	call_tree_build(&fixture.tree, &fixture.measure, &shape);
	totals_build(&fixture.totals, &fixture.tree, true);
	assert_cost(&fixture, "[truncated]", 0, 5);
	assert_cost(&fixture, "a", 6, 6);
	assert_cost(&fixture, "main", 0, 1);
	release(&fixture);
}
END_TEST

static void restrict_to(struct fixture *fixture, const char *root, const char *leaf, size_t depth)
{
	bool *roots = calloc(fixture->tree.items.all.count + 1, sizeof(bool));
	bool *leaves = calloc(fixture->tree.items.all.count + 1, sizeof(bool));
	struct call_tree_bounds bounds = {root ? roots : NULL, leaf ? leaves : NULL, depth};

	if (root)
		roots[find(fixture, root)] = true;
	if (leaf)
		leaves[find(fixture, leaf)] = true;
	call_tree_restrict(&fixture->tree, &bounds);
	totals_release(&fixture->totals);
	totals_build(&fixture->totals, &fixture->tree, true);
	free(roots);
	free(leaves);
}

static const char bounded[] = "main;a;x 1\nmain;b;x 2\nmain;b;x;y 4\nmain;b;z 8\nmain;b 16\n";

START_TEST(root_keeps_what_it_calls)
{
	struct fixture fixture;

	build(&fixture, bounded, &(struct call_tree_shape){0});
	restrict_to(&fixture, "b", NULL, 0);
	assert_cost(&fixture, "main", 0, 0);
	assert_cost(&fixture, "b", 16, 30);
	assert_cost(&fixture, "x", 2, 6);
	assert_cost(&fixture, "y", 4, 4);
	ck_assert_ptr_null(find_arc(&fixture, "main", "b"));
	ck_assert_uint_eq(fixture.tree.all.total, 31);
	release(&fixture);
}
END_TEST

START_TEST(leaf_keeps_those_who_call_it)
{
	struct fixture fixture;

	build(&fixture, bounded, &(struct call_tree_shape){0});
	restrict_to(&fixture, NULL, "x", 0);
	assert_cost(&fixture, "main", 0, 7);
	assert_cost(&fixture, "a", 0, 1);
	assert_cost(&fixture, "b", 0, 6);
	assert_cost(&fixture, "x", 3, 7);
	assert_cost(&fixture, "y", 0, 0);
	assert_cost(&fixture, "z", 0, 0);
	release(&fixture);
}
END_TEST

START_TEST(depth_counts_from_the_bound)
{
	struct fixture fixture;

	build(&fixture, bounded, &(struct call_tree_shape){0});
	restrict_to(&fixture, NULL, NULL, 1);
	assert_cost(&fixture, "main", 0, 31);
	assert_cost(&fixture, "b", 16, 30);
	assert_cost(&fixture, "x", 0, 0);
	release(&fixture);
	build(&fixture, bounded, &(struct call_tree_shape){0});
	restrict_to(&fixture, NULL, "y", 1);
	assert_cost(&fixture, "b", 0, 0);
	assert_cost(&fixture, "x", 0, 4);
	release(&fixture);
}
END_TEST

START_TEST(error_of_equal_samples_is_binomial)
{
	struct fixture fixture;

	build(&fixture, "main;a 300\nmain;b 700\n", &(struct call_tree_shape){0});
	ck_assert_double_eq_tol(
		totals_standard_error(&fixture.tree, 300), sqrt(0.3 * 0.7 * 1000), 1e-9);
	ck_assert_double_eq(totals_standard_error(&fixture.tree, 1000), 0);
	release(&fixture);
}
END_TEST

/* One sample that stands for half of the time makes the others worth less. */
START_TEST(unequal_weights_have_greater_errors)
{
	uint64_t value[METRIC_COUNT] = {[METRIC_SAMPLES] = 1,
		[METRIC_CPU] = 99000000,
		[METRIC_CPU_SQUARES] = 99000ull * 99000};
	struct view_selection selection = {.metric = METRIC_CPU};
	struct call_tree_shape shape = {0};
	struct fixture fixture;
	struct error err;

	view_profile(&fixture.profile, "main;a 99\n");
	profile_add(&fixture.profile, 0, 1, STACK_END_COUNT + 1, false, value);
	ck_assert_int_eq(measure_init(&fixture.measure, &selection, &fixture.profile, &err), 0);
	call_tree_build(&fixture.tree, &fixture.measure, &shape);
	totals_build(&fixture.totals, &fixture.tree, false);
	/* (99 + 99)^2 / (99 * 1 + 99^2) */
	ck_assert_double_eq_tol(fixture.tree.effective_samples, 198.0 * 198 / (99 + 9801), 1e-6);
	release(&fixture);
}
END_TEST

START_TEST(depth_of_a_million_is_no_recursion)
{
	enum { DEPTH = 1000000 };
	struct view_selection selection = {.metric = METRIC_SAMPLES};
	struct call_tree_shape shape = {0};
	uint64_t value[METRIC_COUNT] = {[METRIC_SAMPLES] = 1};
	struct fixture fixture;
	stack_id stack = STACK_ROOTED;
	struct error err;

	view_profile(&fixture.profile, "main;f 1\n");
	for (int i = 0; i < DEPTH; i++)
		stack = stacks_push(&fixture.profile.stacks, stack, 2);
	profile_add(&fixture.profile, 0, 1, stack, false, value);
	ck_assert_int_eq(measure_init(&fixture.measure, &selection, &fixture.profile, &err), 0);
	call_tree_build(&fixture.tree, &fixture.measure, &shape);
	totals_build(&fixture.totals, &fixture.tree, true);
	assert_cost(&fixture, "f", 2, 2);
	assert_arc(&fixture, "f", "f", 1);
	release(&fixture);
}
END_TEST

START_TEST(only_regions)
{
	struct view_selection selection = {.metric = METRIC_SAMPLES, .region_only = true};
	struct call_tree_shape shape = {0};
	uint64_t value[METRIC_COUNT] = {[METRIC_SAMPLES] = 5};
	struct fixture fixture;
	struct error err;

	view_profile(&fixture.profile, "main;a 1\n");
	ck_assert_int_eq(measure_init(&fixture.measure, &selection, &fixture.profile, &err), -1);
	assert_contains(err.text, "cprof_start()");
	profile_add(&fixture.profile, 0, 1, STACK_END_COUNT, true, value);
	ck_assert_int_eq(measure_init(&fixture.measure, &selection, &fixture.profile, &err), 0);
	call_tree_build(&fixture.tree, &fixture.measure, &shape);
	ck_assert_uint_eq(fixture.tree.all.total, 5);
	totals_build(&fixture.totals, &fixture.tree, false);
	release(&fixture);
}
END_TEST

Suite *call_tree_suite(void)
{
	Suite *suite = suite_create("call_tree");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, self_and_total);
	tcase_add_test(core, recursion_counts_once_per_stack);
	tcase_add_test(core, addresses_of_a_function_fall_together);
	tcase_add_test(core, siblings_are_told_apart);
	tcase_add_test(core, inlined_calls_are_nodes);
	tcase_add_test(core, reversed_has_callers_below_leaves);
	tcase_add_test(core, processes_and_threads_are_roots);
	tcase_add_test(core, modules_merge_calls_within);
	tcase_add_test(core, root_keeps_what_it_calls);
	tcase_add_test(core, leaf_keeps_those_who_call_it);
	tcase_add_test(core, depth_counts_from_the_bound);
	tcase_add_test(core, error_of_equal_samples_is_binomial);
	tcase_add_test(core, unequal_weights_have_greater_errors);
	tcase_add_test(core, only_regions);
	tcase_add_test(limits, cut_stacks_hang_below_their_reason);
	tcase_add_test(limits, depth_of_a_million_is_no_recursion);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
