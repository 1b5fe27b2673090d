#include "base/alloc.h"
#include "fixture_dir.h"
#include "symbols/kernel_cache.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Suite *kernel_cache_suite(void);

static char *dir;

static void make_dir(void)
{
	dir = fixture_dir_make();
	unsetenv("SUDO_UID");
	setenv("XDG_CACHE_HOME", dir, 1);
}

static void remove_dir(void)
{
	unsetenv("XDG_CACHE_HOME");
	fixture_dir_remove(dir);
}

static bool holds(const char *path, const char *expected)
{
	size_t size;
	char *text = kernel_cache_map(path, &size);
	bool same = text && size == strlen(expected) && memcmp(text, expected, size) == 0;

	if (text)
		kernel_cache_unmap(text, size);
	return same;
}

START_TEST(a_written_text_is_read_back)
{
	char *path = kernel_cache_path();

	ck_assert_ptr_nonnull(path);
	ck_assert(!holds(path, "one"));
	kernel_cache_write(path, "one", 3);
	ck_assert(holds(path, "one"));
	kernel_cache_write(path, "three", 5);
	ck_assert(holds(path, "three"));
	free(path);
}
END_TEST

START_TEST(texts_of_other_boots_go)
{
	char *path = kernel_cache_path(), *other;

	ck_assert_ptr_nonnull(path);
	other = alloc_format("%s/cprof/kernel-of-another-boot", dir);
	kernel_cache_write(other, "old", 3);
	ck_assert_int_eq(access(other, F_OK), 0);
	kernel_cache_write(path, "new", 3);
	ck_assert_int_ne(access(other, F_OK), 0);
	ck_assert(holds(path, "new"));
	free(other);
	free(path);
}
END_TEST

START_TEST(a_file_that_others_may_read_or_write_is_not_trusted)
{
	char *path = kernel_cache_path();

	ck_assert_ptr_nonnull(path);
	kernel_cache_write(path, "text", 4);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert(!holds(path, "text"));
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert(holds(path, "text"));
	free(path);
}
END_TEST

START_TEST(a_link_is_not_followed)
{
	char *path = kernel_cache_path(), *elsewhere;

	ck_assert_ptr_nonnull(path);
	kernel_cache_write(path, "text", 4);
	elsewhere = alloc_format("%s/elsewhere", dir);
	ck_assert_int_eq(rename(path, elsewhere), 0);
	ck_assert_int_eq(symlink(elsewhere, path), 0);
	ck_assert(!holds(path, "text"));
	free(elsewhere);
	free(path);
}
END_TEST

START_TEST(a_directory_that_others_may_write_is_not_used)
{
	char *path = kernel_cache_path(), *parent;

	ck_assert_ptr_nonnull(path);
	parent = alloc_format("%s/cprof", dir);
	ck_assert_int_eq(chmod(parent, 0777), 0);
	ck_assert_ptr_null(kernel_cache_path());
	setenv("SUDO_UID", "1000", 1);
	ck_assert_int_eq(chmod(parent, 0700), 0);
	ck_assert_ptr_null(kernel_cache_path());
	unsetenv("SUDO_UID");
	free(parent);
	free(path);
}
END_TEST

Suite *kernel_cache_suite(void)
{
	Suite *suite = suite_create("kernel_cache");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, make_dir, remove_dir);
	tcase_add_checked_fixture(limits, make_dir, remove_dir);
	tcase_add_test(core, a_written_text_is_read_back);
	tcase_add_test(core, texts_of_other_boots_go);
	tcase_add_test(limits, a_file_that_others_may_read_or_write_is_not_trusted);
	tcase_add_test(limits, a_link_is_not_followed);
	tcase_add_test(limits, a_directory_that_others_may_write_is_not_used);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
