/* Where results go: cli/output. */
#include "cli/output.h"
#include "fixture_dir.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;

static void start(void)
{
	directory = fixture_dir_make();
	ck_assert_int_eq(chdir(directory), 0);
	umask(022);
}

static void finish(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	fixture_dir_remove(directory);
}

static int write_output(const char *path, const char *text, struct error *err)
{
	struct output output;

	if (output_open(&output, path, err) != 0)
		return -1;
	fputs(text, output.file);
	return output_close(&output, err);
}

static void assert_holds(const char *path, const char *text)
{
	char bytes[256] = "";
	FILE *file = fopen(path, "r");

	ck_assert_ptr_nonnull(file);
	bytes[fread(bytes, 1, sizeof(bytes) - 1, file)] = '\0';
	fclose(file);
	ck_assert_str_eq(bytes, text);
}

static int found;

static int count_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
	(void)path, (void)stat, (void)ftw;
	found += type != FTW_D;
	return 0;
}

static int files_here(void)
{
	found = 0;
	ck_assert_int_eq(nftw(directory, count_one, 16, FTW_PHYS), 0);
	return found;
}

START_TEST(a_file_appears_whole)
{
	struct output output;
	struct error err;
	struct stat status;

	ck_assert_int_eq(output_open(&output, "out.svg", &err), 0);
	fputs("half", output.file);
	fflush(output.file);
	ck_assert_int_ne(access("out.svg", F_OK), 0);
	fputs(" and half", output.file);
	ck_assert_int_eq(output_close(&output, &err), 0);
	assert_holds("out.svg", "half and half");
	ck_assert_int_eq(stat("out.svg", &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0644);
	ck_assert_int_eq(files_here(), 1);
}
END_TEST

START_TEST(what_is_given_up_leaves_the_old_file)
{
	struct output output;
	struct error err;

	ck_assert_int_eq(write_output("out.svg", "old", &err), 0);
	ck_assert_int_eq(output_open(&output, "out.svg", &err), 0);
	fputs("new", output.file);
	output_discard(&output);
	assert_holds("out.svg", "old");
	ck_assert_int_eq(files_here(), 1);
}
END_TEST

START_TEST(a_replaced_file_keeps_its_rights_and_links_stay)
{
	struct error err;
	struct stat status;

	ck_assert_int_eq(write_output("out.svg", "old", &err), 0);
	ck_assert_int_eq(chmod("out.svg", 0600), 0);
	ck_assert_int_eq(symlink("out.svg", "link.svg"), 0);
	ck_assert_int_eq(write_output("link.svg", "new", &err), 0);
	assert_holds("out.svg", "new");
	ck_assert_int_eq(stat("out.svg", &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
	ck_assert_int_eq(lstat("link.svg", &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

START_TEST(devices_are_written_as_they_are)
{
	struct error err;
	struct stat status;
	int reader;

	ck_assert_int_eq(write_output("/dev/null", "gone", &err), 0);
	ck_assert_int_eq(stat("/dev/null", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	reader = open("pipe", O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(write_output("pipe", "through", &err), 0);
	ck_assert_int_eq(stat("pipe", &status), 0);
	ck_assert(S_ISFIFO(status.st_mode));
	close(reader);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	struct error err = {0};
	int kept = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);

	ck_assert_int_eq(write_output("/dev/full", "text", &err), -1);
	ck_assert_str_eq(err.text, "cannot write /dev/full: No space left on device");
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	ck_assert_int_eq(write_output(NULL, "text", &err), -1);
	dup2(kept, STDOUT_FILENO);
	ck_assert_str_eq(err.text, "cannot write standard output: No space left on device");
	close(kept);
	close(full);
}
END_TEST

START_TEST(where_nothing_can_be_written)
{
	struct error err = {0};

	ck_assert_int_eq(write_output("no/such/out.svg", "text", &err), -1);
	ck_assert_str_eq(err.text, "cannot write no/such/out.svg: No such file or directory");
	ck_assert_int_eq(write_output(".", "text", &err), -1);
	ck_assert_str_eq(err.text, "cannot write .: Is a directory");
	ck_assert_int_eq(files_here(), 0);
}
END_TEST

START_TEST(colours_are_for_terminals)
{
	struct output output;
	struct error err;

	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(output_open(&output, "out.txt", &err), 0);
	ck_assert(!output_is_terminal(&output));
	ck_assert(!output_wants_color(&output));
	ck_assert_uint_eq(output_columns(&output), 0);
	output_discard(&output);
}
END_TEST

/* On a pseudo-terminal, where there are any. */
START_TEST(colours_follow_no_color_and_term)
{
	int controller = posix_openpt(O_RDWR | O_NOCTTY);
	struct output output;
	struct error err;

	if (controller < 0 || grantpt(controller) != 0 || unlockpt(controller) != 0)
		return;
	ck_assert_int_eq(output_open(&output, ptsname(controller), &err), 0);
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	ck_assert(output_is_terminal(&output));
	ck_assert(output_wants_color(&output));
	setenv("NO_COLOR", "", 1);
	ck_assert(output_wants_color(&output));
	setenv("NO_COLOR", "1", 1);
	ck_assert(!output_wants_color(&output));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	ck_assert(!output_wants_color(&output));
	output_discard(&output);
	close(controller);
}
END_TEST

Suite *output_suite(void);
Suite *output_suite(void)
{
	Suite *suite = suite_create("output");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, a_file_appears_whole);
	tcase_add_test(core, what_is_given_up_leaves_the_old_file);
	tcase_add_test(core, a_replaced_file_keeps_its_rights_and_links_stay);
	tcase_add_test(core, devices_are_written_as_they_are);
	tcase_add_test(core, colours_are_for_terminals);
	tcase_add_test(core, colours_follow_no_color_and_term);
	tcase_add_test(limits, a_full_disk_is_told);
	tcase_add_test(limits, where_nothing_can_be_written);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
