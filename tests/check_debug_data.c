/* .gnu_debugdata, made as its inventors do: the symbols alone, compressed by xz. */
#include "elf/debug_data.h"

#include "fixture_dir.h"
#include "symbols/symbol_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *debug_data_suite(void);

static char *directory;

static void make_directory(void)
{
	directory = fixture_dir_make();
	fixture_write(directory, "small.c",
		"static __attribute__((noinline)) int twice(int n) { return 2 * n; }\n"
		"int main(int argc, char **argv) { return twice(argc) + !argv; }\n");
	fixture_run(directory, "gcc -O1 small.c -o small && strip -o stripped small");
	fixture_run(directory, "objcopy --only-keep-debug -g small inner && xz -9 inner");
	fixture_run(directory, "objcopy --add-section .gnu_debugdata=inner.xz stripped mini");
}

static void remove_directory(void)
{
	fixture_dir_remove(directory);
}

static struct elf_file *open_fixture(const char *name)
{
	struct error err = {""};
	struct elf_file *file = elf_file_open(fixture_path(directory, name), &err);

	ck_assert_msg(file, "%s", err.text);
	return file;
}

/* Whether the file has the inner one. */
static bool has_inner(const char *name)
{
	struct elf_file *file = open_fixture(name), *inner = debug_data_open(file);
	bool has = inner != NULL;

	elf_file_close(inner);
	elf_file_close(file);
	return has;
}

START_TEST(stripped_file_names_its_functions)
{
	struct elf_file *file = open_fixture("mini");
	struct symbol_table *table = symbol_table_open(file, NULL);
	uint64_t twice = fixture_symbol(directory, "small", "twice"), main_address = fixture_symbol(directory, "small", "main");
	size_t symtab, dynsym, frames;
	struct symbol symbol;

	ck_assert(symbol_table_find(table, twice + 1, &symbol));
	ck_assert_str_eq(symbol.name, "twice");
	ck_assert_uint_eq(symbol.entry, twice);
	ck_assert(symbol_table_find(table, main_address + 4, &symbol));
	ck_assert_str_eq(symbol.name, "main");
	symbol_table_counts(table, &symtab, &dynsym, &frames);
	ck_assert_uint_gt(symtab, 2);
	symbol_table_close(table);
	elf_file_close(file);
}
END_TEST

START_TEST(most_files_have_none)
{
	ck_assert(has_inner("mini"));
	ck_assert(!has_inner("stripped"));
	ck_assert(!has_inner("small"));
}
END_TEST

START_TEST(damage_is_no_file)
{
	fixture_run(directory, "head -c 100 inner.xz >cut.xz && "
			       "objcopy --add-section .gnu_debugdata=cut.xz stripped cut");
	ck_assert(!has_inner("cut"));
	fixture_run(directory, "objcopy --add-section .gnu_debugdata=small.c stripped text");
	ck_assert(!has_inner("text"));
	fixture_run(directory, "xz -c small.c >text.xz && "
			       "objcopy --add-section .gnu_debugdata=text.xz stripped no_elf");
	ck_assert(!has_inner("no_elf"));
}
END_TEST

/* A few KiB that become more than is read. */
START_TEST(bomb_does_no_harm)
{
	fixture_run(directory,
		"{ xz -dc inner.xz; head -c %u /dev/zero; } | xz -0 >bomb.xz && "
		"objcopy --add-section .gnu_debugdata=bomb.xz stripped bomb",
		DEBUG_DATA_MAX);
	ck_assert(!has_inner("bomb"));
}
END_TEST

Suite *debug_data_suite(void)
{
	Suite *suite = suite_create("debug_data");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_unchecked_fixture(core, make_directory, remove_directory);
	tcase_add_unchecked_fixture(limits, make_directory, remove_directory);
	tcase_set_timeout(limits, 60);
	tcase_add_test(core, stripped_file_names_its_functions);
	tcase_add_test(core, most_files_have_none);
	tcase_add_test(limits, damage_is_no_file);
	tcase_add_test(limits, bomb_does_no_harm);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
