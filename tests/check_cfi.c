/* Call frame information put together by hand, and the rows that must come of it. */
#include "elf/elf_file.h"
#include "fake_module.h"

#include <check.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

/* The rows of one function of 0x20 bytes at 0x1000 with these instructions. */
static const char *rows_of(const uint8_t *code, size_t code_bytes)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);

	fake_fde(&module.eh, cie, 0x1000, 0x20, code, code_bytes);
	return fake_rows_text(&module);
}

START_TEST(test_usual_function)
{
	/* push rbp; mov rbp, rsp; ... leave; ret */
	ck_assert_str_eq(rows_of(FAKE(0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x5b, 0x0c, 7, 8)),
		"1000 cfa rsp+8, ra cfa-8\n"
		"1001 cfa rsp+16, rbp cfa-16, ra cfa-8\n"
		"1004 cfa rbp+16, rbp cfa-16, ra cfa-8\n"
		"101f cfa rsp+8, rbp cfa-16, ra cfa-8\n"
		"1020 no rule\n");
}
END_TEST

START_TEST(test_remembered_states)
{
	/* an early return in the middle: remember, leave, restore */
	ck_assert_str_eq(rows_of(FAKE(0x42, 0x0e, 16, 0x83, 2, 0x44, 0x0a, 0x0e, 8, 0xc3, 0x41,
				 0x0b, 0x41, 0x0e, 24)),
		"1000 cfa rsp+8, ra cfa-8\n"
		"1002 cfa rsp+16, rbx cfa-16, ra cfa-8\n"
		"1006 cfa rsp+8, ra cfa-8\n"
		"1007 cfa rsp+16, rbx cfa-16, ra cfa-8\n"
		"1008 cfa rsp+24, rbx cfa-16, ra cfa-8\n"
		"1020 no rule\n");
}
END_TEST

struct instruction_case {
	const uint8_t *code;
	size_t code_bytes;
	const char *rows; /* from 0x1004 on; before it lies the CIE's row, after it the gap */
};

/* The bytes follow advance_loc 4. Expressions have their length before them. */
static const struct instruction_case instruction_cases[] = {
	{FAKE(0x05, 3, 3), "cfa rsp+8, rbx cfa-24, ra cfa-8"},	    /* offset_extended */
	{FAKE(0x11, 3, 0x7e), "cfa rsp+8, rbx cfa+16, ra cfa-8"},   /* offset_extended_sf -2 */
	{FAKE(0x2f, 3, 2), "cfa rsp+8, rbx cfa+16, ra cfa-8"},	    /* GNU_negative_offset_ext. */
	{FAKE(0x14, 7, 1), "cfa rsp+8, rsp =cfa-8, ra cfa-8"},	    /* val_offset */
	{FAKE(0x15, 7, 0x7f), "cfa rsp+8, rsp =cfa+8, ra cfa-8"},   /* val_offset_sf */
	{FAKE(0x07, 6), "cfa rsp+8, rbp undefined, ra cfa-8"},	    /* undefined */
	{FAKE(0x08, 0), "cfa rsp+8, rax same, ra cfa-8"},	    /* same_value */
	{FAKE(0x09, 16, 5), "cfa rsp+8, ra rdi"},		    /* register */
	{FAKE(0x83, 2, 0xc3), "cfa rsp+8, ra cfa-8"},		    /* restore */
	{FAKE(0x83, 2, 0x06, 3), "cfa rsp+8, ra cfa-8"},	    /* restore_extended */
	{FAKE(0x0c, 6, 16), "cfa rbp+16, ra cfa-8"},		    /* def_cfa */
	{FAKE(0x12, 6, 0x7e), "cfa rbp+16, ra cfa-8"},		    /* def_cfa_sf */
	{FAKE(0x13, 0x7c), "cfa rsp+32, ra cfa-8"},		    /* def_cfa_offset_sf */
	{FAKE(0x0d, 12), "cfa r12+8, ra cfa-8"},		    /* def_cfa_register */
	{FAKE(0x0e, 0x80, 0x80, 1), "cfa rsp+16384, ra cfa-8"},	    /* def_cfa_offset, long LEB */
	{FAKE(0x0f, 3, 0x76, 0x78, 0x06), "cfa [rbp-8], ra cfa-8"}, /* breg6 -8; deref */
	{FAKE(0x0f, 2, 0x77, 16), "cfa expression, ra cfa-8"},	    /* breg7 16 */
	{FAKE(0x10, 3, 2, 0x76, 0x78), "cfa rsp+8, rbx expression, ra cfa-8"},
	{FAKE(0x16, 3, 2, 0x76, 0x78), "cfa rsp+8, rbx =expression, ra cfa-8"},
	{FAKE(0x2e, 0x20), "cfa rsp+8, ra cfa-8"},    /* GNU_args_size */
	{FAKE(0x2d), "cfa rsp+8, ra cfa-8"},	      /* GNU_window_save */
	{FAKE(0x05, 0x21, 3), "cfa rsp+8, ra cfa-8"}, /* a vector register */
	{FAKE(0x07, 16), "cfa rsp+8, outermost"},     /* return address undefined */
	{FAKE(0x90, 3), "cfa rsp+8, ra cfa-24"},      /* elsewhere */
	{FAKE(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22),
		"cfa plt(11), ra cfa-8"},
	{FAKE(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3a, 0x2a, 0x33, 0x24, 0x22),
		"cfa plt(10), ra cfa-8"},
	{FAKE(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2b, 0x33, 0x24, 0x22),
		"cfa expression, ra cfa-8"}, /* gt instead of ge */
};

START_TEST(test_instructions)
{
	const struct instruction_case *test = &instruction_cases[_i];
	uint8_t code[64] = {0x44};
	char expected[256];

	memcpy(code + 1, test->code, test->code_bytes);
	if (strcmp(test->rows, "cfa rsp+8, ra cfa-8") == 0)
		snprintf(expected, sizeof(expected), "1000 %s\n1020 no rule\n", test->rows);
	else
		snprintf(expected, sizeof(expected),
			"1000 cfa rsp+8, ra cfa-8\n1004 %s\n1020 no rule\n", test->rows);
	ck_assert_str_eq(rows_of(code, test->code_bytes + 1), expected);
}
END_TEST

static const struct instruction_case advances[] = {
	{FAKE(0x44, 0x0e, 16), NULL},
	{FAKE(0x02, 4, 0x0e, 16), NULL},
	{FAKE(0x03, 4, 0, 0x0e, 16), NULL},
	{FAKE(0x04, 4, 0, 0, 0, 0x0e, 16), NULL},
	{FAKE(0x1d, 4, 0, 0, 0, 0, 0, 0, 0, 0x0e, 16), NULL},
	{FAKE(0x41, 0x40, 0x43, 0x00, 0x0e, 16), NULL},
};

START_TEST(test_advances)
{
	ck_assert_str_eq(rows_of(advances[_i].code, advances[_i].code_bytes),
		"1000 cfa rsp+8, ra cfa-8\n1004 cfa rsp+16, ra cfa-8\n1020 no rule\n");
}
END_TEST

START_TEST(test_set_loc)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x04, FAKE_USUAL);

	fake_fde(&module.eh, cie, 0x1000, 0x20, FAKE(0x01, 0x10, 0x10, 0, 0, 0, 0, 0, 0, 0x0e, 16));
	ck_assert_str_eq(fake_rows_text(&module),
		"1000 cfa rsp+8, ra cfa-8\n1010 cfa rsp+16, ra cfa-8\n1020 no rule\n");
}
END_TEST

static const uint8_t encodings[] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x0a, 0x0b, 0x0c, /* absolute */
	0x1b, 0x1c, 0x14,				/* relative to their place */
	0x23, 0x2b, 0x3b, 0x3c, 0x4b, 0x50,		/* to .text, .got, the function; aligned */
};

START_TEST(test_pointer_encodings)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie;

	cie = fake_cie(&module.eh, "zR", encodings[_i], FAKE_USUAL);
	fake_fde(&module.eh, cie, 0x1230, 0x10, FAKE(0));
	ck_assert_str_eq(fake_rows_text(&module), "1230 cfa rsp+8, ra cfa-8\n1240 no rule\n");
}
END_TEST

START_TEST(test_augmentations)
{
	static const char *const strings[] = {"zR", "zPLR", "zRS", "zRB", "zPLRSB", "zRx", ""};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		struct fake_module module = {.entry = 0};
		uint8_t encoding = strings[i][0] ? 0x1b : 0;
		uint32_t cie = fake_cie(&module.eh, strings[i], encoding, FAKE_USUAL);

		fake_fde(&module.eh, cie, 0x1000, 0x20, FAKE(0));
		ck_assert_str_eq(fake_rows_text(&module),
			strchr(strings[i], 'S') ? "1000 cfa rsp+8, ra cfa-8, signal\n1020 no rule\n"
						: "1000 cfa rsp+8, ra cfa-8\n1020 no rule\n");
	}
}
END_TEST

/* Sorted whatever their order; neighbours with one rule are one row; gaps have no rule. */
START_TEST(test_functions_are_sorted)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);

	fake_fde(&module.eh, cie, 0x8000, 0x10, FAKE(0));
	fake_fde(&module.eh, cie, 0x1000, 0x10, FAKE(0x0e, 16));
	fake_fde(&module.eh, cie, 0x1020, 0x10, FAKE(0));
	fake_fde(&module.eh, cie, 0x1010, 0x10, FAKE(0));
	ck_assert_str_eq(fake_rows_text(&module), "1000 cfa rsp+16, ra cfa-8\n"
						  "1010 cfa rsp+8, ra cfa-8\n"
						  "1030 no rule\n"
						  "8000 cfa rsp+8, ra cfa-8\n"
						  "8010 no rule\n");
}
END_TEST

START_TEST(test_debug_frame)
{
	static const uint8_t versions[] = {1, 3, 4};

	for (size_t i = 0; i < sizeof(versions); i++) {
		struct fake_module module = {.debug = {.is_debug = true, .version = versions[i]}};
		uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);

		fake_fde(&module.eh, cie, 0x1000, 0x10, FAKE(0));
		cie = fake_cie(&module.debug, "", 0, FAKE_USUAL);
		fake_fde(&module.debug, cie, 0x1000, 0x10, FAKE(0x0e, 32)); /* .eh_frame has it */
		fake_fde(&module.debug, cie, 0x1010, 0x10, FAKE(0x0e, 16));
		ck_assert_str_eq(fake_rows_text(&module), "1000 cfa rsp+8, ra cfa-8\n"
							  "1010 cfa rsp+16, ra cfa-8\n"
							  "1020 no rule\n");
	}
}
END_TEST

START_TEST(test_entry_point_without_cfi)
{
	struct fake_module module = {.entry = 0x1040};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);

	fake_fde(&module.eh, cie, 0x1070, 0x10, FAKE(0));
	ck_assert_str_eq(fake_rows_text(&module), "1040 cfa rsp+8, outermost\n"
						  "1070 cfa rsp+8, ra cfa-8\n"
						  "1080 no rule\n");
	module.entry = 0x1078; /* in a function that has CFI */
	ck_assert_str_eq(fake_rows_text(&module), "1070 cfa rsp+8, ra cfa-8\n1080 no rule\n");
}
END_TEST

START_TEST(test_find)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);
	struct unwind_rows *rows;
	static const struct {
		uint64_t file_addr;
		int32_t offset; /* 0: no rule */
	} cases[] = {{0, 0}, {0x1000, 0}, {0x100f, 0}, {0x1010, 8}, {0x1013, 8}, {0x1014, 16},
		{0x101f, 16}, {0x1020, 0}, {0x8fff, 0}, {0x9000, 0}, {UINT64_MAX, 0},
		{0x100001014, 0}};

	fake_fde(&module.eh, cie, 0x1010, 0x10, FAKE(0x44, 0x0e, 16));
	rows = fake_rows(&module);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct unwind_rule *rule = unwind_rows_find(rows, cases[i].file_addr);

		ck_assert_int_eq(rule->cfa_offset, cases[i].offset);
		ck_assert_int_eq(
			rule->cfa, cases[i].offset ? UNWIND_CFA_REGISTER : UNWIND_CFA_NONE);
	}
	ck_assert_uint_eq(rows->row_count, 3);
	ck_assert_uint_eq(rows->function_count, 1);
	ck_assert_uint_eq(unwind_rows_bytes(rows),
		sizeof(*rows) + 3 * 8 + rows->unit_count * sizeof(uint64_t));
	unwind_rows_free(rows);
}
END_TEST

/* --- limits
 * --------------------------------------------------------------------------------------- */

START_TEST(test_no_cfi)
{
	struct fake_module module = {.entry = 0};
	struct unwind_rows *rows = fake_rows(&module);

	ck_assert_ptr_nonnull(rows);
	ck_assert_uint_eq(rows->row_count, 0);
	ck_assert_int_eq(unwind_rows_find(rows, 0x1000)->cfa, UNWIND_CFA_NONE);
	unwind_rows_free(rows);
	unwind_rows_free(NULL);
}
END_TEST

START_TEST(test_other_machine)
{
	struct fake_module module = {.machine = EM_AARCH64};
	struct elf_file *file = fake_file(&module);
	struct error err = {0};

	ck_assert_ptr_null(unwind_rows_compile(file, &err));
	ck_assert_str_eq(
		err.text, "cannot unwind the stacks of fake: it is not 64-bit x86-64 code");
	elf_file_close(file);
}
END_TEST

/* Damage ends the rows of its function and is counted; what came before it stays. */
static const struct instruction_case damaged[] = {
	{FAKE(0x44, 0x0b), "1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"}, /* nothing remembered */
	{FAKE(0x44, 0x3f), "1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"}, /* unknown */
	{FAKE(0x44, 0x0c, 20, 8), "1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"}, /* CFA by xmm */
	{FAKE(0x44, 0x0f, 0x7f, 0x77), "1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"},
	{FAKE(0x44, 0x05, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
		"1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"}, /* offset beyond 32 bits */
	{FAKE(0x44, 0x0f, 2, 0x77, 8, 0x0e, 16), "1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"},
	{FAKE(0x44, 0x08, 16), "1000 cfa rsp+8, ra cfa-8\n1004 no rule\n"}, /* ra the same */
	{FAKE(0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a,
		 0x0a, 0x0a, 0x0a),
		""}, /* remembers too much */
};

START_TEST(test_damaged_instructions)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);
	struct unwind_rows *rows;

	fake_fde(&module.eh, cie, 0x1000, 0x20, damaged[_i].code, damaged[_i].code_bytes);
	ck_assert_str_eq(fake_rows_text(&module), damaged[_i].rows);
	rows = fake_rows(&module);
	ck_assert_uint_eq(rows->damaged_count, 1);
	unwind_rows_free(rows);
}
END_TEST

START_TEST(test_advance_beyond_the_end)
{
	ck_assert_str_eq(rows_of(FAKE(0x7f, 0x0e, 16)), "1000 cfa rsp+8, ra cfa-8\n1020 no rule\n");
	ck_assert_str_eq(
		rows_of(FAKE(0x1d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0e, 16)), "");
}
END_TEST

/* Functions that a linker dropped start at 0; overlapping ones share at the later start. */
START_TEST(test_odd_functions)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);

	fake_fde(&module.eh, cie, 0, 0x2000, FAKE(0x0e, 64));
	fake_fde(&module.eh, cie, 0x1000, 0x7fffffff, FAKE(0x0e, 16));
	fake_fde(&module.eh, cie, 0x1100, 0x10, FAKE(0));
	fake_fde(&module.eh, cie, 0x1200, 0, FAKE(0x0e, 24));
	fake_fde(&module.eh, cie, 0x8ff0, 0x7fff, FAKE(0x0e, 32));
	fake_fde(&module.eh, cie, 0x9000, 0x10, FAKE(0x0e, 40));
	ck_assert_str_eq(fake_rows_text(&module), "1000 cfa rsp+16, ra cfa-8\n"
						  "1100 cfa rsp+8, ra cfa-8\n"
						  "1110 no rule\n"
						  "8ff0 cfa rsp+32, ra cfa-8\n"
						  "9000 no rule\n");
}
END_TEST

START_TEST(test_fde_without_cie)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);
	struct unwind_rows *rows;

	fake_fde(&module.eh, cie + 4, 0x1000, 0x10, FAKE(0));
	fake_fde(&module.eh, cie, 0x1010, 0x10, FAKE(0));
	rows = fake_rows(&module);
	ck_assert_uint_eq(rows->damaged_count, 1);
	ck_assert_uint_eq(rows->function_count, 1);
	unwind_rows_free(rows);
}
END_TEST

/* A section that ends anywhere gives the functions that are whole. */
START_TEST(test_cut_section)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zPLR", 0x1b, FAKE_USUAL), size;

	for (int i = 0; i < 4; i++)
		fake_fde(&module.eh, cie, 0x1000 + 0x20 * (uint64_t)i, 0x10,
			FAKE(0x44, 0x0f, 2, 0x77, 16, 0x10, 3, 2, 0x76, 0x78));
	for (size = module.eh.size; size > 0; size--) {
		struct unwind_rows *rows;

		module.eh.size = size;
		rows = fake_rows(&module);
		ck_assert_uint_le(rows->function_count, 4);
		ck_assert_uint_eq(rows->row_count, rows->function_count * 3);
		unwind_rows_free(rows);
	}
}
END_TEST

#define add_cases(tcase, test, cases) \
	tcase_add_loop_test(tcase, test, 0, sizeof(cases) / sizeof(cases[0]))

Suite *cfi_suite(void);

Suite *cfi_suite(void)
{
	Suite *suite = suite_create("cfi");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, test_usual_function);
	tcase_add_test(core, test_remembered_states);
	add_cases(core, test_instructions, instruction_cases);
	add_cases(core, test_advances, advances);
	tcase_add_test(core, test_set_loc);
	add_cases(core, test_pointer_encodings, encodings);
	tcase_add_test(core, test_augmentations);
	tcase_add_test(core, test_functions_are_sorted);
	tcase_add_test(core, test_debug_frame);
	tcase_add_test(core, test_entry_point_without_cfi);
	tcase_add_test(core, test_find);
	suite_add_tcase(suite, core);
	tcase_add_test(limits, test_no_cfi);
	tcase_add_test(limits, test_other_machine);
	add_cases(limits, test_damaged_instructions, damaged);
	tcase_add_test(limits, test_advance_beyond_the_end);
	tcase_add_test(limits, test_odd_functions);
	tcase_add_test(limits, test_fde_without_cie);
	tcase_add_test(limits, test_cut_section);
	suite_add_tcase(suite, limits);
	return suite;
}
