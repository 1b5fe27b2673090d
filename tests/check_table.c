#include "view_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *table_suite(void);

static const char stages[] = "a.c:10(main);a.c:3(work) 750\n"
			     "a.c:10(main) 50\n"
			     "a.c:10(main);libm.so.6!exp 200\n";

static char *table(const char *folded, const struct view_options *options)
{
	return view_text("table", folded, options);
}

/* What follows the header: the layout of pstats, column by column. */
START_TEST(layout_is_that_of_pstats)
{
	struct view_options options = view_options_default();
	char *text = table(stages, &options);
	const char *body = strstr(text, "         1000 samples in");

	ck_assert_ptr_nonnull(body);
	ck_assert_str_eq(body,
		"         1000 samples in 1.000 seconds (wall); samples: those with the row on the "
		"stack, ± one standard error\n"
		"\n"
		"   Ordered by: cumulative time\n"
		"\n"
		"      samples  tottime        %  cumtime        % filename:lineno(function)\n"
		"         1000    0.050     5.00    1.000   100.00 a.c:10(main)\n"
		"      750 ±14    0.750    75.00    0.750    75.00 a.c:3(work)\n"
		"      200 ±13    0.200    20.00    0.200    20.00 {libm.so.6:exp}\n"
		"\n\n");
	free(text);
}
END_TEST

/* The same functions in a file of cProfile, printed by pstats: rows and headings line up. */
START_TEST(pstats_prints_alike)
{
	static const char script[] =
		"import marshal, pstats, tempfile\n"
		"main, work, exp = ('a.c', 10, 'main'), ('a.c', 3, 'work'), ('~', 0, "
		"'<libm.so.6:exp>')\n"
		"with tempfile.NamedTemporaryFile() as file:\n"
		"    marshal.dump({main: (1, 1, .05, 1., {}), work: (3, 3, .75, .75, {main: (3, 3, "
		".75, .75)}), exp: (1, 1, .2, .2, {main: (1, 1, .2, .2)})}, file)\n"
		"    file.flush()\n"
		"    stats = pstats.Stats(file.name).sort_stats('cumulative')\n"
		"    stats.print_stats('a.c')\n"
		"    stats.print_callers('work')\n"
		"    stats.print_callees('main')\n";
	struct view_options options = view_options_default();
	const char *restriction = "a.c", *name = "work",
		   *lines[] = {"   Ordered by: cumulative time\n   List reduced from 3 to 2 due to "
			       "restriction "
			       "<'a.c'>\n\n   "};
	char *pstats = piped("python3 -", script), *text;

	if (!pstats)
		return; /* there is no python3 here */
	options.table.restrictions = &restriction;
	options.table.restriction_count = 1;
	text = table(stages, &options);
	assert_contains(pstats, lines[0]);
	assert_contains(text, lines[0]);

	assert_contains(pstats, "    0.750    0.250    0.750    0.250 a.c:3(work)\n");
	assert_contains(text, "    0.750    75.00    0.750    75.00 a.c:3(work)\n");
	free(text);
	options.table.restrictions = &name;
	options.table.callers = true;
	text = table(stages, &options);
	assert_contains(pstats, "Function     was called by...\n"
				"                 ncalls  tottime  cumtime\n"
				"a.c:3(work)  <-       3    0.750    0.750  a.c:10(main)\n\n\n");
	assert_contains(text, "Function     was called by...\n"
			      "                samples  tottime  cumtime\n"
			      "a.c:3(work)  <-     750    0.750    0.750  a.c:10(main)\n\n\n");
	free(text);
	name = "main";
	options.table.callers = false;
	options.table.callees = true;
	text = table(stages, &options);
	assert_contains(pstats, "a.c:10(main)  ->       3    0.750    0.750  a.c:3(work)\n"
				"                       1    0.200    0.200  {libm.so.6:exp}\n");
	assert_contains(text, "a.c:10(main)  ->     750    0.750    0.750  a.c:3(work)\n"
			      "                     200    0.200    0.200  {libm.so.6:exp}\n");
	free(text);
	free(pstats);
}
END_TEST

static void assert_order(const char *key, const char *label, const char *const names[3])
{
	struct view_options options = view_options_default();
	char *text, *label_line = NULL;
	const char *place;

	options.table.sort_keys = &key;
	options.table.sort_key_count = 1;
	text = table(stages, &options);
	ck_assert_int_gt(asprintf(&label_line, "   Ordered by: %s\n", label), 0);
	assert_contains(text, label_line);
	place = strstr(text, "filename:lineno(function)");
	for (int i = 0; i < 3; i++) {
		place = strstr(place, names[i]);
		ck_assert_msg(place != NULL, "by %s, %s is not in place %d:\n%s", key, names[i],
			i + 1, text);
	}
	free(label_line);
	free(text);
}

START_TEST(sort_keys_are_those_of_pstats)
{
	static const char main_first[] = "a.c:10(main)", work[] = "a.c:3(work)", exp[] = "exp";
	const char *const by_total[] = {main_first, work, exp},
			  *by_self[] = {work, exp, main_first};
	const char *const by_name[] = {exp, main_first, work}, *by_line[] = {exp, work, main_first};

	assert_order("cumulative", "cumulative time", by_total);
	assert_order("cum", "cumulative time", by_total);
	assert_order("tottime", "internal time", by_self);
	assert_order("ti", "internal time", by_self);
	assert_order("time", "internal time", by_self);
	assert_order("name", "function name", by_name);
	assert_order("line", "line number", by_line);
	assert_order("filename", "file name", by_total);
	assert_order("nfl", "name/file/line", by_name);
	assert_order("stdname", "standard name", by_total);
	assert_order("samples", "samples", by_total);
}
END_TEST

START_TEST(sort_keys_combine)
{
	const char *const keys[] = {"file", "line"};
	struct view_options options = view_options_default();
	char *text;

	options.table.sort_keys = keys;
	options.table.sort_key_count = 2;
	text = table(stages, &options);
	assert_contains(text, "Ordered by: file name, line number\n");
	ck_assert(strstr(text, "a.c:3(work)") < strstr(text, "a.c:10(main)"));
	free(text);
}
END_TEST

static char *sort_error(const char *key)
{
	struct view_options options = view_options_default();

	options.table.sort_keys = &key;
	options.table.sort_key_count = 1;
	return view_error("table", stages, &options);
}

START_TEST(wrong_sort_keys_are_explained)
{
	char *calls = sort_error("ncalls"), *unknown = sort_error("size");
	char *ambiguous = sort_error("n"), *empty = sort_error("");

	assert_contains(calls, "counted no calls");
	assert_contains(calls, "samples");
	assert_contains(unknown, "'size'");
	assert_contains(unknown, "cumulative");
	assert_contains(ambiguous, "'n' could be name or ncalls");
	assert_contains(empty, "known keys");
	free(calls);
	free(unknown);
	free(ambiguous);
	free(empty);
}
END_TEST

static char *restricted(const char *const restrictions[], size_t count, size_t rows)
{
	struct view_options options = view_options_default();

	options.table.restrictions = restrictions;
	options.table.restriction_count = count;
	options.table.rows = rows;
	return table(stages, &options);
}

START_TEST(restrictions_apply_in_turn)
{
	char *text = restricted((const char *const[]){"a\\.c:[0-9]+\\(", "1"}, 2, 0);

	assert_contains(text, "   List reduced from 3 to 2 due to restriction <'a\\.c:[0-9]+\\('>\n"
			      "   List reduced from 2 to 1 due to restriction <1>\n\n");
	assert_contains(text, "a.c:10(main)\n");
	assert_lacks(text, "a.c:3(work)\n");
	free(text);
	text = restricted((const char *const[]){".5"}, 1, 0);
	assert_contains(text, "List reduced from 3 to 2 due to restriction <.5>\n");
	free(text);
	text = restricted(NULL, 0, 1);
	assert_contains(text, "List reduced from 3 to 1 due to restriction <1>\n");
	free(text);
	text = restricted((const char *const[]){"7"}, 1, 0);
	assert_lacks(text, "List reduced");
	free(text);
	text = restricted((const char *const[]){"nothing like it"}, 1, 0);
	assert_contains(text, "List reduced from 3 to 0 due");
	free(text);
}
END_TEST

START_TEST(bad_expression_is_an_error)
{
	const char *restriction = "(";
	struct view_options options = view_options_default();
	char *text;

	options.table.restrictions = &restriction;
	options.table.restriction_count = 1;
	text = view_error("table", stages, &options);
	assert_contains(text, "'(' is not a regular expression");
	free(text);
}
END_TEST

START_TEST(relatives_are_sorted_by_line)
{
	struct view_options options = view_options_default();
	const char *name = "leaf";
	char *text;

	options.table.restrictions = &name;
	options.table.restriction_count = 1;
	options.table.callers = true;
	text = table("a.c:10(late);leaf 2\na.c:3(early);leaf 1\n", &options);
	assert_contains(text, "{program:leaf}  <-       1    0.001    0.001  a.c:3(early)\n"
			      "                         2    0.002    0.002  a.c:10(late)\n");
	free(text);
}
END_TEST

START_TEST(by_other_things)
{
	const char *folded = "@1/1 a.c:1:5(main);lib.so!f 3\n@1/2 a.c:1:7(main);lib.so!f 1\n";
	struct view_options options = view_options_default();
	char *text;

	options.selection.by = VIEW_BY_LINE;
	text = table(folded, &options);
	assert_contains(text, "    75.00 a.c:5(main)\n");
	assert_contains(text, "    25.00 a.c:7(main)\n");
	free(text);
	options.selection.by = VIEW_BY_MODULE;
	text = table(folded, &options);
	assert_contains(text, "   100.00    0.004   100.00 lib.so\n");
	free(text);
	options.selection.by = VIEW_BY_THREAD;
	text = table(folded, &options);
	assert_contains(text, "    25.00 program (1/2)\n");
	free(text);
	options.selection.by = VIEW_BY_PROCESS;
	text = table(folded, &options);
	assert_contains(text, "   100.00 program (1)\n");
	free(text);
	options.selection.by = VIEW_BY_STACK;
	text = table(folded, &options);
	assert_contains(text, " main;f\n");
	free(text);
	options.table.callers = true;
	text = view_error("table", folded, &options);
	assert_contains(text, "--by");
	free(text);
}
END_TEST

START_TEST(metric_is_named)
{
	struct view_options options = view_options_default();
	char *text;

	options.selection.metric = METRIC_SAMPLES;
	text = table(stages, &options);
	assert_contains(text, "numbers  are numbers of samples on the CPU\n");
	assert_contains(text, "      750 ±14      750    75.00      750    75.00 a.c:3(work)\n");
	free(text);
	options.selection.metric = METRIC_BLOCKED;
	text = view_error("table", stages, &options);
	assert_contains(text, "did not measure blocked: it holds wall, cpu, samples");
	free(text);
}
END_TEST

START_TEST(hostile_names_do_nothing)
{
	struct view_options options = view_options_default();
	char *text = table("ma\033[2Jin;evil\xff\r 3\n", &options);

	assert_lacks(text, "\033");
	assert_lacks(text, "\r");
	assert_lacks(text, "\xff");
	assert_contains(text, "{program:ma\\x1b[2Jin}\n");
	assert_contains(text, "{program:evil\\xff\\x0d}\n");
	free(text);
}
END_TEST

START_TEST(names_are_cut_at_the_terminal_only)
{
	struct view_options options = view_options_default();
	char name[600], *text;

	memset(name, 'x', sizeof(name));
	strcpy(name + 500, " 3\n");
	text = table(name, &options);
	ck_assert_uint_gt(strlen(strstr(text, "xxx")), 500 - 256);
	assert_lacks(text, "…");
	free(text);
	options.columns = 100;
	text = table(name, &options);
	assert_contains(text, "xxx…\n");
	free(text);
}
END_TEST

START_TEST(nothing_recorded_is_a_table_too)
{
	struct view_options options = view_options_default();
	char *text = table("", &options);

	assert_contains(text, "         0 samples in 0.000 seconds");
	assert_contains(text, "filename:lineno(function)\n\n\n");
	free(text);
}
END_TEST

Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, layout_is_that_of_pstats);
	tcase_add_test(core, pstats_prints_alike);
	tcase_add_test(core, sort_keys_are_those_of_pstats);
	tcase_add_test(core, sort_keys_combine);
	tcase_add_test(core, restrictions_apply_in_turn);
	tcase_add_test(core, relatives_are_sorted_by_line);
	tcase_add_test(core, by_other_things);
	tcase_add_test(core, metric_is_named);
	tcase_add_test(limits, wrong_sort_keys_are_explained);
	tcase_add_test(limits, bad_expression_is_an_error);
	tcase_add_test(limits, hostile_names_do_nothing);
	tcase_add_test(limits, names_are_cut_at_the_terminal_only);
	tcase_add_test(limits, nothing_recorded_is_a_table_too);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
