#include "view_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *tree_suite(void);

/* What follows the header. */
static char *tree(const char *folded, const struct view_options *options)
{
	char *text = view_text("tree", folded, options), *body = strstr(text, "\n\n"), *copy;

	ck_assert_ptr_nonnull(body);
	copy = strdup(body + 2);
	free(text);
	return copy;
}

static void assert_tree(const char *folded, const struct view_options *options, const char *wanted)
{
	char *text = tree(folded, options);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(looks_like_pyinstrument)
{
	struct view_options options = view_options_default();
	static const char folded[] = "s.c:9(main);l.c:1(load) 300\n"
				     "s.c:9(main);l.c:1(load);l.c:5(parse) 500\n"
				     "s.c:9(main);c.c:7(color) 150\n"
				     "s.c:9(main) 50\n";

	assert_tree(folded, &options,
		"1.000 program (1)\n"
		"└─ 1.000 main  s.c:9\n"
		"   ├─ 0.800 load  l.c:1\n"
		"   │  ├─ 0.500 parse  l.c:5\n"
		"   │  └─ 0.300 [self]  l.c:1\n"
		"   ├─ 0.150 color  c.c:7\n"
		"   └─ 0.050 [self]  s.c:9\n");
	options.tree.unicode = false;
	assert_tree(folded, &options,
		"1.000 program (1)\n"
		"`- 1.000 main  s.c:9\n"
		"   |- 0.800 load  l.c:1\n"
		"   |  |- 0.500 parse  l.c:5\n"
		"   |  `- 0.300 [self]  l.c:1\n"
		"   |- 0.150 color  c.c:7\n"
		"   `- 0.050 [self]  s.c:9\n");
}
END_TEST

static const char library[] =
	"main;libc.so.6!qsort;libc.so.6!msort;libc.so.6!merge;compare 100\n"
	"main;libc.so.6!qsort;libc.so.6!msort;[kernel]!fault;[kernel]!page 10\n";

START_TEST(library_frames_are_hidden)
{
	struct view_options options = view_options_default();

	assert_tree(library, &options,
		"0.110 program (1)\n"
		"└─ 0.110 main  program\n"
		"   └─ 0.110 qsort  libc.so.6\n"
		"         [3 frames hidden]  libc.so.6, [kernel]\n"
		"      └─ 0.100 merge  libc.so.6\n"
		"         └─ 0.100 compare  program\n");
	options.tree.show_all = true;
	assert_tree(library, &options,
		"0.110 program (1)\n"
		"└─ 0.110 main  program\n"
		"   └─ 0.110 qsort  libc.so.6\n"
		"      └─ 0.110 msort  libc.so.6\n"
		"         ├─ 0.100 merge  libc.so.6\n"
		"         │  └─ 0.100 compare  program\n"
		"         └─ 0.010 fault  [kernel]\n"
		"            └─ 0.010 page  [kernel]\n");
}
END_TEST

START_TEST(costly_library_frames_are_shown)
{
	struct view_options options = view_options_default();

	assert_tree("main;libc.so.6!a;libc.so.6!b;libc.so.6!c;libc.so.6!d 100\n", &options,
		"0.100 program (1)\n"
		"└─ 0.100 main  program\n"
		"   └─ 0.100 a  libc.so.6\n"
		"         [2 frames hidden]  libc.so.6\n"
		"      └─ 0.100 d  libc.so.6\n");
}
END_TEST

START_TEST(one_frame_is_not_hidden)
{
	struct view_options options = view_options_default();
	char *text = tree("main;libc.so.6!a;libc.so.6!b;f 100\n", &options);

	assert_lacks(text, "hidden");
	assert_contains(text, "0.100 b  libc.so.6\n");
	free(text);
	text = tree("main;libc.so.6!a;libc.so.6!b;libc.so.6!c;f 100\n", &options);
	assert_lacks(text, "hidden");
	assert_contains(text, "0.100 b  libc.so.6\n");
	free(text);
}
END_TEST

START_TEST(hide_and_show)
{
	static const char folded[] = "main.c:1(main);gen.c:2(a);gen.c:3(b);gen.c:4(c);gen.c:5(d);"
				     "main.c:9(z) 9\n";
	struct view_options options = view_options_default();
	char *text;

	options.tree.hide = "gen.*";
	text = tree(folded, &options);
	assert_contains(text, "[2 frames hidden]  program\n");
	assert_lacks(text, "gen.c:3");
	free(text);
	options.tree.show = "gen.c";
	text = tree(folded, &options);
	assert_lacks(text, "hidden");
	free(text);
}
END_TEST

START_TEST(small_branches_are_left_out)
{
	struct view_options options = view_options_default();
	char *text = tree("main;big 995\nmain;small 5\nmain;tiny 1\n", &options);

	assert_lacks(text, "small");
	assert_contains(text, "2 branches below 1 % of the whole left out");
	free(text);
	options.tree.show_all = true;
	text = tree("main;big 995\nmain;small 5\nmain;tiny 1\n", &options);
	assert_contains(text, "0.001 tiny");
	assert_lacks(text, "left out");
	free(text);
}
END_TEST

START_TEST(flat_lists_own_costs)
{
	struct view_options options = view_options_default();

	options.tree.flat = true;
	assert_tree("main;a;b 5\nmain;b 7\nmain;a 20\n", &options,
		"0.020 a  program\n0.012 b  program\n");
}
END_TEST

START_TEST(threads_on_demand)
{
	static const char folded[] = "@1/1 main 5\n@1/2 start 7\n@4/4 main 2\n";
	struct view_options options = view_options_default();

	assert_tree(folded, &options,
		"0.012 program (1)\n"
		"├─ 0.007 start  program\n"
		"└─ 0.005 main  program\n"
		"0.002 program (4)\n"
		"└─ 0.002 main  program\n");
	options.selection.by = VIEW_BY_THREAD;
	assert_tree(folded, &options,
		"0.012 program (1)\n"
		"├─ 0.007 program (1/2)\n"
		"│  └─ 0.007 start  program\n"
		"└─ 0.005 program (1/1)\n"
		"   └─ 0.005 main  program\n"
		"0.002 program (4)\n"
		"└─ 0.002 program (4/4)\n"
		"   └─ 0.002 main  program\n");
}
END_TEST

START_TEST(colors_follow_shares)
{
	struct view_options options = view_options_default();
	char *text;

	options.color = true;
	text = tree("a.c:1(main);a 700\na.c:1(main);b 230\na.c:1(main);c 50\na.c:1(main);d 20\n",
		&options);
	assert_contains(text, "\033[31m0.700\033[0m \033[48;5;24;38;5;15ma\033[0m");
	assert_contains(text, "\033[33m0.230\033[0m ");
	assert_contains(text, "\033[92;2m0.050\033[0m ");
	assert_contains(text, "  \033[2ma.c:1\033[0m\n");
	free(text);
	options.color = false;
	text = tree("main;a 700\n", &options);
	assert_lacks(text, "\033");
	free(text);
}
END_TEST

START_TEST(hostile_names_and_narrow_terminals)
{
	struct view_options options = view_options_default();
	char *text;

	options.columns = 40;
	text = tree("main;ev\033[31mil\xfe_with_a_very_long_name_that_does_not_fit 10\n", &options);
	assert_lacks(text, "\033");
	assert_contains(text, "   └─ 0.010 ev\\x1b[31mil\\xfe_with_a_ver…\n");
	free(text);
}
END_TEST

START_TEST(deep_recursion_ends)
{
	struct view_options options = view_options_default();
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	uint64_t value[METRIC_COUNT] = {[METRIC_WALL] = 1000000000, [METRIC_CPU] = 1000000000};
	stack_id stack = STACK_ROOTED;
	char *text;

	view_profile(&profile, "f 1\n");
	for (int i = 0; i < 100000; i++)
		stack = stacks_push(&profile.stacks, stack, 1);
	profile_add(&profile, 0, 1, stack, false, value);
	text = view_text_of("tree", profiles, 1, &options);
	ck_assert_uint_eq(occurrences(text, " f  program\n"), 254);
	assert_contains(text, "1.000 s deeper than 256 levels are not drawn\n");
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(nothing_recorded)
{
	struct view_options options = view_options_default();

	assert_tree("", &options, "No samples were recorded.\n");
}
END_TEST

Suite *tree_suite(void)
{
	Suite *suite = suite_create("tree");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, looks_like_pyinstrument);
	tcase_add_test(core, library_frames_are_hidden);
	tcase_add_test(core, costly_library_frames_are_shown);
	tcase_add_test(core, one_frame_is_not_hidden);
	tcase_add_test(core, hide_and_show);
	tcase_add_test(core, small_branches_are_left_out);
	tcase_add_test(core, flat_lists_own_costs);
	tcase_add_test(core, threads_on_demand);
	tcase_add_test(core, colors_follow_shares);
	tcase_add_test(limits, hostile_names_and_narrow_terminals);
	tcase_add_test(limits, deep_recursion_ends);
	tcase_add_test(limits, nothing_recorded);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
