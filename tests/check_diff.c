#include "view_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *diff_suite(void);

/* The comparison of folded texts, the first base_count of which are the base's. */
static char *diff(
	const char *const folded[], size_t count, size_t base_count, struct view_options *options)
{
	struct profile *profiles = calloc(count, sizeof(*profiles));
	const struct profile **pointers = calloc(count, sizeof(*pointers));
	char *text;

	for (size_t i = 0; i < count; i++) {
		view_profile(&profiles[i], folded[i]);
		profiles[i].info.peak_rss_bytes = (i + 1) << 20;
		pointers[i] = &profiles[i];
	}
	options->diff.base_count = base_count;
	options->diff.base_name = "v4";
	options->diff.new_name = "v7";
	text = view_text_of("diff", pointers, count, options);
	for (size_t i = 0; i < count; i++)
		profile_release(&profiles[i]);
	free(profiles);
	free(pointers);
	return text;
}

static const char *const two[] = {
	"main;/old/a.c:3(load) 400\nmain;a.c:9(color) 100\nmain;gone 50\nmain 10\nmain;same 7\n",
	"main;/new/a.c:4(load) 250\nmain;a.c:9(color) 120\nmain;fresh 30\nmain 10\nmain;same 7\n",
};

START_TEST(time_and_memory_of_both_come_first)
{
	struct view_options options = view_options_default();
	char *text = diff(two, 2, 1, &options);

	ck_assert_ptr_eq(strstr(text, "before  v4: 1 run of program, 1000 Hz asked\n"
				      "after   v7: 1 run of program, 1000 Hz asked\n"),
		text);
	assert_contains(text,
		"   elapsed                     0.567 s      0.417 s      -0.150 s    "
		"-26.5%\n");
	assert_contains(text, "   peak memory (RSS)          1.00 MiB     2.00 MiB     +1.00 MiB   "
			      "+100.0%\n");
	assert_contains(text, "One run of a side says nothing");
	free(text);
}
END_TEST

/* Directory and line of a function may change, and it is still the same. */
START_TEST(functions_are_matched_and_marked)
{
	struct view_options options = view_options_default();
	char *text = diff(two, 2, 1, &options);
	const char *rows = strstr(text, "function\n") + strlen("function\n");

	ck_assert_str_eq(rows,
		"    0.400    0.250   -0.150    -37.5%      0.400    0.250   -0.150    -37.5%      "
		" "
		"a.c:3(load)\n"
		"    0.050    0.000   -0.050   -100.0%      0.050    0.000   -0.050   -100.0%  "
		"GONE "
		"{program:gone}\n"
		"    0.000    0.030   +0.030         -      0.000    0.030   +0.030         -  NEW "
		" "
		"{program:fresh}\n"
		"    0.100    0.120   +0.020    +20.0%      0.100    0.120   +0.020    +20.0%      "
		" "
		"a.c:9(color)\n"
		"    0.010    0.010   +0.000     +0.0%      0.567    0.417   -0.150    -26.5%      "
		" "
		"{program:main}\n"
		"\n1 function did not change, or less than --min-abs and --min-rel ask for\n");
	free(text);
}
END_TEST

START_TEST(limits_leave_out_small_changes)
{
	struct view_options options = view_options_default();
	char *text;

	options.diff.min_abs = 40e6;
	text = diff(two, 2, 1, &options);
	assert_lacks(text, "fresh");
	assert_lacks(text, "(color)");
	assert_contains(text, "GONE");
	free(text);
	options.diff.min_abs = 0;
	options.diff.min_rel = 0.3;
	text = diff(two, 2, 1, &options);
	assert_lacks(text, "(color)");
	assert_contains(text, "fresh");
	free(text);
	options.diff.min_rel = 0;
	options.diff.rows = 2;
	text = diff(two, 2, 1, &options);
	assert_lacks(text, "fresh");
	assert_contains(text, "3 more functions changed");
	free(text);
}
END_TEST

START_TEST(several_runs_give_medians_and_overlaps)
{
	const char *const runs[] = {"main;a 10\nmain;b 100\n", "main;a 12\nmain;b 130\n",
		"main;a 90\nmain;b 110\n", "main;a 11\nmain;b 50\n", "main;a 21\nmain;b 60\n"};
	struct view_options options = view_options_default();
	char *text = diff(runs, 5, 3, &options);

	assert_contains(text, "before  v4: 3 runs of program");
	assert_contains(text, "after   v7: 2 runs of program");
	assert_contains(text,
		"    0.110    0.055   -0.055    -50.0%      0.110    0.055   -0.055    "
		"-50.0%       {program:b}\n");
	/* 12 of 10, 12 and 90 against the middle of 11 and 21 */
	assert_contains(text, "    0.012    0.016   +0.004 ");
	assert_contains(text, "  ~    {program:a}\n");
	assert_contains(text, "runs: 0.110 s to 0.200 s | 0.061 s to 0.081 s\n");
	assert_contains(text, "Numbers are medians.");
	free(text);
}
END_TEST

START_TEST(one_side_is_missing)
{
	struct view_options options = view_options_default();
	char *text;

	options.diff.base_count = 1;
	text = view_error("diff", "main 3\n", &options);
	assert_contains(text, "a comparison needs a profile on each side");
	free(text);
}
END_TEST

/* A thread more makes cpu the default of one side: both are compared by it. */
START_TEST(sides_share_a_metric)
{
	const char *const sides[] = {"main 5\n", "@1/1 main 5\n@1/2 start 7\n"};
	const char *const alone[] = {"main 5\n", "main 6\n"};
	struct view_options options = view_options_default();
	char *text = diff(sides, 2, 1, &options);

	assert_contains(text, "compared by CPU seconds");
	free(text);
	text = diff(alone, 2, 1, &options);
	assert_contains(text, "compared by wall-clock seconds");
	free(text);
}
END_TEST

START_TEST(hostile_names_and_empty_sides)
{
	const char *const sides[] = {"", "e\033[2Jvil 5\n"};
	struct view_options options = view_options_default();
	char *text = diff(sides, 2, 1, &options);

	assert_lacks(text, "\033");
	assert_contains(text, "NEW  {program:e\\x1b[2Jvil}\n");
	free(text);
}
END_TEST

Suite *diff_suite(void)
{
	Suite *suite = suite_create("diff");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, time_and_memory_of_both_come_first);
	tcase_add_test(core, functions_are_matched_and_marked);
	tcase_add_test(core, limits_leave_out_small_changes);
	tcase_add_test(core, several_runs_give_medians_and_overlaps);
	tcase_add_test(core, sides_share_a_metric);
	tcase_add_test(limits, one_side_is_missing);
	tcase_add_test(limits, hostile_names_and_empty_sides);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
