#include "view_text.h"
#include "viz/header.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *header_suite(void);

static char *header_text(const struct profile *profile, size_t width)
{
	struct view_selection selection = {.metric = -1};
	struct measure measure;
	struct header header;
	struct error err;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(measure_init(&measure, &selection, profile, &err), 0);
	header_init(&header, &measure);
	header_wrap(&header, width);
	header_write(&header, "> ", out);
	header_release(&header);
	fclose(out);
	return text;
}

static void fill(struct profile *profile)
{
	uint64_t value[METRIC_COUNT] = {[METRIC_SAMPLES] = 100, [METRIC_CPU] = 100000000};
	struct strings *strings = &profile->strings;
	struct profile_info *info = &profile->info;

	view_profile(profile, "main;a 800\nmain;lib.so![lib.so+0x12] 100\n");
	profile_add(profile, 0, 1, stacks_push(&profile->stacks, STACK_TRUNCATED, 1), false, value);
	info->command = strings_intern(strings, "./segment v3\033[1m");
	info->host = strings_intern(strings, "debian");
	info->kernel = strings_intern(strings, "6.1.0");
	info->backend = strings_intern(strings, "perf");
	info->event = strings_intern(strings, "task-clock, user only");
	info->backend_note = strings_intern(strings, "no hardware counters here");
	info->status = 3;
	info->cpu_count = 2;
	info->user_ns = 900000000;
	info->system_ns = 100000000;
	info->elapsed_ns = 1200000000;
	info->peak_rss_bytes = 50782720;
	info->rate_asked_hz = 999;
	info->lost = 4;
	info->throttled = 1;
	info->off_cpu_measured_ns = 150000000;
	info->off_cpu_shared_ns = 40000000;
	info->off_cpu_inferred_ns = 10000000;
	info->heuristic_samples = 50;
	info->narrow_samples = 100;
	info->completed_samples = 250;
	info->restored_samples = 50;
	info->is_incomplete = 1;
	profile->threads.threads.items[0].cpu_ns = 1000000000;
	profile->threads.threads.items[0].not_sampled_ns = 20000000;
}

START_TEST(every_fact_is_there)
{
	struct profile profile;
	char *text;

	fill(&profile);
	text = header_text(&profile, 0);
	ck_assert_str_eq(text,
		"> program  ./segment v3\\x1b[1m (exit status 3), on debian, Linux 6.1.0, 2 CPUs\n"
		"> took     1.200 s; CPU 1.000 s (user 0.900, system 0.100); peak memory (RSS) "
		"48.43 MiB\n"
		"> numbers  are wall-clock seconds, on the CPU or waiting\n"
		"> samples  1000, 1000 a CPU second (asked: 999), 4 lost, 1 time throttled; perf: "
		"task-clock, user only (no hardware counters here)\n"
		"> stacks   90.0 % reach main or the thread's start, 10.0 % truncated; 10.0 % end "
		"in code without a symbol; 5.0 % partly guessed (no unwind table); 10.0 % in "
		"32-bit code, without its callers; 30.0 % go on beyond the copy (25.0 % completed "
		"from the running program, 5.0 % restored from the "
		"thread's stack before)\n"
		"> missing  2.00 % of the CPU time was not sampled: 0.020 s in 1 thread\n"
		"> waiting  0.200 s off the CPU: 75 % where a stack was taken, 20 % shared out "
		"among like ones, 5 % by the nearest sample\n"
		"> warning  the recording was cut off: what came after its last second is "
		"missing\n");
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(long_lines_are_wrapped)
{
	struct profile profile;
	char *text;

	fill(&profile);
	text = header_text(&profile, 60);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		ck_assert_int_le(strchr(line, '\n') - line, 62);
	assert_contains(text, "> samples  1000, 1000 a CPU second (asked: 999), 4 lost, 1\n"
			      ">          time throttled; perf: task-clock, user only (no\n"
			      ">          hardware counters here)\n");
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(unbreakable_lines_stay)
{
	struct profile profile;
	char name[300], *text;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	view_profile(&profile, "main 1\n");
	profile.info.command = strings_intern(&profile.strings, name);
	text = header_text(&profile, 40);
	assert_contains(text, name);
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(an_empty_profile_has_a_header)
{
	struct profile profile;
	char *text;

	view_profile(&profile, "");
	text = header_text(&profile, 0);
	assert_contains(text, "> samples  0, 0 a CPU second");
	assert_lacks(text, "stacks");
	assert_lacks(text, "nan");
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(exporters_are_found_by_name)
{
	struct error err;

	for (size_t i = 0; exporters[i]; i++) {
		ck_assert_ptr_eq(exporter_find(exporters[i]->name, &err), exporters[i]);
		ck_assert_str_ne(exporters[i]->summary, "");
	}
	ck_assert_ptr_null(exporter_find("picture", &err));
	assert_contains(
		err.text, "unknown view 'picture': known views are table, tree, dot, flame");
}
END_TEST

Suite *header_suite(void)
{
	Suite *suite = suite_create("header");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, every_fact_is_there);
	tcase_add_test(core, long_lines_are_wrapped);
	tcase_add_test(core, exporters_are_found_by_name);
	tcase_add_test(limits, unbreakable_lines_stay);
	tcase_add_test(limits, an_empty_profile_has_a_header);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
