#include "jit/jit_symbols.h"

#include <check.h>
#include <stdlib.h>

Suite *jit_symbols_suite(void);

static struct jit_symbols symbols;

static void setup(void)
{
	symbols = (struct jit_symbols){0};
}

static void teardown(void)
{
	jit_symbols_release(&symbols);
}

static void add(uint64_t start, uint64_t size, const char *name)
{
	jit_symbols_add(&symbols, &(struct perf_map_line){start, size, name, strlen(name)});
}

static const char *name_at(uint64_t address)
{
	struct jit_symbol symbol;

	return jit_symbols_find(&symbols, address, &symbol) ? symbol.name : "-";
}

START_TEST(later_code_replaces_what_it_covers)
{
	add(0x100, 0x100, "a");
	add(0x300, 0x100, "b");
	ck_assert_str_eq(name_at(0xff), "-");
	ck_assert_str_eq(name_at(0x100), "a");
	ck_assert_str_eq(name_at(0x1ff), "a");
	ck_assert_str_eq(name_at(0x200), "-");
	add(0x140, 0x10, "inside");
	ck_assert_str_eq(name_at(0x13f), "a");
	ck_assert_str_eq(name_at(0x14f), "inside");
	ck_assert_str_eq(name_at(0x150), "a");
	add(0x180, 0x200, "over");
	ck_assert_str_eq(name_at(0x17f), "a");
	ck_assert_str_eq(name_at(0x250), "over");
	ck_assert_str_eq(name_at(0x380), "b");
	add(0, UINT64_MAX, "all");
	ck_assert_str_eq(name_at(0x145), "all");
	ck_assert_str_eq(name_at(0x380), "all");
	ck_assert_uint_eq(symbols.map.blocks.count, 1);
	ck_assert_uint_eq(symbols.map.blocks.items[0].count, 1);
}
END_TEST

START_TEST(code_moves)
{
	struct jitdump_record record = {
		.kind = JITDUMP_LOAD, .address = 0x1000, .size = 0x10, .name = "f"};
	struct jitdump_record move = {
		.kind = JITDUMP_MOVE, .old_address = 0x1000, .address = 0x2000, .size = 0x10};
	struct jit_symbol symbol;

	jit_symbols_apply(&symbols, &record);
	jit_symbols_apply(&symbols, &move);
	ck_assert_str_eq(name_at(0x1000), "-");
	ck_assert(jit_symbols_find(&symbols, 0x200f, &symbol));
	ck_assert_str_eq(symbol.name, "f");
	ck_assert_uint_eq(symbol.start, 0x2000);
	jit_symbols_apply(&symbols, &move); /* not there any more */
	ck_assert_str_eq(name_at(0x2000), "f");
}
END_TEST

START_TEST(lines_belong_to_the_next_code)
{
	static const uint8_t entries[] = "\x00\x10\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0"
					 "f.js\0"
					 "\x08\x10\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\xff";
	struct jitdump_record debug = {.kind = JITDUMP_DEBUG,
		.address = 0x1000,
		.lines = {.at = entries, .end = entries + sizeof(entries), .left = 2}};
	struct jitdump_record load = {
		.kind = JITDUMP_LOAD, .address = 0x1000, .size = 0x10, .name = "f"};
	struct jit_symbol symbol;

	jit_symbols_apply(&symbols, &debug);
	jit_symbols_apply(&symbols, &load);
	ck_assert(jit_symbols_find(&symbols, 0x1007, &symbol));
	ck_assert_str_eq(symbol.file, "f.js");
	ck_assert_uint_eq(symbol.line, 10);
	ck_assert(jit_symbols_find(&symbols, 0x1008, &symbol));
	ck_assert_str_eq(symbol.file, "f.js");
	ck_assert_uint_eq(symbol.line, 11);

	load.address = 0x3000; /* another's */
	jit_symbols_apply(&symbols, &debug);
	jit_symbols_apply(&symbols, &load);
	ck_assert(jit_symbols_find(&symbols, 0x3000, &symbol));
	ck_assert_ptr_null(symbol.file);
}
END_TEST

START_TEST(copies_are_independent)
{
	struct jit_symbols copy = {0};
	struct jit_symbol symbol;

	add(0x100, 0x100, "a");
	jit_symbols_copy(&copy, &symbols);
	add(0x100, 0x100, "b");
	ck_assert(jit_symbols_find(&copy, 0x100, &symbol));
	ck_assert_str_eq(symbol.name, "a");
	ck_assert_str_eq(name_at(0x100), "b");
	jit_symbols_release(&copy);
}
END_TEST

#define PLACES 4096

/* Against an array with one cell per address. */
START_TEST(any_order_agrees_with_an_array)
{
	static uint32_t cells[PLACES];
	struct code_map map = {0};
	uint32_t random = 12345;

	memset(cells, 0, sizeof(cells));
	for (uint32_t code = 1; code < 20000; code++) {
		uint32_t low, high, put = code % 7 ? code : 0;

		random = random * 1664525 + 1013904223;
		low = (random >> 8) % PLACES;
		high = low + (random >> 20) % (code % 50 ? 8 : 700);
		if (high > PLACES)
			high = PLACES;
		code_map_put(&map, low, high, put);
		for (uint32_t i = low; i < high; i++)
			cells[i] = put;
		for (uint32_t i = code % 97; i < PLACES; i += 97)
			ck_assert_uint_eq(code_map_find(&map, i), cells[i]);
	}
	for (size_t i = 0; i < map.blocks.count; i++)
		ck_assert(map.blocks.items[i].count > 0 &&
			  map.blocks.items[i].count <= CODE_BLOCK_MAX);
	ck_assert_uint_gt(map.blocks.count, 1);
	code_map_release(&map);
}
END_TEST

Suite *jit_symbols_suite(void)
{
	Suite *suite = suite_create("jit_symbols");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_add_test(core, later_code_replaces_what_it_covers);
	tcase_add_test(core, code_moves);
	tcase_add_test(core, lines_belong_to_the_next_code);
	tcase_add_test(core, copies_are_independent);
	tcase_add_test(limits, any_order_agrees_with_an_array);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
