/*
 * Lines of /proc/PID/maps, good and bad ones.
 */
#include "collect/proc_maps.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char line[PROC_MAPS_LINE_MAX];
static struct event_mmap mapping;

static bool parse(const char *text)
{
	snprintf(line, sizeof(line), "%s", text);
	return proc_maps_parse(line, &mapping);
}

START_TEST(a_file_is_read_field_by_field)
{
	ck_assert(parse("7f10a0428000-7f10a05b1000 r-xp 00028000 fe:01 1835          "
			"           /usr/lib/x86_64-linux-gnu/libc.so.6\n"));
	ck_assert_uint_eq(mapping.address, 0x7f10a0428000);
	ck_assert_uint_eq(mapping.length, 0x189000);
	ck_assert_uint_eq(mapping.offset, 0x28000);
	ck_assert_uint_eq(mapping.protection, PROT_READ | PROT_EXEC);
	ck_assert_str_eq(mapping.path, "/usr/lib/x86_64-linux-gnu/libc.so.6");
	ck_assert(!mapping.is_deleted);
	ck_assert_uint_eq(mapping.build_id.length, 0);
}
END_TEST

START_TEST(memory_without_a_file_has_a_name)
{
	ck_assert(parse("7f10a0a00000-7f10a0a01000 rwxp 00000000 00:00 0 \n"));
	ck_assert_str_eq(mapping.path, "//anon");
	ck_assert_uint_eq(mapping.protection, PROT_READ | PROT_WRITE | PROT_EXEC);
	ck_assert(parse("7ffd3c7fc000-7ffd3c7fe000 r-xp 00000000 00:00 0     [vdso]\n"));
	ck_assert_str_eq(mapping.path, "[vdso]");
	ck_assert(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]"));
	ck_assert_str_eq(mapping.path, "[vsyscall]");
	ck_assert_uint_eq(mapping.address, 0xffffffffff600000);
}
END_TEST

START_TEST(deleted_files_say_so)
{
	ck_assert(parse("1000-2000 r-xp 00000000 00:01 2051 /tmp/a b/fake.so (deleted)\n"));
	ck_assert_str_eq(mapping.path, "/tmp/a b/fake.so");
	ck_assert(mapping.is_deleted);
	ck_assert(parse("1000-2000 r-xp 00000000 00:01 2051 /tmp/fake (deleted).so\n"));
	ck_assert_str_eq(mapping.path, "/tmp/fake (deleted).so");
	ck_assert(!mapping.is_deleted);
}
END_TEST

START_TEST(newlines_in_paths_are_restored)
{
	ck_assert(parse("1000-2000 r-xp 00000000 00:01 1 /tmp/a\\012b\\01 c\\012 (deleted)\n"));
	ck_assert_str_eq(mapping.path, "/tmp/a\nb\\01 c\n");
	ck_assert(mapping.is_deleted);
}
END_TEST

static void look_for_me(void *context, const struct event_mmap *seen)
{
	uint64_t here = (uint64_t)(uintptr_t)look_for_me;

	ck_assert(seen->protection & PROT_EXEC);
	*(bool *)context |= here >= seen->address && here - seen->address < seen->length &&
			    seen->path[0] == '/';
}

START_TEST(this_process_has_its_own_code_mapped)
{
	bool found = false;

	ck_assert(proc_maps_of(getpid(), look_for_me, &found));
	ck_assert(found);
	ck_assert(!proc_maps_of(0xffffffff, look_for_me, &found));
}
END_TEST

START_TEST(other_text_is_no_mapping)
{
	static const char *const bad[] = {"", "\n", "-", "1000", "1000-", "1000-2000", "1000-2000 ",
		"1000-2000 r-x", "1000-2000 r-xp", "1000-2000 r-xp ", "1000-2000 r-xp 0",
		"1000-2000 r-xp 0 ", "1000-2000 r-xp 0 fe", "1000-2000 r-xp 0 fe:01",
		"2000-1000 r-xp 0 fe:01 1 /a", "1000-1000 r-xp 0 fe:01 1 /a",
		"10000000000000000-2 r-xp 0 fe:01 1 /a", "1000-2000 abcd 0 fe:01 1 /a",
		"1000-2000 r-xp x fe:01 1 /a", "1000-2000 r-xp -1 fe:01 1 /a"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!parse(bad[i]), "'%s' is taken for a mapping", bad[i]);
}
END_TEST

static void collect(void *context, const struct event_mmap *seen)
{
	FILE *out = context;

	fprintf(out, "%llx %zu%s\n", (unsigned long long)seen->address, strlen(seen->path),
		seen->is_deleted ? " deleted" : "");
}

START_TEST(a_line_without_end_is_cut)
{
	size_t size = 3 * PROC_MAPS_LINE_MAX, seen_size;
	char *text = malloc(size + 200), *seen = NULL;
	FILE *in, *out = open_memstream(&seen, &seen_size);
	int used = sprintf(text, "1000-2000 r-xp 0 00:01 1 /");

	memset(text + used, 'x', size - used);
	sprintf(text + size, "\n3000-4000 rw-p 0 00:01 1 /data\n5000-6000 r-xp 0 00:01 1 /end");
	in = fmemopen(text, strlen(text), "r");
	proc_maps_each(in, collect, out);
	fclose(in);
	fclose(out);
	ck_assert_int_eq(strncmp(seen, "1000 ", 5), 0);
	ck_assert_ptr_nonnull(strstr(seen, " deleted\n5000 4\n"));
	free(text);
	free(seen);
}
END_TEST

Suite *proc_maps_suite(void);

Suite *proc_maps_suite(void)
{
	Suite *suite = suite_create("proc_maps");
	TCase *core = tcase_create("core");
	TCase *limits = tcase_create("limits");

	tcase_add_test(core, a_file_is_read_field_by_field);
	tcase_add_test(core, memory_without_a_file_has_a_name);
	tcase_add_test(core, deleted_files_say_so);
	tcase_add_test(core, newlines_in_paths_are_restored);
	tcase_add_test(core, this_process_has_its_own_code_mapped);
	tcase_add_test(limits, other_text_is_no_mapping);
	tcase_add_test(limits, a_line_without_end_is_cut);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
