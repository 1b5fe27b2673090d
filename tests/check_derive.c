/*
 * Rows that are derived from instructions: single ones, a function written by hand, and those of a
 * whole library beside its CFI.
 */
#include "elf/elf_file.h"
#include "unwind/derive.h"
#include "unwind/instruction.h"

#include <check.h>
#include <dlfcn.h>
#include <string.h>

struct expected {
	uint8_t bytes[12];
	uint8_t length, kind, reg;
	int64_t value; /* or target, at address 0x1000 */
};

static const struct expected instructions[] = {
	{{0x55}, 1, INSTRUCTION_PUSH, UNWIND_RBP}, {{0x41, 0x57}, 2, INSTRUCTION_PUSH, 15},
	{{0x6a, 0x10}, 2, INSTRUCTION_PUSH, 16},
	{{0xff, 0x74, 0x24, 0x08}, 4, INSTRUCTION_PUSH, 16}, {{0x41, 0x5c}, 2, INSTRUCTION_POP, 12},
	{{0x48, 0x83, 0xec, 0x28}, 4, INSTRUCTION_ADJUST, 16, -0x28},
	{{0x48, 0x83, 0xc4, 0x28}, 4, INSTRUCTION_ADJUST, 16, 0x28},
	{{0x48, 0x81, 0xec, 0x00, 0x10, 0, 0}, 7, INSTRUCTION_ADJUST, 16, -0x1000},
	{{0x48, 0x8d, 0x64, 0x24, 0xf8}, 5, INSTRUCTION_ADJUST, 16, -8},
	{{0x48, 0x89, 0xe5}, 3, INSTRUCTION_RBP_FROM_RSP, 16, 0},
	{{0x48, 0x8b, 0xec}, 3, INSTRUCTION_RBP_FROM_RSP, 16, 0},
	{{0x48, 0x8d, 0x65, 0xd8}, 4, INSTRUCTION_RSP_FROM_RBP, 16, -0x28},
	{{0x48, 0x83, 0xe4, 0xf0}, 4, INSTRUCTION_RSP_LOST, 16, 0},
	{{0x48, 0x29, 0xc4}, 3, INSTRUCTION_RSP_LOST, 16, 0}, {{0xc9}, 1, INSTRUCTION_LEAVE, 16},
	{{0xc3}, 1, INSTRUCTION_RETURN, 16}, {{0xf3, 0xc3}, 2, INSTRUCTION_RETURN, 16},
	{{0xe8, 0xfb, 0xff, 0xff, 0xff}, 5, INSTRUCTION_CALL, 16, 0x1000},
	{{0xff, 0x15, 0, 0, 0, 0}, 6, INSTRUCTION_CALL, 16},
	{{0xeb, 0x10}, 2, INSTRUCTION_JUMP, 16, 0x1012},
	{{0x0f, 0x84, 0, 1, 0, 0}, 6, INSTRUCTION_BRANCH, 16, 0x1106},
	{{0xff, 0x24, 0xc5, 0, 0x20, 0x40, 0}, 7, INSTRUCTION_TABLE, 16, 0x402000},
	{{0x48, 0x63, 0x04, 0x82}, 4, INSTRUCTION_OFFSET, UNWIND_RDX},
	{{0x48, 0x8d, 0x15, 0xf9, 0x0f, 0, 0}, 7, INSTRUCTION_ADDRESS, UNWIND_RDX, 0x2000},
	{{0xbf, 0x00, 0x20, 0x40, 0x00}, 5, INSTRUCTION_ADDRESS, UNWIND_RDI, 0x402000},
	{{0x83, 0xf8, 0x07}, 3, INSTRUCTION_COMPARE, 16, 7},
	{{0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}, 8, INSTRUCTION_NOP, 16},
	{{0x66, 0x90}, 2, INSTRUCTION_NOP, 16}, {{0x0f, 0x0b}, 2, INSTRUCTION_STOP, 16},
	/* only their lengths */
	{{0xf6, 0x44, 0x24, 0x08, 0x01}, 5, INSTRUCTION_OTHER, 16}, /* test byte [rsp+8], 1 */
	{{0xf7, 0xd8}, 2, INSTRUCTION_OTHER, 16},		    /* neg eax */
	{{0x66, 0xc7, 0x00, 0x34, 0x12}, 5, INSTRUCTION_OTHER, 16},
	{{0x66, 0x0f, 0x3a, 0x0f, 0xc1, 0x08}, 6, INSTRUCTION_OTHER, 16},	/* palignr */
	{{0xc5, 0xf8, 0x77}, 3, INSTRUCTION_OTHER, 16},				/* vzeroupper */
	{{0xc5, 0xfd, 0x6f, 0x06}, 4, INSTRUCTION_OTHER, 16},			/* vmovdqa */
	{{0xc4, 0xe3, 0x7d, 0x39, 0xc1, 0x01}, 6, INSTRUCTION_OTHER, 16},	/* vextracti128 */
	{{0x62, 0xf1, 0x7c, 0x48, 0x10, 0x46, 0x01}, 7, INSTRUCTION_OTHER, 16}, /* vmovups zmm */
};

START_TEST(an_instruction_is_known)
{
	const struct expected *expected = &instructions[_i];
	struct instruction found;

	ck_assert(instruction_decode(&found, expected->bytes, sizeof(expected->bytes), 0x1000));
	ck_assert_uint_eq(found.length, expected->length);
	ck_assert_uint_eq(found.kind, expected->kind);
	ck_assert_uint_eq(found.reg, expected->reg);
	ck_assert_int_eq(found.target ? (int64_t)found.target : found.value, expected->value);
}
END_TEST

/* --- a library beside its CFI -------------------------------------------------------------------
 */

struct library {
	struct elf_file *file;
	struct unwind_rows *rows;
	struct elf_section text;
	struct cfi cfi; /* of which nothing is known */
	struct derived derived;
};

/* libelf, as the distribution built it. */
static void open_library(struct library *library)
{
	Dl_info info;

	ck_assert(dladdr((void *)(uintptr_t)elf_version, &info));
	library->file = elf_file_open(info.dli_fname, NULL);
	ck_assert_ptr_nonnull(library->file);
	library->rows = unwind_rows_compile(library->file, NULL);
	ck_assert(elf_file_section(library->file, ".text", &library->text));
	library->cfi = (struct cfi){.low = library->text.file_addr,
		.high = library->text.file_addr + library->text.size};
	derive_gaps(&library->derived, library->file, &library->cfi);
}

static void close_library(struct library *library)
{
	derived_release(&library->derived);
	unwind_rows_free(library->rows);
	elf_file_close(library->file);
}

static bool is_same_cfa(const struct derived_state *state, const struct unwind_rule *rule)
{
	if (rule->cfa_register == UNWIND_RSP)
		return state->depth == rule->cfa_offset;
	return state->rbp_depth == rule->cfa_offset;
}

START_TEST(derived_rows_are_those_of_the_cfi)
{
	struct library library = {0};
	const struct derived_gap *gap;
	size_t same = 0, other = 0, none = 0, all;

	open_library(&library);
	ck_assert_uint_eq(library.derived.gaps.count, 1);
	gap = &library.derived.gaps.items[0];
	for (uint64_t address = gap->start; address < gap->end; address++) {
		const struct unwind_rule *rule = unwind_rows_find(library.rows, address);
		uint32_t number = gap->states[address - gap->start];

		if (rule->cfa != UNWIND_CFA_REGISTER || rule->flags & UNWIND_RULE_DERIVED)
			continue;
		if (!number)
			none++;
		else if (is_same_cfa(&library.derived.states.items[number - 1], rule))
			same++;
		else
			other++;
	}
	all = same + other + none;
	ck_assert_uint_gt(all, 10000);
	ck_assert_msg(same * 100 >= all * 93, "same %zu, other %zu, none %zu", same, other, none);
	close_library(&library);
}
END_TEST

/* --- limits -------------------------------------------------------------------------------------
 */

START_TEST(a_part_of_an_instruction_is_none)
{
	const struct expected *expected = &instructions[_i];
	struct instruction found;

	for (size_t size = 0; size < expected->length; size++) {
		uint8_t *bytes = alloc_bytes(size + 1);

		memcpy(bytes + 1, expected->bytes, size); /* what lies beyond is not ours */
		if (instruction_decode(&found, bytes + 1, size, 0x1000))
			ck_assert_uint_le(found.length, size);
		free(bytes);
	}
}
END_TEST

START_TEST(any_bytes_can_be_decoded)
{
	uint8_t bytes[16];
	uint64_t random = 88172645463325252u;
	struct instruction found;

	for (size_t round = 0; round < 200000; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[i] = (uint8_t)random;
		}
		if (!instruction_decode(&found, bytes, 1 + round % 16, 0x1000))
			continue;
		ck_assert_uint_ge(found.length, 1);
		ck_assert_uint_le(found.length, 1 + round % 16);
	}
}
END_TEST

START_TEST(no_instruction)
{
	static const uint8_t wrong[][2] = {
		{0x06}, {0x9a}, {0xea}, {0xd6}, {0x0f, 0x04}, {0x0f, 0x0a}};
	struct instruction found;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert(!instruction_decode(&found, wrong[i], sizeof(wrong[i]), 0));
}
END_TEST

Suite *derive_suite(void);
Suite *derive_suite(void)
{
	const int count = sizeof(instructions) / sizeof(instructions[0]);
	Suite *suite = suite_create("derive");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_loop_test(core, an_instruction_is_known, 0, count);
	tcase_add_test(core, derived_rows_are_those_of_the_cfi);
	tcase_add_loop_test(limits, a_part_of_an_instruction_is_none, 0, count);
	tcase_add_test(limits, any_bytes_can_be_decoded);
	tcase_add_test(limits, no_instruction);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
