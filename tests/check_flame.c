#include "view_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *flame_suite(void);

static const char stacks[] = "main;load;libc.so.6!read 500\n"
			     "main;load 100\n"
			     "main;color 300\n"
			     "main;color;[kernel]!fault 100\n";

static char *flame(const char *folded, const struct view_options *options)
{
	return view_text("flame", folded, options);
}

/* Well-formed, by libxml2 or Python's expat, whichever is here. */
static void assert_well_formed(const char *svg)
{
	char *result = NULL;

	if (system("command -v xmllint > /dev/null 2>&1") == 0)
		result = piped("xmllint --noout - 2>&1", svg);
	else if (system("command -v python3 > /dev/null 2>&1") == 0)
		result = piped("python3 -c 'import sys, xml.dom.minidom; "
			       "xml.dom.minidom.parse(sys.stdin)' 2>&1",
			svg);
	else
		return;
	ck_assert_msg(result != NULL, "not well-formed:\n%s", svg);
	free(result);
}

struct box {
	double x, y, width;
};

/* The n-th box of this name. */
static struct box box_of(const char *svg, const char *name, int n)
{
	char *start, *rest;
	struct box box;

	ck_assert_int_gt(asprintf(&start, "<title>%s\n", name), 0);
	for (svg = strstr(svg, start); svg && n > 0; n--)
		svg = strstr(svg + 1, start);
	ck_assert_msg(svg != NULL, "no box %s", name);
	rest = strstr(svg, "<rect x=");
	ck_assert_int_eq(
		sscanf(rest, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\"", &box.x, &box.y, &box.width),
		3);
	free(start);
	return box;
}

START_TEST(boxes_are_as_wide_as_their_share)
{
	struct view_options options = view_options_default();
	char *svg = flame(stacks, &options);
	struct box whole = box_of(svg, "program (1)", 0), main_box = box_of(svg, "main", 0);
	struct box load = box_of(svg, "load", 0), color = box_of(svg, "color", 0);
	struct box read_box = box_of(svg, "read", 0);

	assert_well_formed(svg);
	ck_assert_double_eq_tol(whole.width, 1180, 0.01);
	ck_assert_double_eq_tol(main_box.width, 1180, 0.01);
	ck_assert_double_eq_tol(load.width, 1180 * .6, 0.01);
	ck_assert_double_eq_tol(read_box.width, 1180 * .5, 0.01);
	ck_assert_double_eq_tol(color.x, 10, 0.01);
	ck_assert_double_eq_tol(load.x, color.x + color.width, 0.01);
	ck_assert_double_lt(read_box.y, load.y);
	ck_assert_double_lt(load.y, main_box.y);
	ck_assert_uint_eq(occurrences(svg, "<g class=\"box\">"), 6);
	free(svg);
}
END_TEST

START_TEST(details_and_legend)
{
	struct view_options options = view_options_default();
	char *svg = flame(stacks, &options);

	assert_contains(svg, "<title>load\n0.600 s, 60.00 %; in itself 0.100 s, 10.00 %; program"
			     "</title>");
	assert_contains(svg, ">program</text>");
	assert_contains(svg, ">library</text>");
	assert_contains(svg, ">kernel</text>");
	assert_lacks(svg, ">made at run time</text>");
	assert_contains(svg, ">samples  1000, 1000 a CPU second");
	assert_contains(svg, "Flame graph of program");
	free(svg);
}
END_TEST

/* One file: what it refers to is in it. */
START_TEST(nothing_from_outside)
{
	struct view_options options = view_options_default();
	char *svg = flame(stacks, &options);

	ck_assert_uint_eq(occurrences(svg, "http"), 1); /* the name of the SVG language */
	assert_contains(svg, "xmlns=\"http://www.w3.org/2000/svg\"");
	assert_lacks(svg, "href");
	assert_lacks(svg, "@import");
	assert_lacks(svg, "url(");
	free(svg);
}
END_TEST

START_TEST(icicle_grows_down)
{
	struct view_options options = view_options_default();
	char *svg;

	options.flame.icicle = true;
	svg = flame(stacks, &options);
	ck_assert_double_gt(box_of(svg, "read", 0).y, box_of(svg, "main", 0).y);
	assert_contains(svg, "data-direction=\"down\"");
	assert_contains(svg, "Icicle graph of");
	free(svg);
}
END_TEST

START_TEST(reversed_stands_on_the_leaves)
{
	struct view_options options = view_options_default();
	char *svg;
	struct box all, fault;

	options.flame.reverse = true;
	svg = flame(stacks, &options);
	all = box_of(svg, "all", 0);
	fault = box_of(svg, "fault", 0);
	ck_assert_double_eq_tol(all.width, 1180, 0.01);
	ck_assert_double_eq_tol(fault.width, 118, 0.01);
	ck_assert_double_eq_tol(all.y - fault.y, 17, 0.01);
	assert_lacks(svg, "<title>program (1)\n");
	assert_well_formed(svg);
	free(svg);
}
END_TEST

START_TEST(a_function_keeps_its_color)
{
	struct view_options options = view_options_default();
	char *one = flame("main;load 5\nmain;color 7\n", &options);
	char *two = flame("other;thing;load 100\n", &options);
	const char *fill_one = strstr(strstr(one, "<title>load\n"), "fill=");
	const char *fill_two = strstr(strstr(two, "<title>load\n"), "fill=");

	ck_assert_mem_eq(fill_one, fill_two, strlen("fill=\"#rrggbb\""));
	free(one);
	free(two);
}
END_TEST

START_TEST(narrow_boxes_are_left_out_and_counted)
{
	struct view_options options = view_options_default();
	char *svg;

	options.flame.min_width = 5;
	svg = flame("main;big 9990\nmain;small;smaller 6\nmain;little 4\n", &options);
	assert_lacks(svg, "<title>small");
	assert_contains(svg,
		"left out 2 boxes narrower than 5 pixels and what is on them: 0.010 s, "
		"0.10 %");
	free(svg);
	options.flame.min_width = 0.1;
	svg = flame("main;big 9990\nmain;small;smaller 6\nmain;little 4\n", &options);
	assert_lacks(svg, "left out");
	free(svg);
}
END_TEST

START_TEST(text_fits_its_box)
{
	struct view_options options = view_options_default();
	char *svg = flame("main;a_rather_long_name_of_a_function 10\nmain;b 90\n", &options);

	/* 118 pixels hold 15 characters of 7.23 beside the margins of 3 */
	assert_contains(svg, ">a_rather_long_…</text></g>");
	free(svg);
	svg = flame("main;a_rather_long_name_of_a_function 1\nmain;b 99\n", &options);
	assert_contains(svg, "\"></text></g>");
	free(svg);
}
END_TEST

START_TEST(folded_is_another_format)
{
	struct view_options options = view_options_default();
	char *text, *folded;

	options.flame.folded = true;
	text = flame(stacks, &options);
	folded = view_text("folded", stacks, &options);
	ck_assert_str_eq(text, folded);
	free(text);
	free(folded);
}
END_TEST

START_TEST(hostile_names_stay_text)
{
	struct view_options options = view_options_default();
	char *svg = flame(
		"</title><script>alert(1)</script>;]]>;\"&\033\x01\xff\xed\xa0\x80 7\n", &options);

	assert_well_formed(svg);
	assert_lacks(svg, "<script>alert");
	assert_contains(svg, "&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_contains(svg, "&quot;&amp;\\x1b\\x01\\xff\\xed\\xa0\\x80");
	ck_assert_uint_eq(occurrences(svg, "<script>"), 1);
	free(svg);
}
END_TEST

START_TEST(nothing_recorded)
{
	struct view_options options = view_options_default();
	char *svg = flame("", &options);

	assert_well_formed(svg);
	assert_contains(svg, "nothing was recorded");
	free(svg);
}
END_TEST

START_TEST(deep_recursion_is_drawn)
{
	struct view_options options = view_options_default();
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	uint64_t value[METRIC_COUNT] = {[METRIC_WALL] = 1000, [METRIC_CPU] = 1000};
	stack_id stack = STACK_ROOTED;
	char *svg;

	view_profile(&profile, "f 1\n");
	for (int i = 0; i < 5000; i++)
		stack = stacks_push(&profile.stacks, stack, 1);
	profile_add(&profile, 0, 1, stack, false, value);
	profile.counts.items[0].value[METRIC_WALL] = 0;
	svg = view_text_of("flame", profiles, 1, &options);
	ck_assert_uint_eq(occurrences(svg, "<title>f\n"), 5000);
	assert_well_formed(svg);
	free(svg);
	profile_release(&profile);
}
END_TEST

Suite *flame_suite(void)
{
	Suite *suite = suite_create("flame");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, boxes_are_as_wide_as_their_share);
	tcase_add_test(core, details_and_legend);
	tcase_add_test(core, nothing_from_outside);
	tcase_add_test(core, icicle_grows_down);
	tcase_add_test(core, reversed_stands_on_the_leaves);
	tcase_add_test(core, a_function_keeps_its_color);
	tcase_add_test(core, narrow_boxes_are_left_out_and_counted);
	tcase_add_test(core, text_fits_its_box);
	tcase_add_test(core, folded_is_another_format);
	tcase_add_test(limits, hostile_names_stay_text);
	tcase_add_test(limits, nothing_recorded);
	tcase_add_test(limits, deep_recursion_is_drawn);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
