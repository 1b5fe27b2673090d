#include "view_text.h"

#include <check.h>
#include <stdlib.h>

Suite *folded_suite(void);

static void assert_folded(
	const char *folded, const struct view_options *options, const char *wanted)
{
	char *text = view_text("folded", folded, options);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(a_line_per_stack)
{
	struct view_options options = view_options_default();

	assert_folded("main;load;read 3\nmain;load 2\nmain 1\n", &options,
		"program;main 1000\n"
		"program;main;load 2000\n"
		"program;main;load;read 3000\n");
	options.selection.metric = METRIC_SAMPLES;
	assert_folded("main;load;read 3\nmain;load 2\nmain 1\n", &options,
		"program;main 1\n"
		"program;main;load 2\n"
		"program;main;load;read 3\n");
}
END_TEST

START_TEST(kernel_code_is_marked)
{
	struct view_options options = view_options_default();

	options.selection.metric = METRIC_SAMPLES;
	assert_folded("main;[kernel]!vfs_read 3\n", &options, "program;main;vfs_read_[k] 3\n");
}
END_TEST

START_TEST(threads_on_demand)
{
	struct view_options options = view_options_default();

	options.selection.metric = METRIC_SAMPLES;
	options.selection.by = VIEW_BY_THREAD;
	assert_folded("@1/1 a 1\n@1/2 b 2\n", &options,
		"program;program (1/1);a 1\nprogram;program (1/2);b 2\n");
}
END_TEST

START_TEST(what_the_format_cannot_hold_is_replaced)
{
	struct view_options options = view_options_default();
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	char *text;

	view_profile(&profile, "main;second 5\n");
	profile.frames.functions.items[0].name =
		strings_intern(&profile.strings, "a;b\nc\033\xff 12");
	options.selection.metric = METRIC_SAMPLES;
	text = view_text_of("folded", profiles, 1, &options);
	ck_assert_str_eq(text, "program;a:b\\x0ac\\x1b\\xff 12;second 5\n");
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(nothing_recorded_is_nothing)
{
	struct view_options options = view_options_default();

	assert_folded("", &options, "");
}
END_TEST

Suite *folded_suite(void)
{
	Suite *suite = suite_create("folded");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, a_line_per_stack);
	tcase_add_test(core, kernel_code_is_marked);
	tcase_add_test(core, threads_on_demand);
	tcase_add_test(limits, what_the_format_cannot_hold_is_replaced);
	tcase_add_test(limits, nothing_recorded_is_nothing);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
