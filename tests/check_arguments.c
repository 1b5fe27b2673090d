/* What a PROFILE on the command line stands for: cli/arguments. */
#include "cli/arguments.h"
#include "cli/runs.h"
#include "fixture_dir.h"
#include "model/profile_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *directory;

static void start(void)
{
	directory = fixture_dir_make();
	setenv("CPROF_DIR", "", 1);
	ck_assert_int_eq(chdir(directory), 0);
}

static void finish(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	fixture_dir_remove(directory);
}

static void save(struct profile *profile, const char *path)
{
	struct error err;

	ck_assert_int_eq(profile_from_folded(profile, "main;load 3\n", &err), 0);
	ck_assert_msg(profile_save(profile, path, &err) == 0, "%s", err.text);
}

static void make_file(const char *path)
{
	struct profile profile;

	save(&profile, path);
	profile_release(&profile);
}

static void make_run(const char *label, const char *command, const char *build_id)
{
	struct profile profile;
	struct error err;

	save(&profile, "kept.tmp");
	profile.info.label = strings_intern(&profile.strings, label);
	profile.info.command = strings_intern(&profile.strings, command);
	profile.info.program_build_id = strings_intern(&profile.strings, build_id);
	ck_assert_msg(runs_keep("kept.tmp", &profile, &err) == 0, "%s", err.text);
	profile_release(&profile);
	remove("kept.tmp");
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static struct profile_argument resolve(const char *text)
{
	struct profile_argument argument;
	struct error err;

	ck_assert_msg(argument_resolve(&argument, text, &err) == 0, "%s", err.text);
	return argument;
}

static void assert_resolves(const char *text, enum argument_kind kind, const char *path)
{
	struct profile_argument argument = resolve(text);

	ck_assert_int_eq(argument.kind, kind);
	ck_assert_str_eq(argument_newest(&argument), path);
	argument_release(&argument);
}

static void assert_fails(const char *text, const char *sentence)
{
	struct profile_argument argument;
	struct error err = {0};

	ck_assert_int_eq(argument_resolve(&argument, text, &err), -1);
	ck_assert_msg(strstr(err.text, sentence) != NULL, "%s lacks %s", err.text, sentence);
	argument_release(&argument);
}

START_TEST(files_come_first)
{
	struct profile_argument argument;

	make_file("v4.prof");
	make_file("v4");
	make_run("v4", "./segment v4", "aa");
	make_run("v5", "./segment v5", "aa");
	assert_resolves("v4", ARGUMENT_FILE, "v4");
	ck_assert_int_eq(remove("v4"), 0);
	assert_resolves("v4", ARGUMENT_FILE, "v4.prof");
	assert_resolves("v4.prof", ARGUMENT_FILE, "v4.prof");
	ck_assert_int_eq(remove("v4.prof"), 0);
	argument = resolve("v4");
	ck_assert_int_eq(argument.kind, ARGUMENT_LABEL);
	ck_assert_uint_eq(argument.paths.count, 1);
	argument_release(&argument);
}
END_TEST

START_TEST(a_program_does_not_hide_its_label)
{
	struct profile_argument argument;

	write_text("segment", "\177ELF");
	assert_resolves("segment", ARGUMENT_OTHER_FILE, "segment");
	ck_assert(!argument_is_profile("segment"));
	make_run("segment", "./segment", "aa");
	argument = resolve("segment");
	ck_assert_int_eq(argument.kind, ARGUMENT_LABEL);
	argument_release(&argument);
	ck_assert(argument_is_profile("segment"));
}
END_TEST

START_TEST(a_label_is_its_newest_group)
{
	struct profile_argument argument, before;

	/* aa aa bb aa: the newest group is aa, with the first two; bb is the one before. */
	make_run("v4", "./segment v4", "aa");
	make_run("v4", "/elsewhere/segment v4", "aa");
	make_run("v4", "./segment v4", "bb");
	make_run("v4", "./segment v4", "aa");
	argument = resolve("v4");
	ck_assert_uint_eq(argument.paths.count, 3);
	ck_assert_uint_eq(argument.left_out, 1);
	before = resolve("v4~1");
	ck_assert_uint_eq(before.paths.count, 1);
	ck_assert_uint_eq(before.left_out, 3);
	ck_assert_int_gt(strcmp(argument_newest(&argument), argument_newest(&before)), 0);
	ck_assert_int_lt(strcmp(argument.paths.items[1], argument_newest(&before)), 0);
	argument_release(&before);
	before = resolve("v4~0");
	ck_assert_str_eq(argument_newest(&argument), argument_newest(&before));
	argument_release(&before);
	argument_release(&argument);
	assert_fails("v4~2", "the oldest group of 'v4' is v4~1");
	make_run("v5", "./segment v5", "aa");
	make_run("v5", "./segment v5", "aa");
	assert_fails("v5~1", "all kept runs of 'v5' are repetitions of one");
}
END_TEST

START_TEST(a_label_may_itself_end_in_a_tilde_and_number)
{
	struct profile_argument argument;

	make_run("v4", "./segment v4", "aa");
	make_run("v4", "./segment v4", "bb");
	make_run("v4~1", "./segment v4~1", "aa");
	argument = resolve("v4~1");
	ck_assert_ptr_nonnull(strstr(argument_newest(&argument), "v4%7E1"));
	argument_release(&argument);
}
END_TEST

START_TEST(the_error_says_how_to_record_it)
{
	assert_fails("out.prof", "there is no out.prof here: record one with: cprof run PROGRAM");
	assert_fails("x/y.prof", "cannot open x/y.prof: No such file or directory");
	assert_fails("v5", "no profile 'v5': record it with: cprof run PROGRAM v5");
	make_run("v4", "'./my segment' v4", "aa");
	assert_fails("v5", "record it with: cprof run './my segment' v5");
	assert_fails("v4~1", "repetitions of one");
	make_run("sleeper", "build/samples/sleeper", "bb"); /* takes no arguments: no help */
	assert_fails("v5", "record it with: cprof run './my segment' v5");
}
END_TEST

START_TEST(a_recording_that_did_not_end_is_told)
{
	write_text("out.prof.part", "");
	assert_fails("out.prof", "make it whole with: cprof info --repair out.prof.part");
	assert_fails("out", "cprof info --repair out.prof.part");
}
END_TEST

START_TEST(patterns_and_profiles_are_told_apart)
{
	make_file("out.prof");
	make_run("v4", "./segment v4", "aa");
	ck_assert(argument_is_profile("out.prof"));
	ck_assert(argument_is_profile("out"));
	ck_assert(argument_is_profile("v4"));
	ck_assert(argument_is_profile("missing.prof"));
	ck_assert(!argument_is_profile("10"));
	ck_assert(!argument_is_profile("0.5"));
	ck_assert(!argument_is_profile("prep_y"));
	ck_assert(!argument_is_profile("src/.*[.]c"));
}
END_TEST

START_TEST(odd_words_resolve_to_nothing)
{
	char longest[5000];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(mkdir("folder.prof", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo.prof", 0600), 0);
	make_run("v4", "./segment v4", "aa");
	assert_fails("folder", "no profile 'folder'");
	assert_fails("", "no profile ''");
	assert_fails("~", "no profile '~'");
	assert_fails("v4~", "no profile 'v4~'");
	assert_fails("v4~x", "no profile 'v4~x'");
	assert_fails("v4~99999999999999999999999", "no profile 'v4~");
	assert_fails(longest, "no profile 'xxx");
	ck_assert(!argument_is_profile("folder"));
	assert_resolves("fifo", ARGUMENT_FILE, "fifo.prof"); /* loading says what it is */
}
END_TEST

Suite *arguments_suite(void);
Suite *arguments_suite(void)
{
	Suite *suite = suite_create("arguments");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, files_come_first);
	tcase_add_test(core, a_program_does_not_hide_its_label);
	tcase_add_test(core, a_label_is_its_newest_group);
	tcase_add_test(core, a_label_may_itself_end_in_a_tilde_and_number);
	tcase_add_test(core, the_error_says_how_to_record_it);
	tcase_add_test(core, a_recording_that_did_not_end_is_told);
	tcase_add_test(core, patterns_and_profiles_are_told_apart);
	tcase_add_test(limits, odd_words_resolve_to_nothing);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
