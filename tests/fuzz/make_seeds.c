/* make_seeds DIRECTORY: the seeds that are not made by a compiler: profiles and kernel records. */
#include "collect/perf_events.h"
#include "model/profile_file.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *directory;

static char *seed_path(const char *target, const char *name)
{
	char *folder = alloc_format("%s/%s", directory, target);
	char *path = alloc_format("%s/%s", folder, name);

	mkdir(folder, 0777);
	free(folder);
	return path;
}

/* --- profiles -----------------------------------------------------------------------------------
 */

static const char folded[] = "@10/10 main;load;libz.so.1!inflate;memcpy@plt 3\n"
			     "@10/10 main;color.c:10:12(color) 7\n"
			     "@10/11 start_thread;worker;color.c:10:14(color) 5\n"
			     "@20/20 main;a<b>&\"c\";std::vector<int>::push_back(int const&) 2\n";

static void add_timeline(struct profile *profile, struct timeline *timeline, uint64_t start_ns)
{
	profile->timeline = timeline;
	for (uint64_t i = 0; i < 40; i++) {
		const struct count *count = &profile->counts.items[i % profile->counts.count];
		uint64_t value[METRIC_COUNT] = {0};

		value[METRIC_WALL] = value[METRIC_CPU] = 1000000 + i * 1000;
		value[METRIC_SAMPLES] = 1;
		profile_add(profile, start_ns + i * 1000000, count->thread, count->stack,
			i % 3 == 0, value);
	}
	profile->timeline = NULL;
}

static void add_details(struct profile *profile)
{
	profile->info.command = strings_intern(&profile->strings, "./a.out --fast");
	profile->info.label = strings_intern(&profile->strings, "fast");
	profile->info.duration_ns = 123456789;
	*array_add(&profile->marks) =
		(struct mark){.time_ns = 5000, .process = 1, .kind = MARK_START};
	*array_add(&profile->marks) = (struct mark){.time_ns = 6000,
		.process = 1,
		.kind = MARK_NAMED,
		.name = strings_intern(&profile->strings, "loaded")};
	*array_add(&profile->marks) =
		(struct mark){.time_ns = 7000, .process = 1, .kind = MARK_STOP};
	for (size_t i = 0; i < profile->modules.items.count; i++)
		profile->modules.items.items[i].build_id =
			(struct build_id){.length = 20, .bytes = {0xab, 0xcd}};
	frames_intern(&profile->frames, 1, 0x1234); /* without a name */
}

/* What a recording leaves: as it goes on (a journal), and when it is done (compact). */
static void write_profile(struct profile *profile, const char *path, bool is_finished)
{
	struct timeline timeline = {0};
	struct profile_writer *writer;
	struct error error;
	char *part = alloc_format("%s.part", path);

	unlink(part);
	writer = profile_writer_open(path, &error);
	if (!writer)
		errx(1, "%s", error.text);
	for (uint64_t i = 0; i < 2; i++) {
		add_timeline(profile, &timeline, i * 1000000000);
		if (profile_writer_flush(writer, profile, &timeline, &error) != 0)
			errx(1, "%s", error.text);
		add_details(profile);
	}
	if (is_finished ? profile_writer_finish(writer, profile, &timeline, &error)
			: rename(part, path))
		errx(1, "%s", error.text);
	profile_writer_close(writer);
	timeline_release(&timeline);
	free(part);
}

static void make_profiles(void)
{
	static const char *const names[] = {"journal.prof", "compact.prof"};

	for (size_t i = 0; i < 2; i++) {
		char *path = seed_path("profile", names[i]);
		struct profile profile;
		struct error error;

		if (profile_from_folded(&profile, folded, &error) != 0)
			errx(1, "%s", error.text);
		write_profile(&profile, path, i);
		profile_release(&profile);
		free(path);
	}
}

/* --- records of the kernel ----------------------------------------------------------------------
 */

struct record {
	union {
		struct perf_event_header header;
		uint8_t bytes[4096];
	};
	size_t size;
};

static void put(struct record *record, const void *bytes, size_t size)
{
	memcpy(record->bytes + record->size, bytes, size);
	record->size += size;
}

#define WORDS(...) \
	put(&record, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}))
#define HALVES(...) \
	put(&record, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}))

static struct record begin(uint32_t type, uint16_t misc)
{
	struct record record = {.header = {.type = type, .misc = misc}};

	record.size = sizeof(record.header);
	return record;
}

static void write_seed(const struct record *record, const char *target, const char *name)
{
	char *path = seed_path(target, name);
	FILE *file = fopen(path, "w");

	if (!file || fwrite(record->bytes, 1, record->size, file) != record->size || fclose(file))
		err(1, "%s", path);
	free(path);
}

static void write_record(struct record record, const char *name)
{
	if (record.header.type != PERF_RECORD_SAMPLE) {
		HALVES(71, 72);
		WORDS(123456789, 100);
	}
	record.header.size = (uint16_t)record.size;
	write_seed(&record, "perf_record", name);
}

static void make_sample(void)
{
	struct record record = begin(PERF_RECORD_SAMPLE, 0);
	uint64_t stack[32] = {0x555555555000, 0x7ffc00000010};

	WORDS(101, 0x401000);
	HALVES(71, 72);
	WORDS(123456789, 1000000);
	WORDS(3, PERF_CONTEXT_KERNEL, 0xffffffff81000000, PERF_CONTEXT_USER);
	WORDS(PERF_SAMPLE_REGS_ABI_64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
	WORDS(sizeof(stack));
	put(&record, stack, sizeof(stack));
	WORDS(sizeof(stack) - 16);
	write_record(record, "sample");
}

static void make_records(void)
{
	struct record record = begin(PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID);
	uint8_t build_id[24] = {20, 0, 0, 0, 0xab, 0xcd};

	HALVES(71, 72);
	WORDS(0x555555554000, 0x1000, 0x2000);
	put(&record, build_id, sizeof(build_id));
	HALVES(5, 2);
	put(&record, "/usr/bin/cat\0\0\0\0", 16);
	write_record(record, "mmap2");
	record = begin(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
	HALVES(71, 72);
	put(&record, "a.out\0\0\0", 8);
	write_record(record, "comm");
	record = begin(PERF_RECORD_FORK, 0);
	HALVES(73, 71, 73, 72);
	WORDS(123456789);
	write_record(record, "fork");
	record = begin(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT);
	write_record(record, "switch");
	record = begin(PERF_RECORD_LOST, 0);
	WORDS(100, 17);
	write_record(record, "lost");
	make_sample();
}

/* --- a jitdump ----------------------------------------------------------------------------------
 */

static void make_jitdump(void)
{
	struct record record = {.size = 0};

	HALVES(0x4a695444, 1, 40, 62, 0, 71);
	WORDS(123456789, 0);
	HALVES(2, 76); /* DEBUG: two lines, the second in the same file */
	WORDS(123456790, 0x1000, 2, 0x1000);
	HALVES(10, 0);
	put(&record, "a.js\0\0\0", 6);
	WORDS(0x1008);
	HALVES(11, 0);
	put(&record, "\xff", 2);
	HALVES(0, 64); /* LOAD */
	WORDS(123456791);
	HALVES(71, 72);
	WORDS(0x1000, 0x1000, 0x20, 1);
	put(&record, "fibonac", 8);
	HALVES(1, 64); /* MOVE */
	WORDS(123456792);
	HALVES(71, 72);
	WORDS(0x1000, 0x1000, 0x2000, 0x20, 1);
	HALVES(3, 16); /* CLOSE */
	WORDS(123456793);
	write_seed(&record, "jitdump", "usual");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: make_seeds DIRECTORY");
	directory = argv[1];
	mkdir(directory, 0777);
	make_profiles();
	make_records();
	make_jitdump();
	return 0;
}
