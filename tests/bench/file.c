/*
 * The figures of the profile file: a recording of a million samples in 100,000 distinct stacks.
 *
 *     make build/bench/file
 *     build/bench/file [SHAPE] [FILE]    SHAPE is shared (default), uniform or bushy
 *
 * Leaves FILE (bench.prof) behind and prints how many bytes a sample takes, with its time and
 * without, and how long loading takes and how much memory. Shapes:
 *
 *     shared   stacks differ in their innermost frames, a tenth of them get most samples: programs
 *     uniform  the same stacks, all equally likely, in no order: the worst case for the time line
 *     bushy    stacks share only their outermost frames: the worst case for the tree of stacks
 */
#include "model/profile_file.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACKS		   100000
#define SAMPLES		   1000000
#define FUNCTIONS	   5000
#define LINES_PER_FUNCTION 4
#define PERIOD_NS	   1001001

static uint64_t state = 88172645463325252u;

static uint64_t random_number(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % below;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static uint64_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : 0;
}

static void fail(const struct error *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void add_frames(struct profile *profile)
{
	static const char *const libraries[] = {
		"/usr/bin/program", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/libwork.so.1"};
	char name[128];

	for (uint64_t i = 0; i < FUNCTIONS; i++) {
		module_id module = modules_intern(&profile->modules, &profile->strings,
			libraries[random_number(3)], MODULE_FILE, NULL);

		for (uint64_t line = 0; line < LINES_PER_FUNCTION; line++)
			frames_intern(&profile->frames, module,
				0x1000 + i * 400 + line * 80 + random_number(80));
	}
	for (frame_id id = 1; id <= profile->frames.items.count; id++) {
		unsigned function_number = (id - 1) / LINES_PER_FUNCTION;
		struct function function = {.module = frames_at(&profile->frames, id)->module};
		struct line line;

		snprintf(name, sizeof(name), "work::Part%u<int>::compute_%u(unsigned long, double)",
			function_number % 50, function_number);
		function.name = strings_intern(&profile->strings, name);
		snprintf(name, sizeof(name), "/home/user/source/part%u.cc",
			function_number % 50);
		function.file = strings_intern(&profile->strings, name);
		function.line = function_number * 30 % 3000 + 1;
		function.entry = 0x1000 + function_number * 400;
		line.function = functions_intern(&profile->frames, &function);
		line.file = function.file;
		line.line = function.line + id % LINES_PER_FUNCTION * 5;
		frames_name(&profile->frames, id, &line, 1);
	}
}

/* The callees of a function are few, and each is called from one or two of its lines. */
static frame_id callee(frame_id frame)
{
	uint64_t caller = (frame - 1) / LINES_PER_FUNCTION;
	uint64_t function = (caller * 31 + random_number(6) * 17 + 1) % FUNCTIONS;

	return function * LINES_PER_FUNCTION + random_number(2) + 1;
}

static void add_stacks(struct profile *profile, const char *shape, stack_id stacks[STACKS])
{
	bool bushy = strcmp(shape, "bushy") == 0;
	frame_id path[32] = {1}; /* outermost first */
	size_t count = 0;

	while (count < STACKS) {
		size_t depth = 20 + random_number(11);
		size_t keep = bushy		  ? 1
			      : random_number(10) ? depth - 1 - random_number(3)
						  : random_number(depth);
		stack_id stack = STACK_ROOTED;
		size_t before = profile->stacks.items.count;

		for (size_t i = 1; i < depth; i++)
			if (i >= keep || path[i] == 0)
				path[i] = callee(path[i - 1]);
		for (size_t i = 0; i < depth; i++)
			stack = stacks_push(&profile->stacks, stack, path[i]);
		if (profile->stacks.items.count > before)
			stacks[count++] = stack;
	}
}

static void sample(struct profile *profile, const char *shape, const stack_id *stacks,
	uint64_t *time_ns, uint64_t number)
{
	uint64_t weight = PERIOD_NS - 20000 + random_number(40000);
	uint64_t value[METRIC_COUNT] = {[METRIC_WALL] = weight,
		[METRIC_CPU] = weight,
		[METRIC_SAMPLES] = 1,
		[METRIC_CPU_SQUARES] = weight / 1000 * (weight / 1000)};
	bool anywhere = strcmp(shape, "shared") != 0 || number < STACKS || random_number(10) == 0;
	uint64_t pick = number < STACKS ? number : random_number(anywhere ? STACKS : STACKS / 10);

	*time_ns += weight;
	profile_add(profile, *time_ns, 1, stacks[pick], false, value);
}

static double record(struct profile *profile, const char *shape, const char *path)
{
	stack_id *stacks = alloc_zeroed(STACKS, sizeof(*stacks));
	struct timeline timeline = {0};
	struct error err = {0};
	struct profile_writer *writer = profile_writer_open(path, &err);
	double writing = 0, start;
	uint64_t time_ns = 0;

	if (!writer)
		fail(&err);
	add_stacks(profile, shape, stacks);
	profile->timeline = &timeline;
	for (uint64_t i = 0; i < SAMPLES; i++) {
		sample(profile, shape, stacks, &time_ns, i);
		if (i % 999 != 998)
			continue;
		start = now();
		if (profile_writer_flush(writer, profile, &timeline, &err) != 0)
			fail(&err);
		writing += now() - start;
	}
	profile->timeline = NULL;
	printf("flushes       %.2f ms each, %.4f %% of the time recorded\n",
		writing * 1e3 / (SAMPLES / 999), writing / (time_ns * 1e-9) * 100);
	start = now();
	if (profile_writer_finish(writer, profile, &timeline, &err) != 0)
		fail(&err);
	start = now() - start;
	profile_writer_close(writer);
	timeline_release(&timeline);
	free(stacks);
	return start;
}

static double cpu_seconds(const struct rusage *usage)
{
	return usage->ru_utime.tv_sec + usage->ru_stime.tv_sec +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
}

static void measure_load(const char *path, bool with_report)
{
	struct profile profile;
	struct profile_load_report report;
	struct error err = {0};
	struct rusage before, after;
	double start, end;

	getrusage(RUSAGE_SELF, &before);
	start = now();
	if (profile_load(&profile, path, false, with_report ? &report : NULL, &err) != 0)
		fail(&err);
	end = now();
	getrusage(RUSAGE_SELF, &after);
	printf("load          %.1f ms (%.1f of CPU), %.1f MiB at most: %zu counts, %zu stacks\n",
		(end - start) * 1e3, (cpu_seconds(&after) - cpu_seconds(&before)) * 1e3,
		after.ru_maxrss / 1024.0, profile.counts.count, profile.stacks.items.count);
	if (with_report)
		printf("in the file   %.2f bytes a sample of time line, %llu bytes in %llu other "
		       "chunks\n",
			(double)report.timeline_bytes / SAMPLES,
			(unsigned long long)report.fixed_bytes,
			(unsigned long long)(report.chunk_count - report.timeline_chunks));
	profile_release(&profile);
}

/* A program of its own, so that the peak of its memory is that of loading. */
static void load_in_new_program(const char *shape, const char *path, const char *how)
{
	fflush(stdout);
	if (fork() == 0) {
		execl("/proc/self/exe", "file", shape, path, how, NULL);
		_exit(1);
	}
	wait(NULL);
}

static int count_record(void *context, const struct timeline_record *record)
{
	*(uint64_t *)context += record->value[METRIC_SAMPLES];
	return 0;
}

/* Sizes without the time line: with the counts, and of the rest, which is the fixed part. */
static void measure_without_timeline(struct profile *profile, const char *path)
{
	char *plain = alloc_format("%s.no-timeline", path);
	struct error err = {0};
	uint64_t size;

	if (profile_save(profile, plain, &err) != 0)
		fail(&err);
	size = size_of(plain);
	profile->counts.count = 0;
	if (profile_save(profile, plain, &err) != 0)
		fail(&err);
	printf("no time line  %.2f bytes a sample: %.2f of counts, %.2f of names, frames, stacks\n",
		(double)size / SAMPLES, (double)(size - size_of(plain)) / SAMPLES,
		(double)size_of(plain) / SAMPLES);
	unlink(plain);
	free(plain);
}

static void measure_writing(const char *shape, const char *path)
{
	struct profile profile;
	double took;

	profile_init(&profile);
	profile.info.metrics = METRIC_BIT(METRIC_WALL) | METRIC_BIT(METRIC_CPU) |
			       METRIC_BIT(METRIC_SAMPLES) | METRIC_BIT(METRIC_CPU_SQUARES);
	threads_add_process(&profile.threads, &(struct process){.pid = 1});
	threads_add_thread(&profile.threads, &(struct thread){.tid = 1, .process = 1});
	add_frames(&profile);
	took = record(&profile, shape, path);
	printf("finish        %.0f ms\n", took * 1e3);
	printf("file          %.2f bytes a sample\n", (double)size_of(path) / SAMPLES);
	measure_without_timeline(&profile, path);
	profile_release(&profile);
}

static void measure_visit(const char *path)
{
	struct error err = {0};
	uint64_t samples = 0;
	double start = now();

	if (profile_visit_timeline(path, count_record, &samples, &err) != 0)
		fail(&err);
	printf("time line     visited in %.0f ms: %llu samples\n", (now() - start) * 1e3,
		(unsigned long long)samples);
}

int main(int argc, char **argv)
{
	const char *shape = argc > 1 ? argv[1] : "shared";
	const char *path = argc > 2 ? argv[2] : "bench.prof";

	if (argc > 3) { /* started by itself */
		measure_load(path, strcmp(argv[3], "report") == 0);
		return 0;
	}
	printf("%d samples in %d distinct stacks, %s:\n", SAMPLES, STACKS, shape);
	measure_writing(shape, path);
	measure_visit(path);
	for (int i = 0; i < 4; i++)
		load_in_new_program(shape, path, "plain");
	load_in_new_program(shape, path, "report");
	return 0;
}
