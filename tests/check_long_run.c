/*
 * An hour of recording at 10 kHz through the model and the file: memory is bounded by the distinct
 * stacks, whatever the length, and a sample takes a few bytes on disk. Two minutes of it are enough
 * to see that nothing grows; with CPROF_LONG set it is the whole hour.
 */
#include "base/alloc.h"
#include "fixture_dir.h"
#include "model/profile_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STACKS = 2000, THREADS = 64, RATE_HZ = 10000, DEPTH = 24 };

#define MIB (UINT64_C(1) << 20)

static char *directory, *path;
static uint64_t state;
static stack_id stacks[STACKS];

static void start(void)
{
	directory = fixture_dir_make();
	path = alloc_format("%s/long.prof", directory);
	state = 88172645463325252u;
}

static void finish(void)
{
	free(path);
	fixture_dir_remove(directory);
}

static uint64_t random_number(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static unsigned seconds(void)
{
	return getenv("CPROF_LONG") ? 3600 : 120;
}

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, resident;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu %lu", &size, &resident), 2);
	fclose(file);
	return (uint64_t)resident * sysconf(_SC_PAGESIZE);
}

/* The sanitizers keep what is freed for a while. */
static bool memory_can_be_measured(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return true;
#endif
}

static uint64_t file_bytes(const char *name)
{
	struct stat status;

	ck_assert_int_eq(stat(name, &status), 0);
	return status.st_size;
}

/* A program of some hundred functions, whose stacks share their outer frames. */
static void add_program(struct profile *profile)
{
	module_id module = modules_intern(
		&profile->modules, &profile->strings, "/usr/bin/simulated", MODULE_FILE, NULL);
	frame_id frames[DEPTH];

	for (int i = 0; i < STACKS; i++) {
		for (int k = 0; k < DEPTH; k++)
			frames[k] = frames_intern(&profile->frames, module,
				0x1000 + (k < 8 ? random_number(4000) : (uint64_t)k) * 16);
		stacks[i] = stacks_intern(&profile->stacks, frames, DEPTH, STACK_ROOTED);
	}
	for (int i = 0; i < THREADS; i++) {
		struct process process = {.pid = 1000};
		struct thread thread = {.tid = 1000 + i, .process = 1};

		if (i == 0)
			threads_add_process(&profile->threads, &process);
		threads_add_thread(&profile->threads, &thread);
	}
}

/* One sample: some stacks are far more frequent than others. */
static void add_sample(struct profile *profile, uint64_t time_ns)
{
	uint64_t value[METRIC_COUNT] = {0};
	size_t stack = random_number(4) ? random_number(STACKS / 20) : random_number(STACKS);
	uint64_t length_us = 80 + random_number(40);

	value[METRIC_CPU] = length_us * 1000 + random_number(1000);
	value[METRIC_WALL] = value[METRIC_CPU];
	value[METRIC_SAMPLES] = 1;
	value[METRIC_CPU_SQUARES] = length_us * length_us;
	profile_add(profile, time_ns, 1 + random_number(THREADS), stacks[stack], false, value);
}

static void record(struct profile *profile, struct profile_writer *writer,
	struct timeline *timeline, unsigned from_second, unsigned to_second)
{
	struct error err;

	for (unsigned second = from_second; second < to_second; second++) {
		for (unsigned i = 0; i < RATE_HZ; i++)
			add_sample(profile, second * UINT64_C(1000000000) + i * 100000);
		if (profile_writer_flush(writer, profile, timeline, &err) != 0)
			ck_abort_msg("%s", err.text);
	}
}

static void record_all(uint64_t *after_a_minute, uint64_t *at_the_end)
{
	struct timeline timeline = {0};
	struct profile profile;
	struct profile_writer *writer;
	struct error err;

	profile_init(&profile);
	profile.timeline = &timeline;
	profile.info.metrics = (METRIC_BIT(METRIC_COUNT) - 1);
	add_program(&profile);
	writer = profile_writer_open(path, &err);
	if (!writer)
		ck_abort_msg("%s", err.text);
	record(&profile, writer, &timeline, 0, 60);
	*after_a_minute = resident_bytes();
	record(&profile, writer, &timeline, 60, seconds());
	*at_the_end = resident_bytes();
	if (profile_writer_finish(writer, &profile, &timeline, &err) != 0)
		ck_abort_msg("%s", err.text);
	profile_writer_close(writer);
	profile_release(&profile);
	timeline_release(&timeline);
}

struct seen {
	uint64_t samples, last_ns;
};

static int see(void *context, const struct timeline_record *record_read)
{
	struct seen *seen = context;

	seen->samples += record_read->value[METRIC_SAMPLES];
	ck_assert_uint_ge(record_read->time_ns + 1000000, seen->last_ns); /* pieces are rounded */
	seen->last_ns = record_read->time_ns;
	return 0;
}

/* Loads it and goes through its timeline; the memory is what is taken at the end of both. */
static void read_all(struct seen *seen, uint64_t *samples, uint64_t *memory)
{
	struct profile profile;
	struct error err;

	*samples = 0;
	*seen = (struct seen){0};
	if (profile_load(&profile, path, false, NULL, &err) != 0)
		ck_abort_msg("%s", err.text);
	for (size_t i = 0; i < profile.counts.count; i++)
		*samples += profile.counts.items[i].value[METRIC_SAMPLES];
	if (profile_visit_timeline(path, see, seen, &err) != 0)
		ck_abort_msg("%s", err.text);
	*memory = resident_bytes();
	profile_release(&profile);
}

START_TEST(memory_does_not_grow_with_time)
{
	uint64_t after_a_minute, at_the_end, samples, memory, total;
	struct seen seen;

	total = (uint64_t)seconds() * RATE_HZ;
	record_all(&after_a_minute, &at_the_end);
	ck_assert_uint_lt(file_bytes(path), 10 * total);
	read_all(&seen, &samples, &memory);
	ck_assert_uint_eq(samples, total);
	ck_assert_uint_eq(seen.samples, total);
	ck_assert_uint_ge(seen.last_ns, (seconds() - 1) * UINT64_C(1000000000));
	if (!memory_can_be_measured())
		return;
	if (getenv("CPROF_FIGURES"))
		printf("%u s at 10 kHz: %.1f MiB after a minute, %.1f at the end, %.1f when read; "
		       "%.2f bytes a sample\n",
			seconds(), (double)after_a_minute / MIB, (double)at_the_end / MIB,
			(double)memory / MIB, (double)file_bytes(path) / total);
	ck_assert_uint_lt(at_the_end, after_a_minute + 16 * MIB);
	ck_assert_uint_lt(at_the_end, 128 * MIB);
	ck_assert_uint_lt(memory, at_the_end + 32 * MIB);
}
END_TEST

Suite *long_run_suite(void);
Suite *long_run_suite(void)
{
	Suite *suite = suite_create("long_run");
	TCase *limits = tcase_create("limits");

	tcase_add_checked_fixture(limits, start, finish);
	tcase_set_timeout(limits, 900);
	tcase_add_test(limits, memory_does_not_grow_with_time);
	suite_add_tcase(suite, limits);
	return suite;
}
