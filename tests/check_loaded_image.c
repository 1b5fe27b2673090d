/* What is loaded of our own program and libraries, against their files. */
#include "elf/loaded_image.h"

#include "symbols/symbol_table.h"
#include "unwind/rows.h"

#include <check.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Suite *loaded_image_suite(void);

struct memory {		   /* what may be read; the rest is not there */
	uint64_t distance; /* from the address to where it really is */
	uint64_t low, high;
};

static size_t read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	const struct memory *memory = context;

	if (address < memory->low || address >= memory->high)
		return 0;
	if (size > memory->high - address)
		size = memory->high - address;
	memcpy(bytes, (const void *)(address + memory->distance), size);
	return size;
}

/* All memory is ours. */
static struct memory everything = {.low = 0, .high = UINT64_MAX};

struct wanted {
	const char *part; /* of the library's path */
	uint64_t base;
	char path[4096];
};

static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
	struct wanted *wanted = context;

	(void)size;
	if (!strstr(info->dlpi_name, wanted->part))
		return 0;
	wanted->base = info->dlpi_addr;
	snprintf(wanted->path, sizeof(wanted->path), "%s", info->dlpi_name);
	return 1;
}

static const char *name_at(struct symbol_table *table, uint64_t file_addr)
{
	struct symbol symbol;

	return symbol_table_find(table, file_addr, &symbol) && symbol.name ? symbol.name : "";
}

/* Every exported function has the same name, every row of the unwind table is the same. */
static void assert_same(struct elf_file *loaded, struct elf_file *file)
{
	struct symbol_table *ours = symbol_table_open(loaded, NULL);
	struct symbol_table *theirs = symbol_table_open(file, NULL);
	struct unwind_rows *our_rows = unwind_rows_compile(loaded, NULL);
	struct unwind_rows *their_rows = unwind_rows_compile(file, NULL);
	size_t symtab, our_dynsym, their_dynsym, frames;
	uint64_t low, high;

	symbol_table_counts(ours, &symtab, &our_dynsym, &frames);
	ck_assert_uint_gt(frames, 50);
	symbol_table_counts(theirs, &symtab, &their_dynsym, &frames);
	ck_assert_uint_eq(our_dynsym, their_dynsym);
	ck_assert_uint_gt(our_dynsym, 10);
	elf_file_text_range(file, &low, &high);
	if (!symtab)
		for (uint64_t at = low; at < high; at += 61)
			if (!strstr(name_at(theirs, at), "@plt"))
				ck_assert_str_eq(name_at(ours, at), name_at(theirs, at));
	ck_assert(our_rows && their_rows);
	ck_assert_uint_eq(our_rows->row_count, their_rows->row_count);
	ck_assert_uint_gt(our_rows->row_count, 100);
	unwind_rows_free(our_rows);
	unwind_rows_free(their_rows);
	symbol_table_close(ours);
	symbol_table_close(theirs);
}

static const char *const libraries[] = {"/libc.so", "/libm.so", "/libelf.so", "/ld-linux"};

START_TEST(library_is_like_its_file)
{
	struct wanted wanted = {.part = libraries[_i]};
	struct loaded_image image = {read_memory, &everything, 0};
	struct error err = {""};
	struct elf_file *loaded, *file;

	ck_assert(dl_iterate_phdr(find_library, &wanted));
	image.address = wanted.base;
	loaded = loaded_image_open(&image, "loaded", &err);
	ck_assert_msg(loaded, "%s", err.text);
	file = elf_file_open(wanted.path, &err);
	ck_assert_msg(file, "%s", err.text);
	ck_assert(build_id_equal(elf_file_build_id(loaded), elf_file_build_id(file)));
	assert_same(loaded, file);
	elf_file_close(loaded);
	elf_file_close(file);
}
END_TEST

START_TEST(memory_that_is_not_there)
{
	struct wanted wanted = {.part = "/libelf.so"};
	struct memory memory;
	struct loaded_image image = {read_memory, &memory, 0};
	struct error err = {""};

	ck_assert(dl_iterate_phdr(find_library, &wanted));
	image.address = wanted.base;
	memory = (struct memory){0, wanted.base, wanted.base + 0x1000};
	for (uint64_t size = 0; size <= 0x1000; size += 24) {
		memory.high = wanted.base + size;
		err.text[0] = '\0';
		ck_assert_ptr_null(loaded_image_open(&image, "loaded", &err));
		ck_assert_str_ne(err.text, "");
	}
}
END_TEST

#define FLIPS 3000

/* Bits turned over in a copy of a library's first bytes, which hold all tables. */
START_TEST(damage_does_no_harm)
{
	struct wanted wanted = {.part = "/libelf.so"};
	struct memory memory;
	struct loaded_image image = {read_memory, &memory, 0};
	struct elf_file *file;
	size_t size = 0, opened = 0;
	uint32_t random = 4711;
	uint8_t *copy;

	ck_assert(dl_iterate_phdr(find_library, &wanted));
	file = elf_file_open(wanted.path, NULL);
	ck_assert_ptr_nonnull(file);
	while (elf_file_read(file, size, &random, 1))
		size++;
	elf_file_close(file);
	ck_assert_uint_gt(size, 4096);
	size &= ~(size_t)4095;
	copy = malloc(size);
	memory = (struct memory){(uintptr_t)copy - wanted.base, wanted.base, wanted.base + size};
	image.address = wanted.base;
	for (int i = 0; i < FLIPS; i++) {
		memcpy(copy, (const void *)wanted.base, size);
		for (int flip = 0; flip < 4; flip++) {
			random = random * 1664525 + 1013904223;
			copy[(random >> 8) % (i % 2 ? 1024 : size)] ^= 1 << (random >> 29);
		}
		file = loaded_image_open(&image, "damaged", NULL);
		opened += file != NULL;
		if (file) {
			struct symbol_table *table = symbol_table_open(file, NULL);

			symbol_table_close(table);
		}
		elf_file_close(file);
	}
	free(copy);
	ck_assert_uint_lt(opened, FLIPS);
}
END_TEST

Suite *loaded_image_suite(void)
{
	Suite *suite = suite_create("loaded_image");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_set_timeout(core, 60);
	tcase_set_timeout(limits, 120);
	tcase_add_loop_test(core, library_is_like_its_file, 0, 4);
	tcase_add_test(limits, memory_that_is_not_there);
	tcase_add_test(limits, damage_does_no_harm);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
