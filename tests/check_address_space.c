/*
 * The mappings of a process. Each image has a number as its module and no file, where none is
 * needed; spaces are shown as "1000-2000:1 3000-4000:2".
 */
#include "collect/address_space.h"

#include <check.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 64 };

static struct image images[IMAGES];
static struct address_space *space;

static void start(void)
{
	for (module_id id = 0; id < IMAGES; id++)
		images[id] = (struct image){.module = id};
	space = address_space_new();
}

static void finish(void)
{
	address_space_free(space);
}

static void map(uint64_t low, uint64_t high, module_id id)
{
	address_space_map(
		space, &(struct event_mmap){.address = low, .length = high - low}, &images[id]);
}

static const char *text_of(const struct address_space *shown)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < shown->mappings.count; i++) {
		const struct mapping *mapping = &shown->mappings.items[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%lx-%lx:%u",
			i ? " " : "", (unsigned long)mapping->walk.low,
			(unsigned long)mapping->walk.high, mapping->module);
	}
	return text;
}

/* The module that an address belongs to; 0: none. */
static module_id at(uint64_t ip)
{
	const struct mapping *mapping = address_space_find(space, ip);

	return mapping ? mapping->module : 0;
}

START_TEST(mappings_are_sorted_and_found)
{
	ck_assert_uint_eq(at(0x1000), 0);
	map(0x5000, 0x6000, 3);
	map(0x1000, 0x2000, 1);
	map(0x3000, 0x4000, 2);
	ck_assert_str_eq(text_of(space), "1000-2000:1 3000-4000:2 5000-6000:3");
	ck_assert_uint_eq(at(0xfff), 0);
	ck_assert_uint_eq(at(0x1000), 1);
	ck_assert_uint_eq(at(0x1fff), 1);
	ck_assert_uint_eq(at(0x2000), 0);
	ck_assert_uint_eq(at(0x3800), 2);
	ck_assert_uint_eq(at(0x5fff), 3);
	ck_assert_uint_eq(at(0x6000), 0);
	ck_assert_uint_eq(at(0x1800), 1);
}
END_TEST

START_TEST(neighbours_touch_without_overlap)
{
	map(0x1000, 0x2000, 1);
	map(0x2000, 0x3000, 2);
	map(0x0, 0x1000, 3);
	ck_assert_str_eq(text_of(space), "0-1000:3 1000-2000:1 2000-3000:2");
	ck_assert_uint_eq(at(0x1fff), 1);
	ck_assert_uint_eq(at(0x2000), 2);
	ck_assert_uint_eq(at(0), 3);
}
END_TEST

START_TEST(a_new_mapping_replaces_the_same_one)
{
	map(0x1000, 0x2000, 1);
	ck_assert_uint_eq(at(0x1800), 1);
	map(0x1000, 0x2000, 2);
	ck_assert_str_eq(text_of(space), "1000-2000:2");
	ck_assert_uint_eq(at(0x1800), 2);
}
END_TEST

START_TEST(an_overlap_cuts_the_older)
{
	map(0x2000, 0x4000, 1);
	map(0x3000, 0x5000, 2);
	ck_assert_str_eq(text_of(space), "2000-3000:1 3000-5000:2");
	map(0x1000, 0x2800, 3);
	ck_assert_str_eq(text_of(space), "1000-2800:3 2800-3000:1 3000-5000:2");
	map(0x4000, 0x5000, 4);
	ck_assert_str_eq(text_of(space), "1000-2800:3 2800-3000:1 3000-4000:2 4000-5000:4");
}
END_TEST

START_TEST(one_in_the_middle_splits)
{
	map(0x1000, 0x9000, 1);
	map(0x4000, 0x5000, 2);
	ck_assert_str_eq(text_of(space), "1000-4000:1 4000-5000:2 5000-9000:1");
	ck_assert_uint_eq(at(0x3fff), 1);
	ck_assert_uint_eq(at(0x4000), 2);
	ck_assert_uint_eq(at(0x5000), 1);
}
END_TEST

START_TEST(one_that_covers_drops_what_it_covers)
{
	for (module_id id = 1; id <= 5; id++)
		map(id * 0x1000, id * 0x1000 + 0x800, id);
	map(0x1400, 0x5400, 6);
	ck_assert_str_eq(text_of(space), "1000-1400:1 1400-5400:6 5400-5800:5");
	map(0, 0x10000, 7);
	ck_assert_str_eq(text_of(space), "0-10000:7");
}
END_TEST

START_TEST(a_copy_goes_its_own_way)
{
	struct address_space *copy;

	map(0x1000, 0x2000, 1);
	map(0x3000, 0x4000, 2);
	copy = address_space_copy(space);
	map(0x1000, 0x2000, 3);
	ck_assert_str_eq(text_of(copy), "1000-2000:1 3000-4000:2");
	ck_assert_uint_eq(address_space_find(copy, 0x1800)->module, 1);
	ck_assert_str_eq(text_of(space), "1000-2000:3 3000-4000:2");
	ck_assert_uint_eq(at(0x1800), 3);
	address_space_free(copy);
}
END_TEST

START_TEST(clearing_forgets_all)
{
	map(0x1000, 0x2000, 1);
	map(0x3000, 0x4000, 2);
	ck_assert_uint_eq(at(0x3800), 2);
	address_space_clear(space);
	ck_assert_uint_eq(at(0x3800), 0);
	ck_assert_uint_eq(at(0x1800), 0);
	map(0x3000, 0x4000, 3);
	ck_assert_str_eq(text_of(space), "3000-4000:3");
	ck_assert_uint_eq(at(0x3800), 3);
}
END_TEST

/* Maps what /proc/self/maps says of this very program, as the recorder is told of it. */
static void map_ourselves(struct images *ours, struct profile *profile)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[4300], path[4100];

	while (fgets(line, sizeof(line), maps)) {
		unsigned long low, high, offset;

		if (sscanf(line, "%lx-%lx r-xp %lx %*s %*s %4099s", &low, &high, &offset, path) !=
			4)
			continue;
		struct event_mmap mapping = {
			.address = low, .length = high - low, .offset = offset, .path = path};

		address_space_map(
			space, &mapping, images_for_mapping(ours, profile, getpid(), &mapping));
	}
	fclose(maps);
}

/* The first that the dynamic linker lists is the program itself. */
static int get_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1;
}

START_TEST(addresses_of_this_program_lead_to_its_file)
{
	uint64_t here = (uint64_t)(uintptr_t)&map_ourselves, bias = 1;
	struct images ours = {0};
	struct profile profile;
	const struct mapping *mapping;
	const struct walk_module *walk;
	char program[4100] = "";

	profile_init(&profile);
	map_ourselves(&ours, &profile);
	mapping = address_space_find(space, here);
	ck_assert_ptr_nonnull(mapping);
	ck_assert(mapping->has_file);
	ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof(program) - 1), 0);
	ck_assert_str_eq(
		strings_get(&profile.strings, modules_at(&profile.modules, mapping->module)->path),
		program);
	dl_iterate_phdr(get_bias, &bias);
	ck_assert_uint_eq(mapping->walk.bias, bias);
	ck_assert_ptr_eq(images_file(&ours, mapping->module), mapping->image->file);
	ck_assert(!mapping->image->rows_were_tried); /* only when a walk comes through */
	walk = address_space_walk_module(space, here);
	ck_assert_ptr_nonnull(walk->rows);
	ck_assert_uint_gt(walk->rows->row_count, 100);
	ck_assert_ptr_null(address_space_walk_module(space, 0x10));
	images_release(&ours);
	profile_release(&profile);
}
END_TEST

START_TEST(a_module_is_opened_once)
{
	struct images ours = {0};
	struct profile profile;
	size_t count;

	profile_init(&profile);
	map_ourselves(&ours, &profile);
	count = ours.items.count;
	ck_assert_uint_gt(count, 2); /* this program, the dynamic linker, the C library ... */
	map_ourselves(&ours, &profile);
	ck_assert_uint_eq(ours.items.count, count);
	images_release(&ours);
	profile_release(&profile);
}
END_TEST

START_TEST(code_without_file_is_a_module_all_the_same)
{
	struct images ours = {0};
	struct profile profile;
	struct event_mmap mapping = {.address = 0x1000, .length = 0x1000, .path = "//anon"};
	struct image *anonymous, *gone;

	profile_init(&profile);
	anonymous = images_for_mapping(&ours, &profile, getpid(), &mapping);
	ck_assert_ptr_null(anonymous->file);
	ck_assert_int_eq(modules_at(&profile.modules, anonymous->module)->kind, MODULE_JIT);
	mapping.path = "/no/such/file";
	gone = images_for_mapping(&ours, &profile, getpid(), &mapping);
	ck_assert_ptr_null(gone->file);
	ck_assert(modules_at(&profile.modules, gone->module)->flags & MODULE_IS_DELETED);
	address_space_map(space, &mapping, gone);
	ck_assert(!address_space_find(space, 0x1800)->has_file);
	ck_assert_ptr_null(address_space_walk_module(space, 0x1800)->rows);
	images_release(&ours);
	profile_release(&profile);
}
END_TEST

/* A file that was replaced meanwhile has another build-id: it is not the one that runs. */
START_TEST(another_build_than_the_mapped_one_is_not_taken)
{
	struct images ours = {0};
	struct profile profile;
	struct event_mmap mapping = {.address = 0x1000, .length = 0x1000, .path = "/proc/self/exe"};

	profile_init(&profile);
	mapping.build_id.length = 20;
	memset(mapping.build_id.bytes, 0x5a, 20);
	ck_assert_ptr_null(images_for_mapping(&ours, &profile, getpid(), &mapping)->file);
	mapping.build_id.length = 0;
	ck_assert_ptr_nonnull(images_for_mapping(&ours, &profile, getpid(), &mapping)->file);
	images_release(&ours);
	profile_release(&profile);
}
END_TEST

/* What a walk cached of the old code is not true of the new. */
START_TEST(a_new_mapping_clears_the_walks_cache)
{
	map(0x1000, 0x2000, 1);
	space->cache_entries[5].ip = 0x1005;
	map(0x1000, 0x2000, 2);
	ck_assert_uint_eq(space->cache_entries[5].ip, 0);
	space->cache_entries[5].ip = 0x1005;
	address_space_clear(space);
	ck_assert_uint_eq(space->cache_entries[5].ip, 0);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(empty_and_impossible_mappings_are_none)
{
	map(0x1000, 0x1000, 1);
	address_space_map(space,
		&(struct event_mmap){.address = UINT64_MAX - 0xfff, .length = 0x2000}, &images[1]);
	ck_assert_str_eq(text_of(space), "");
	map(UINT64_MAX - 0xfff, UINT64_MAX, 2);
	ck_assert_uint_eq(at(UINT64_MAX - 1), 2);
	ck_assert_uint_eq(at(UINT64_MAX), 0);
	address_space_free(NULL);
}
END_TEST

/* Many mappings at random, against an array with an entry per page. */
START_TEST(random_mappings_agree_with_a_page_table)
{
	enum { PAGES = 256 };
	module_id pages[PAGES] = {0};
	uint32_t random = 12345, wrong = 0;

	for (int round = 0; round < 2000; round++) {
		uint32_t first, count;
		module_id id;

		random = random * 1664525 + 1013904223;
		first = (random >> 8) % PAGES;
		count = 1 + (random >> 20) % (round % 10 ? 12 : 150);
		id = 1 + (random >> 4) % (IMAGES - 1);
		if (first + count > PAGES)
			count = PAGES - first;
		map(first * UINT64_C(0x1000), (first + count) * UINT64_C(0x1000), id);
		for (uint32_t page = first; page < first + count; page++)
			pages[page] = id;
		for (uint32_t page = 0; page < PAGES; page++)
			wrong += at(page * UINT64_C(0x1000) + round % 0x1000) != pages[page];
		for (size_t i = 1; i < space->mappings.count; i++)
			wrong += space->mappings.items[i - 1].walk.high >
				 space->mappings.items[i].walk.low;
		ck_assert_uint_eq(wrong, 0);
	}
}
END_TEST

Suite *address_space_suite(void);
Suite *address_space_suite(void)
{
	Suite *suite = suite_create("address_space");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, mappings_are_sorted_and_found);
	tcase_add_test(core, neighbours_touch_without_overlap);
	tcase_add_test(core, a_new_mapping_replaces_the_same_one);
	tcase_add_test(core, an_overlap_cuts_the_older);
	tcase_add_test(core, one_in_the_middle_splits);
	tcase_add_test(core, one_that_covers_drops_what_it_covers);
	tcase_add_test(core, a_copy_goes_its_own_way);
	tcase_add_test(core, clearing_forgets_all);
	tcase_add_test(core, addresses_of_this_program_lead_to_its_file);
	tcase_add_test(core, a_module_is_opened_once);
	tcase_add_test(core, code_without_file_is_a_module_all_the_same);
	tcase_add_test(core, another_build_than_the_mapped_one_is_not_taken);
	tcase_add_test(core, a_new_mapping_clears_the_walks_cache);
	tcase_add_test(limits, empty_and_impossible_mappings_are_none);
	tcase_add_test(limits, random_mappings_agree_with_a_page_table);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
