/* The kept runs: cli/runs and cli/run_record. */
#include "cli/runs.h"
#include "fixture_dir.h"
#include "model/profile_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* For structs whose texts are usually allocated. */
#define TEXT(literal) ((char *)(literal))

static char *directory;
static char profile_path[300];

static void start(void)
{
	directory = fixture_dir_make();
	snprintf(profile_path, sizeof(profile_path), "%s/out.prof", directory);
	setenv("CPROF_DIR", "", 1);
	ck_assert_int_eq(chdir(directory), 0);
	unsetenv("SUDO_UID");
}

static void finish(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	fixture_dir_remove(directory);
}

/* A profile of a run, saved at profile_path. */
static void make_profile(
	struct profile *profile, const char *label, const char *command, const char *build_id)
{
	struct error err;

	ck_assert_int_eq(profile_from_folded(profile, "main;load 3\nmain;color 7\n", &err), 0);
	profile->info.label = strings_intern(&profile->strings, label);
	profile->info.command = strings_intern(&profile->strings, command);
	profile->info.program = strings_intern(&profile->strings, "/bin/segment");
	profile->info.program_build_id = strings_intern(&profile->strings, build_id);
	profile->info.host = strings_intern(&profile->strings, "here");
	profile->info.start_unix_ns = 1700000000123456789;
	profile->info.peak_rss_bytes = 4096;
	ck_assert_msg(profile_save(profile, profile_path, &err) == 0, "%s", err.text);
}

static void keep(const char *label, const char *command, const char *build_id)
{
	struct profile profile;
	struct error err;

	make_profile(&profile, label, command, build_id);
	ck_assert_msg(runs_keep(profile_path, &profile, &err) == 0, "%s", err.text);
	profile_release(&profile);
}

static struct runs load(const char *label)
{
	struct runs runs = {0};
	struct error err;

	ck_assert_msg(runs_load(&runs, label, &err) == 0, "%s", err.text);
	return runs;
}

START_TEST(keeps_what_list_shows)
{
	struct runs runs;
	struct run *run;
	struct stat kept, file;

	keep("v4", "./segment v4", "aa");
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, 1);
	run = &runs.items.items[0];
	ck_assert_str_eq(run->label, "v4");
	ck_assert_str_eq(run->command, "./segment v4");
	ck_assert_str_eq(run->program, "/bin/segment");
	ck_assert_str_eq(run->program_build_id, "aa");
	ck_assert_str_eq(run->host, "here");
	ck_assert_uint_eq(run->samples, 10);
	ck_assert_uint_eq(run->elapsed_ns, 10000000);
	ck_assert_uint_eq(run->start_unix_ns, 1700000000123456789);
	ck_assert_uint_eq(run->peak_rss_bytes, 4096);
	ck_assert_uint_ne(run->metrics, 0);
	ck_assert_int_eq(stat(run->path, &kept), 0);
	ck_assert_int_eq(stat(profile_path, &file), 0);
	ck_assert_uint_eq(kept.st_ino, file.st_ino); /* a link, not a copy */
	runs_release(&runs);
}
END_TEST

START_TEST(the_directory_is_private_and_ignores_itself)
{
	struct stat status;
	char text[8] = "";
	FILE *file;

	umask(0);
	keep("v4", "./segment v4", "aa");
	ck_assert_int_eq(stat(".cprof", &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0700);
	ck_assert_int_eq(stat(".cprof/v4", &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0700);
	file = fopen(".cprof/.gitignore", "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), file));
	ck_assert_str_eq(text, "*\n");
	fclose(file);
	umask(022);
}
END_TEST

START_TEST(loads_all_labels_or_one)
{
	struct runs runs;

	keep("v4", "./segment v4", "aa");
	keep("v7", "./segment v7", "aa");
	keep("v4", "./segment v4", "aa");
	runs = load(NULL);
	ck_assert_uint_eq(runs.items.count, 3);
	runs_release(&runs);
	runs = load("v7");
	ck_assert_uint_eq(runs.items.count, 1);
	runs_release(&runs);
	runs = load("v");
	ck_assert_uint_eq(runs.items.count, 0);
	runs_release(&runs);
}
END_TEST

START_TEST(cprof_dir_moves_it)
{
	struct runs runs;

	setenv("CPROF_DIR", "elsewhere", 1);
	keep("v4", "./segment v4", "aa");
	ck_assert_int_eq(access("elsewhere/v4", F_OK), 0);
	ck_assert_int_ne(access(".cprof", F_OK), 0);
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, 1);
	ck_assert_ptr_nonnull(strstr(runs.items.items[0].path, "elsewhere/v4/"));
	runs_release(&runs);
}
END_TEST

START_TEST(repetitions_are_alike_in_all_that_counts)
{
	struct run run = {.label = TEXT("v4"),
		.command = TEXT("./segment v4 --data s"),
		.program = TEXT("/bin/segment"),
		.program_build_id = TEXT("aa"),
		.host = TEXT("here"),
		.metrics = 63,
		.rate_asked_hz = 999};
	struct run other = run;

	other.elapsed_ns = 7;
	other.command = TEXT("'/other path/segment' v4 --data s"); /* the program is its build-id */
	other.program = TEXT("/other path/segment");
	ck_assert(run_repeats(&run, &other));
	other.command = TEXT("./segment v4 --data m");
	ck_assert(!run_repeats(&run, &other));
	other = run, other.label = TEXT("v5");
	ck_assert(!run_repeats(&run, &other));
	other = run, other.program_build_id = TEXT("bb");
	ck_assert(!run_repeats(&run, &other));
	other = run, other.host = TEXT("there");
	ck_assert(!run_repeats(&run, &other));
	other = run, other.metrics = 3;
	ck_assert(!run_repeats(&run, &other));
	other = run, other.rate_asked_hz = 99;
	ck_assert(!run_repeats(&run, &other));
	run.program_build_id = TEXT(""), other = run;
	ck_assert(run_repeats(&run, &other));
	other.program = TEXT("/bin/other");
	ck_assert(!run_repeats(&run, &other));
}
END_TEST

START_TEST(labels_are_the_arguments_or_the_name)
{
	char *three[] = {TEXT("./segment"), TEXT("v4"), TEXT("--data=m"), NULL};
	char *alone[] = {TEXT("build/samples/sleeper"), NULL};
	char *label = run_label_default(3, three);

	ck_assert_str_eq(label, "v4 --data=m");
	free(label);
	label = run_label_default(1, alone);
	ck_assert_str_eq(label, "sleeper");
	free(label);
}
END_TEST

START_TEST(arguments_follow_the_quoted_program)
{
	ck_assert_str_eq(command_arguments("./segment v4 x"), "v4 x");
	ck_assert_str_eq(command_arguments("'my program' v4"), "v4");
	ck_assert_str_eq(command_arguments("'it'\\''s here' v4"), "v4");
	ck_assert_str_eq(command_arguments("my\\ program v4"), "v4");
	ck_assert_str_eq(command_arguments("\"a b\" c"), "c");
	ck_assert_str_eq(command_arguments("./segment"), "");
	ck_assert_str_eq(command_arguments("'never closed"), "");
	ck_assert_str_eq(command_arguments(""), "");
	ck_assert_str_eq(command_arguments("ends\\"), "");
}
END_TEST

START_TEST(a_later_recording_leaves_kept_runs_alone)
{
	struct profile profile;
	struct profile_load_report report;
	struct error err;
	struct runs runs;

	keep("v4", "./segment v4", "aa");
	keep("v5", "./segment v5", "bb"); /* writes profile_path anew */
	runs = load("v4");
	ck_assert_int_eq(profile_load(&profile, runs.items.items[0].path, false, &report, &err), 0);
	ck_assert_str_eq(strings_get(&profile.strings, profile.info.label), "v4");
	profile_release(&profile);
	runs_release(&runs);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(any_label_has_a_directory)
{
	char longest[3000], longer[3001];
	const char *labels[] = {"", ".", "..", "../../etc", "a/b", "v4 --data m", "new\nline",
		"-rf", "%", "%41", "A", ".git", "~", "\x01\xff",
		"gr\xc3\xb6\xc3\x9f"
		"er",
		longest, longer};
	const size_t count = sizeof(labels) / sizeof(labels[0]);
	struct runs runs;

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < count; i++)
		keep(labels[i], "./a\nb\\n c", "aa");
	for (size_t i = 0; i < count; i++) {
		runs = load(labels[i]);
		ck_assert_uint_eq(runs.items.count, 1);
		ck_assert_str_eq(runs.items.items[0].label, labels[i]);
		ck_assert_str_eq(runs.items.items[0].command, "./a\nb\\n c");
		ck_assert_int_eq(access(runs.items.items[0].path, R_OK), 0);
		ck_assert_int_eq(strncmp(runs.items.items[0].path, ".cprof/", 7), 0);
		runs_release(&runs);
	}
	runs = load(NULL);
	ck_assert_uint_eq(runs.items.count, count);
	runs_release(&runs);
}
END_TEST

static size_t count_files(const char *path)
{
	char command[128], text[32] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", path);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), pipe));
	pclose(pipe);
	return strtoul(text, NULL, 10);
}

START_TEST(the_last_twenty_stay)
{
	struct runs runs;
	char build_id[8];

	keep("other", "./segment other", "aa");
	for (int i = 0; i < RUNS_KEPT + 5; i++) {
		snprintf(build_id, sizeof(build_id), "%02d", i);
		keep("v4", "./segment v4", build_id);
	}
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, RUNS_KEPT);
	ck_assert_str_eq(runs.items.items[0].program_build_id, "05");
	ck_assert_str_eq(runs.items.items[RUNS_KEPT - 1].program_build_id, "24");
	runs_release(&runs);
	ck_assert_uint_eq(count_files(".cprof/v4"), 2 * RUNS_KEPT);
	ck_assert_uint_eq(count_files(".cprof/other"), 2);
}
END_TEST

START_TEST(runs_side_by_side_all_stay)
{
	enum { SIDES = 8, EACH = 2 };
	struct profile profile;
	struct error err;
	struct runs runs;

	make_profile(&profile, "v4", "./segment v4", "aa");
	for (int side = 0; side < SIDES; side++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < EACH; i++)
			if (runs_keep(profile_path, &profile, &err) != 0)
				_exit(1);
		_exit(0);
	}
	for (int side = 0; side < SIDES; side++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, SIDES * EACH);
	for (size_t i = 0; i < runs.items.count; i++)
		ck_assert_int_eq(access(runs.items.items[i].path, R_OK), 0);
	runs_release(&runs);
	profile_release(&profile);
}
END_TEST

START_TEST(without_links_it_copies)
{
	struct profile profile, copy;
	struct error err;
	struct runs runs;
	struct stat kept, original;

	/* A link to a symbolic link would be no copy of the file behind it. */
	make_profile(&profile, "v4", "./segment v4", "aa");
	ck_assert_int_eq(symlink("out.prof", "link.prof"), 0);
	ck_assert_msg(runs_keep("link.prof", &profile, &err) == 0, "%s", err.text);
	profile_release(&profile);
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, 1);
	ck_assert_int_eq(lstat(runs.items.items[0].path, &kept), 0);
	ck_assert_int_eq(stat("out.prof", &original), 0);
	ck_assert(S_ISREG(kept.st_mode));
	ck_assert_uint_eq(kept.st_mode & 0777, 0600);
	ck_assert_uint_ne(kept.st_ino, original.st_ino);
	ck_assert_int_eq(profile_load(&copy, runs.items.items[0].path, false, NULL, &err), 0);
	profile_release(&copy);
	runs_release(&runs);
}
END_TEST

START_TEST(what_cannot_be_kept_leaves_nothing)
{
	struct profile profile;
	struct error err = {0};
	struct runs runs;

	make_profile(&profile, "v4", "./segment v4", "aa");
	ck_assert_int_eq(runs_keep("no-such.prof", &profile, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot keep no-such.prof"));
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, 0);
	ck_assert_uint_eq(count_files(".cprof/v4"), 0);

	setenv("CPROF_DIR", "no/such/parent", 1);
	ck_assert_int_eq(runs_keep(profile_path, &profile, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no/such/parent"));

	/* Links are not followed: who can write here must not lead root elsewhere. */
	ck_assert_int_eq(mkdir("target", 0700), 0);
	ck_assert_int_eq(symlink("target", "linked"), 0);
	setenv("CPROF_DIR", "linked", 1);
	ck_assert_int_eq(runs_keep(profile_path, &profile, &err), -1);
	ck_assert_uint_eq(count_files("target"), 0);
	profile_release(&profile);
}
END_TEST

START_TEST(nonsense_in_the_directory_is_passed_over)
{
	struct runs runs;

	keep("v4", "./segment v4", "aa");
	ck_assert_int_eq(system("cd .cprof/v4 && printf 'label v4\\n' > 1.run && : > 2.run && "
				"head -c 5000 /dev/urandom > 3.run && mkdir 4.run && mkfifo 5.run "
				"&& ln -s /dev/zero 6.run && touch .7.run && touch ../file && "
				"ln -s v4 ../again && truncate -s 5M 8.run"),
		0);
	runs = load(NULL);
	ck_assert_uint_eq(runs.items.count, 1);
	runs_release(&runs);
	runs = load("v4");
	ck_assert_uint_eq(runs.items.count, 1);
	runs_release(&runs);
}
END_TEST

START_TEST(no_directory_is_no_error)
{
	struct runs runs = load(NULL);
	struct error err;

	ck_assert_uint_eq(runs.items.count, 0);
	setenv("CPROF_DIR", profile_path, 1);
	fclose(fopen(profile_path, "w"));
	ck_assert_int_eq(runs_load(&runs, NULL, &err), -1);
}
END_TEST

Suite *runs_suite(void);
Suite *runs_suite(void)
{
	Suite *suite = suite_create("runs");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, keeps_what_list_shows);
	tcase_add_test(core, the_directory_is_private_and_ignores_itself);
	tcase_add_test(core, loads_all_labels_or_one);
	tcase_add_test(core, cprof_dir_moves_it);
	tcase_add_test(core, repetitions_are_alike_in_all_that_counts);
	tcase_add_test(core, labels_are_the_arguments_or_the_name);
	tcase_add_test(core, arguments_follow_the_quoted_program);
	tcase_add_test(core, a_later_recording_leaves_kept_runs_alone);
	tcase_add_test(limits, any_label_has_a_directory);
	tcase_add_test(limits, the_last_twenty_stay);
	tcase_add_test(limits, runs_side_by_side_all_stay);
	tcase_add_test(limits, without_links_it_copies);
	tcase_add_test(limits, what_cannot_be_kept_leaves_nothing);
	tcase_add_test(limits, nonsense_in_the_directory_is_passed_over);
	tcase_add_test(limits, no_directory_is_no_error);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
