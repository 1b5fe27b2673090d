#include "jit/perf_map.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *perf_map_suite(void);

/* The good lines of the text as "START+SIZE NAME;". */
static void assert_lines(const char *text, const char *wanted, const char *rest)
{
	const char *at = text;
	struct perf_map_line line;
	char shown[512] = "";

	while (perf_map_next(&at, text + strlen(text), &line))
		snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%llx+%llx %.*s;",
			(unsigned long long)line.start, (unsigned long long)line.size,
			(int)line.name_length, line.name);
	ck_assert_str_eq(shown, wanted);
	ck_assert_str_eq(at, rest);
}

START_TEST(lines_are_read)
{
	assert_lines("7f00 10 LazyCompile:~fib fib.js:1:13\n8000 8 Stub:x\n",
		"7f00+10 LazyCompile:~fib fib.js:1:13;8000+8 Stub:x;", "");
	assert_lines("0x7F00 0x1a f\r\n", "7f00+1a f;", "");
	assert_lines("1 1  spaces before and behind  \n", "1+1 spaces before and behind;", "");
	assert_lines("0 1 zero\n", "0+1 zero;", "");
}
END_TEST

START_TEST(unfinished_line_waits)
{
	assert_lines("10 1 a\n20 1 b", "10+1 a;", "20 1 b");
	assert_lines("20 1 b", "", "20 1 b");
	assert_lines("", "", "");
}
END_TEST

START_TEST(bad_lines_are_skipped)
{
	assert_lines("\nno\n10\n10 20\n10 20 \n10 0 empty\n10 xx f\n-1 4 f\n30 4 good\n",
		"30+4 good;", "");
	assert_lines("ffffffffffffffff 1 wraps\n10000000000000000 1 long\n10 1 good\n",
		"10+1 good;", "");
	assert_lines("0x 1 f\n0 0x f\n", "", "");
	assert_lines(
		"ffffffffffffffff 0 f\nfffffffffffffffe 1 last\n", "fffffffffffffffe+1 last;", "");
}
END_TEST

START_TEST(names_are_bounded)
{
	char text[4096] = "10 1 ";
	const char *at = text;
	struct perf_map_line line;

	memset(text + 5, 'n', 3000);
	strcpy(text + 3005, "\n");
	ck_assert(perf_map_next(&at, text + 3006, &line));
	ck_assert_uint_eq(line.name_length, PERF_MAP_NAME_MAX);
	ck_assert_ptr_eq(at, text + 3006);
}
END_TEST

START_TEST(nul_ends_a_name)
{
	static const char text[] = "10 1 ab\0cd\n20 1 \0x\n30 1 e\n";
	const char *at = text, *end = text + sizeof(text) - 1;
	struct perf_map_line line;

	ck_assert(perf_map_next(&at, end, &line));
	ck_assert_uint_eq(line.name_length, 2);
	ck_assert(perf_map_next(&at, end, &line));
	ck_assert_uint_eq(line.start, 0x30);
	ck_assert(!perf_map_next(&at, end, &line));
}
END_TEST

Suite *perf_map_suite(void)
{
	Suite *suite = suite_create("perf_map");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, lines_are_read);
	tcase_add_test(core, unfinished_line_waits);
	tcase_add_test(limits, bad_lines_are_skipped);
	tcase_add_test(limits, names_are_bounded);
	tcase_add_test(limits, nul_ends_a_name);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
