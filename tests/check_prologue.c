/* Code bytes without CFI: what a prologue leaves on the stack, and whose call a return address is.
 */
#include "fake_module.h"
#include "unwind/guess.h"
#include "unwind/prologue.h"

#include <check.h>
#include <stdlib.h>

#define CODE UINT64_C(0x555555551000)

static uint8_t code[512];
static uint32_t readable = sizeof(code);
static struct walk_module module = {.low = CODE, .high = CODE + sizeof(code)};

static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	(void)context;
	if (address < CODE || address - CODE > readable - 8)
		return false;
	memcpy(value, code + (address - CODE), 8);
	return true;
}

static const struct walk_module *find_module(void *context, uint64_t ip)
{
	(void)context;
	return ip >= module.low && ip < module.high ? &module : NULL;
}

static const struct walk_source source = {.find_module = find_module, .read_word = read_word};

static void start(void)
{
	memset(code, 0x90, sizeof(code));
}

static void put(size_t at, const char *bytes, size_t length)
{
	memcpy(code + at, bytes, length);
}

#define PUT(at, bytes) put(at, bytes, sizeof(bytes) - 1)

START_TEST(pushes_and_room_are_counted_up_to_ip)
{
	struct prologue prologue;

	/* endbr64; push rbx; push r12; push rdi; sub $24, rsp; nop */
	PUT(0, "\xf3\x0f\x1e\xfa\x53\x41\x54\x57\x48\x83\xec\x18");
	ck_assert(prologue_decode(&source, CODE, CODE + 100, &prologue));
	ck_assert_uint_eq(prologue.words, 6);
	ck_assert_uint_eq(prologue.saved_count, 3);
	ck_assert_uint_eq(prologue.saved_register[0], UNWIND_RBX);
	ck_assert_uint_eq(prologue.saved_register[1], UNWIND_R12);
	ck_assert_uint_eq(prologue.saved_register[2], UNWIND_RDI);
	ck_assert(!prologue.has_frame_pointer);
	ck_assert(prologue_decode(&source, CODE, CODE + 8, &prologue));
	ck_assert_uint_eq(prologue.words, 3);
	ck_assert(prologue_decode(&source, CODE, CODE + 5, &prologue));
	ck_assert_uint_eq(prologue.words, 1);
	ck_assert(prologue_decode(&source, CODE, CODE, &prologue));
	ck_assert_uint_eq(prologue.words, 0);
}
END_TEST

START_TEST(a_frame_pointer_is_seen)
{
	struct prologue prologue;

	PUT(0, "\x55\x48\x89\xe5\x53\x48\x81\xec\x00\x10\x00\x00");
	ck_assert(prologue_decode(&source, CODE, CODE + 100, &prologue));
	ck_assert(prologue.has_frame_pointer);
	ck_assert_uint_eq(prologue.words, 2 + 0x1000 / 8);
	PUT(0, "\x53\x55\x48\x89\xe5"); /* rbp is not the first that is pushed: not a frame's */
	ck_assert(prologue_decode(&source, CODE, CODE + 100, &prologue));
	ck_assert(!prologue.has_frame_pointer);
}
END_TEST

START_TEST(an_epilogue_is_nothing_else)
{
	struct prologue epilogue;

	PUT(0, "\x48\x83\xc4\x18\x5b\x41\x5c\xc3"); /* add $24, rsp; pop rbx; pop r12; ret */
	ck_assert(epilogue_decode(&source, CODE, &epilogue));
	ck_assert_uint_eq(epilogue.words, 5);
	ck_assert_uint_eq(epilogue.saved_count, 2);
	ck_assert_uint_eq(epilogue.saved_register[0], UNWIND_R12);
	ck_assert_uint_eq(epilogue.saved_register[1], UNWIND_RBX);
	ck_assert(epilogue_decode(&source, CODE + 7, &epilogue));
	ck_assert_uint_eq(epilogue.words, 0);
	PUT(6, "\x90");
	ck_assert(!epilogue_decode(&source, CODE, &epilogue));
}
END_TEST

START_TEST(code_that_cannot_be_read_says_nothing)
{
	static const struct walk_source blind = {.find_module = find_module};
	struct prologue prologue;

	ck_assert(!prologue_decode(&source, CODE - 8, CODE, &prologue));
	ck_assert(!prologue_decode(&blind, CODE, CODE, &prologue));
	ck_assert(!epilogue_decode(&blind, CODE, &prologue));
	readable = 8; /* ends within an instruction */
	PUT(0, "\x90\x90\x48\x83\xc4\x18\x48\x81");
	ck_assert(!epilogue_decode(&source, CODE + 2, &prologue));
	PUT(0, "\x53\x53\x53\x53\x53\x53\x53\x41");
	ck_assert(prologue_decode(&source, CODE, CODE + 50, &prologue));
	ck_assert_uint_eq(prologue.words, 7);
	memset(code, 0x53, sizeof(code));
	readable = sizeof(code);
	ck_assert(prologue_decode(&source, CODE, CODE + 500, &prologue));
	ck_assert_uint_eq(prologue.words, 64); /* as far as code is read */
	ck_assert_uint_eq(prologue.saved_count, 8);
}
END_TEST

/* CODE: a stub; CODE + 16: calls it, CODE + 32 calls CODE + 64. The module has no rows. */
START_TEST(a_call_of_another_function_is_told)
{
	PUT(0, "\xf3\x0f\x1e\xfa\xff\x25\x00\x00\x00\x00");
	PUT(16, "\xe8\xeb\xff\xff\xff");
	PUT(32, "\xe8\x1b\x00\x00\x00");
	PUT(48, "\xff\xd0");
	ck_assert(!guess_is_call_of_another(&source, CODE + 21, CODE + 200)); /* a PLT's entry */
	ck_assert(guess_is_call_of_another(&source, CODE + 37, CODE + 50));
	ck_assert(!guess_is_call_of_another(&source, CODE + 50, CODE + 200)); /* who knows */
	ck_assert(!guess_is_call_of(&source, CODE + 50, CODE + 200));
	ck_assert(!guess_is_call_of(&source, CODE + 37, CODE + 70)); /* no rows cover it */
}
END_TEST

/* Two functions, from 64 to 96 and from 96 to 150 with filling between; 32 calls the first. */
START_TEST(a_call_of_the_covering_function_is_told)
{
	struct fake_module fake = {.entry = 0};
	uint32_t cie = fake_cie(&fake.eh, "zR", 0x1b, FAKE_USUAL);
	struct unwind_rows *rows;

	fake_fde(&fake.eh, cie, FAKE_TEXT + 64, 30, FAKE(0));
	fake_fde(&fake.eh, cie, FAKE_TEXT + 96, 54, FAKE(0));
	rows = fake_rows(&fake);
	module.rows = rows;
	module.bias = CODE - FAKE_TEXT;
	PUT(32, "\xe8\x1b\x00\x00\x00");
	ck_assert(guess_is_call_of(&source, CODE + 37, CODE + 64));
	ck_assert(guess_is_call_of(&source, CODE + 37, CODE + 93));
	ck_assert(!guess_is_call_of(&source, CODE + 37, CODE + 96));
	ck_assert(!guess_is_call_of(&source, CODE + 37, CODE + 120));
	ck_assert(!guess_is_call_of(&source, CODE + 37, CODE + 60)); /* before its start */
	ck_assert(!guess_is_call_of_another(&source, CODE + 37, CODE + 70));
	ck_assert(guess_is_call_of_another(&source, CODE + 37, CODE + 120));
	module.rows = NULL;
	module.bias = 0;
	free(rows);
}
END_TEST

Suite *prologue_suite(void);

Suite *prologue_suite(void)
{
	Suite *suite = suite_create("prologue");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, NULL);
	tcase_add_checked_fixture(limits, start, NULL);
	tcase_add_test(core, pushes_and_room_are_counted_up_to_ip);
	tcase_add_test(core, a_frame_pointer_is_seen);
	tcase_add_test(core, an_epilogue_is_nothing_else);
	tcase_add_test(core, a_call_of_another_function_is_told);
	tcase_add_test(core, a_call_of_the_covering_function_is_told);
	tcase_add_test(limits, code_that_cannot_be_read_says_nothing);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
