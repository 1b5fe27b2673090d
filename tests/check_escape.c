#include "base/escape.h"

#include <check.h>
#include <stdlib.h>

Suite *escape_suite(void);

static void assert_shown(const char *text, const char *wanted)
{
	char *shown = escape_text(text);

	ck_assert_str_eq(shown, wanted);
	free(shown);
}

START_TEST(plain_text_stays)
{
	assert_shown("std::vector<int>::at(size_t)", "std::vector<int>::at(size_t)");
	assert_shown("C:\\path \"quoted\"", "C:\\path \"quoted\"");
	assert_shown("größe ± 漢 🔥", "größe ± 漢 🔥");
	assert_shown("", "");
}
END_TEST

START_TEST(controls_become_visible)
{
	assert_shown("a\033[31mred\n", "a\\x1b[31mred\\x0a");
	assert_shown("\x7f", "\\x7f");
	assert_shown("\xc2\x9b", "\\x9b");	 /* CSI as one C1 character */
	assert_shown("\xe2\x80\xae", "\\u202e"); /* right-to-left override */
	assert_shown("\xf3\xa0\x80\x81", "\\U0e0001");
}
END_TEST

START_TEST(invalid_utf8_becomes_visible)
{
	assert_shown("\xff", "\\xff");
	assert_shown("a\xc3", "a\\xc3");		 /* cut short by the end */
	assert_shown("\xc3(", "\\xc3(");		 /* cut short by another character */
	assert_shown("\xc0\xaf", "\\xc0\\xaf");		 /* overlong */
	assert_shown("\xe0\x80\x80", "\\xe0\\x80\\x80"); /* overlong */
	assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
	assert_shown("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* beyond the last one */
}
END_TEST

START_TEST(every_character_survives_encoding)
{
	size_t lost = 0; /* counted: a million assertions take seconds */
	char bytes[5];

	for (uint32_t character = 1; character < 0x110000; character++) {
		const char *text = bytes;

		if (character >= 0xd800 && character < 0xe000)
			continue;
		escape_encode(character, bytes);
		lost += escape_next(&text) != character || *text != '\0';
	}
	ck_assert_uint_eq(lost, 0);
}
END_TEST

static void assert_fits(const char *text, size_t width, const char *wanted)
{
	char *cut = escape_fit(text, width);

	ck_assert_str_eq(cut, wanted);
	free(cut);
}

START_TEST(width_counts_characters)
{
	ck_assert_uint_eq(escape_width("±a漢"), 3);
	assert_fits("±a漢", 0, "±a漢");
	assert_fits("±a漢", 3, "±a漢");
	assert_fits("±a漢", 2, "±…");
	assert_fits("abc", 1, "…");
	assert_fits("", 1, "");
}
END_TEST

Suite *escape_suite(void)
{
	Suite *suite = suite_create("escape");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, plain_text_stays);
	tcase_add_test(core, controls_become_visible);
	tcase_add_test(core, width_counts_characters);
	tcase_add_test(limits, invalid_utf8_becomes_visible);
	tcase_add_test(limits, every_character_survives_encoding);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
