/*
 * Tests of profiles on disk. Each runs in a directory of its own. What a reader must survive is
 * tried on a small profile that has a row of everything: cut at every length, changed at every byte
 * with the checksums left wrong, and changed behind the checksums.
 */
#include "model/chunk.h"
#include "model/profile_file.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[] = "/tmp/cprof-check-XXXXXX";

static void enter_directory(void)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void leave_directory(void)
{
	DIR *entries = opendir(".");
	struct dirent *entry;

	while ((entry = readdir(entries)))
		if (unlink(entry->d_name) != 0)
			rmdir(entry->d_name);
	closedir(entries);
	ck_assert_int_eq(chdir("/"), 0);
	rmdir(directory);
}

static uint64_t random_state = 88172645463325252u;

static uint64_t random_number(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % below;
}

/* --- files as bytes -------------------------------------------------------------------------- */

static struct bytes read_file(const char *path)
{
	struct bytes bytes = {0};
	FILE *file = fopen(path, "r");
	uint8_t block[4096];
	size_t length;

	ck_assert_ptr_nonnull(file);
	while ((length = fread(block, 1, sizeof(block), file)) > 0)
		bytes_put(&bytes, block, length);
	fclose(file);
	return bytes;
}

static void write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void copy_file(const char *from, const char *to)
{
	struct bytes bytes = read_file(from);

	write_file(to, bytes.items, bytes.count);
	array_release(&bytes);
}

/* --- profiles that are equal ----------------------------------------------------------------- */

static const char *text_of(const struct profile *profile, string_id id)
{
	return strings_get(&profile->strings, id);
}

static void assert_same_info(const struct profile *a, const struct profile *b)
{
	ck_assert_uint_eq(a->info.metrics, b->info.metrics);
	for (size_t i = 0; i < profile_field_count; i++) {
		const struct profile_field *field = &profile_fields[i];
		const char *left = (const char *)&a->info + field->offset;
		const char *right = (const char *)&b->info + field->offset;

		if (field->is_string)
			ck_assert_str_eq(text_of(a, *(const string_id *)left),
				text_of(b, *(const string_id *)right));
		else if (strcmp(field->name, "is_incomplete") != 0)
			ck_assert_msg(*(const uint64_t *)left == *(const uint64_t *)right,
				"%s differs", field->name);
	}
}

static void assert_same_threads(const struct threads *a, const struct threads *b)
{
	ck_assert_uint_eq(a->processes.count, b->processes.count);
	for (size_t i = 0; i < a->processes.count; i++) {
		const struct process *left = &a->processes.items[i],
				     *right = &b->processes.items[i];

		ck_assert_uint_eq(left->pid, right->pid);
		ck_assert_uint_eq(left->parent, right->parent);
		ck_assert_uint_eq(left->name, right->name);
		ck_assert_uint_eq(left->executable, right->executable);
		ck_assert_uint_eq(left->start_ns, right->start_ns);
		ck_assert_uint_eq(left->end_ns, right->end_ns);
		ck_assert_int_eq(left->was_alive, right->was_alive);
	}
	ck_assert_uint_eq(a->threads.count, b->threads.count);
	for (size_t i = 0; i < a->threads.count; i++) {
		const struct thread *left = &a->threads.items[i], *right = &b->threads.items[i];

		ck_assert_uint_eq(left->tid, right->tid);
		ck_assert_uint_eq(left->process, right->process);
		ck_assert_uint_eq(left->name, right->name);
		ck_assert_uint_eq(left->start_ns, right->start_ns);
		ck_assert_uint_eq(left->end_ns, right->end_ns);
		ck_assert_uint_eq(left->cpu_ns, right->cpu_ns);
		ck_assert_uint_eq(left->not_sampled_ns, right->not_sampled_ns);
	}
}

static void assert_same_modules(const struct modules *a, const struct modules *b)
{
	ck_assert_uint_eq(a->items.count, b->items.count);
	for (size_t i = 0; i < a->items.count; i++) {
		const struct module *left = &a->items.items[i], *right = &b->items.items[i];

		ck_assert_uint_eq(left->path, right->path);
		ck_assert_uint_eq(left->name, right->name);
		ck_assert_uint_eq(left->kind, right->kind);
		ck_assert_uint_eq(left->flags, right->flags);
		ck_assert(build_id_equal(&left->build_id, &right->build_id));
	}
}

static void assert_same_frames(const struct frames *a, const struct frames *b)
{
	ck_assert_uint_eq(a->functions.count, b->functions.count);
	for (size_t i = 0; i < a->functions.count; i++) {
		const struct function *left = &a->functions.items[i];
		const struct function *right = &b->functions.items[i];

		ck_assert_uint_eq(left->name, right->name);
		ck_assert_uint_eq(left->module, right->module);
		ck_assert_uint_eq(left->file, right->file);
		ck_assert_uint_eq(left->line, right->line);
		ck_assert_uint_eq(left->entry, right->entry);
	}
	ck_assert_uint_eq(a->items.count, b->items.count);
	for (frame_id id = 1; id <= a->items.count; id++) {
		size_t count, other_count;
		const struct line *left = frames_lines(a, id, &count);
		const struct line *right = frames_lines(b, id, &other_count);

		ck_assert_uint_eq(frames_at(a, id)->module, frames_at(b, id)->module);
		ck_assert_uint_eq(frames_at(a, id)->file_addr, frames_at(b, id)->file_addr);
		ck_assert_uint_eq(count, other_count);
		for (size_t i = 0; i < count; i++) {
			ck_assert_uint_eq(left[i].function, right[i].function);
			ck_assert_uint_eq(left[i].file, right[i].file);
			ck_assert_uint_eq(left[i].line, right[i].line);
		}
	}
}

/* The order of counts is free, so each is looked up; `b` may index itself for that. */
static void assert_same_counts(const struct profile *a, struct profile *b)
{
	ck_assert_uint_eq(a->counts.count, b->counts.count);
	for (size_t i = 0; i < a->counts.count; i++) {
		const struct count *left = &a->counts.items[i];
		const struct count *right =
			profile_count(b, left->thread, left->stack, left->in_region);

		for (int metric = 0; metric < METRIC_COUNT; metric++)
			ck_assert_uint_eq(left->value[metric], right->value[metric]);
	}
	ck_assert_uint_eq(a->counts.count, b->counts.count); /* none was missing */
}

static void assert_same(const struct profile *a, struct profile *b)
{
	ck_assert_uint_eq(a->strings.items.count, b->strings.items.count);
	for (string_id id = 1; id <= a->strings.items.count; id++)
		ck_assert_str_eq(text_of(a, id), text_of(b, id));
	assert_same_info(a, b);
	assert_same_threads(&a->threads, &b->threads);
	assert_same_modules(&a->modules, &b->modules);
	assert_same_frames(&a->frames, &b->frames);
	ck_assert_uint_eq(a->stacks.items.count, b->stacks.items.count);
	for (stack_id id = 1; id <= a->stacks.items.count; id++) {
		ck_assert_uint_eq(
			stacks_at(&a->stacks, id)->parent, stacks_at(&b->stacks, id)->parent);
		ck_assert_uint_eq(
			stacks_at(&a->stacks, id)->frame, stacks_at(&b->stacks, id)->frame);
	}
	ck_assert_uint_eq(a->marks.count, b->marks.count);
	for (size_t i = 0; i < a->marks.count; i++) {
		ck_assert_uint_eq(a->marks.items[i].time_ns, b->marks.items[i].time_ns);
		ck_assert_uint_eq(a->marks.items[i].process, b->marks.items[i].process);
		ck_assert_uint_eq(a->marks.items[i].name, b->marks.items[i].name);
		ck_assert_uint_eq(a->marks.items[i].kind, b->marks.items[i].kind);
	}
	assert_same_counts(a, b);
}

static void assert_loads_as(const struct profile *expected, const char *path, bool allow_cut)
{
	struct profile loaded;
	struct error err = {0};

	ck_assert_msg(profile_load(&loaded, path, allow_cut, NULL, &err) == 0, "%s", err.text);
	assert_same(expected, &loaded);
	profile_release(&loaded);
}

/* --- a recording, made up -------------------------------------------------------------------- */

/* What a session does to a profile in a second: everything grows, some of it changes. */
struct recording {
	struct profile profile;
	struct timeline timeline;
	uint64_t time_ns;
	ARRAY(struct timeline_record) records;
	uint64_t samples;
};

static void fill_info(struct profile *profile)
{
	char text[64];

	for (size_t i = 0; i < profile_field_count; i++) {
		const struct profile_field *field = &profile_fields[i];
		char *at = (char *)&profile->info + field->offset;

		snprintf(text, sizeof(text), "text of %s", field->name);
		if (field->is_string)
			*(string_id *)at = strings_intern(&profile->strings, text);
		else
			*(uint64_t *)at = i * i * 1000003 * i;
	}
	profile->info.is_incomplete = 0;
	profile->info.metrics = (1 << METRIC_COUNT) - 1;
}

static void recording_init(struct recording *recording)
{
	*recording = (struct recording){0};
	profile_init(&recording->profile);
	fill_info(&recording->profile);
	recording->profile.timeline = &recording->timeline;
}

static void recording_release(struct recording *recording)
{
	profile_release(&recording->profile);
	timeline_release(&recording->timeline);
	array_release(&recording->records);
}

static string_id numbered(struct profile *profile, const char *what, uint64_t number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %llu", what, (unsigned long long)number);
	return strings_intern(&profile->strings, text);
}

static void add_process(struct recording *recording)
{
	struct profile *profile = &recording->profile;
	size_t count = profile->threads.processes.count;
	struct process process = {.pid = 1000 + count,
		.parent = count ? random_number(count) + 1 : 0,
		.name = numbered(profile, "process", count % 3),
		.start_ns = recording->time_ns};

	threads_add_process(&profile->threads, &process);
}

static void add_thread(struct recording *recording)
{
	struct profile *profile = &recording->profile;
	struct thread thread = {.tid = 1000 + profile->threads.threads.count,
		.process = random_number(profile->threads.processes.count) + 1,
		.name = numbered(profile, "thread", profile->threads.threads.count % 3),
		.start_ns = recording->time_ns};

	threads_add_thread(&profile->threads, &thread);
}

static void change_rows(struct recording *recording)
{
	struct profile *profile = &recording->profile;
	struct threads *threads = &profile->threads;
	struct thread *thread = &threads->threads.items[random_number(threads->threads.count)];
	struct process *process =
		&threads->processes.items[random_number(threads->processes.count)];

	thread->end_ns = recording->time_ns;
	thread->cpu_ns += 1000003;
	thread->not_sampled_ns += 7;
	process->end_ns = recording->time_ns;
	process->executable = numbered(profile, "/usr/bin/program", random_number(3));
	process->was_alive = !process->was_alive;
	modules_at(&profile->modules, random_number(profile->modules.items.count) + 1)->flags ^=
		MODULE_HAS_LINES;
	profile->info.duration_ns = recording->time_ns;
	profile->info.lost += random_number(2);
}

static void add_module(struct recording *recording)
{
	struct profile *profile = &recording->profile;
	size_t count = profile->modules.items.count;
	struct build_id build_id = {.length = count % 3 ? 20 : 0};
	char path[64];

	for (unsigned i = 0; i < build_id.length; i++)
		build_id.bytes[i] = random_number(256);
	snprintf(path, sizeof(path), "/usr/lib/lib%zu.so", count);
	modules_intern(
		&profile->modules, &profile->strings, path, count % MODULE_KIND_COUNT, &build_id);
}

static void name_frame(struct profile *profile, frame_id id)
{
	struct line lines[3];
	size_t count = random_number(3) + 1;

	if (frames_at(&profile->frames, id)->line_count > 0)
		return;
	for (size_t i = 0; i < count; i++) {
		struct function function = {
			.name = numbered(profile, "function", random_number(99)),
			.module = frames_at(&profile->frames, id)->module,
			.file = numbered(profile, "file", random_number(9)),
			.line = random_number(1000),
			.entry = random_number(2) ? 0 : random_number(1 << 20)};

		lines[i] = (struct line){.function = functions_intern(&profile->frames, &function),
			.file = function.file,
			.line = function.line + random_number(30)};
	}
	frames_name(&profile->frames, id, lines, count);
}

static stack_id add_stack(struct profile *profile)
{
	frame_id frames[10];
	size_t depth = random_number(10);

	for (size_t i = 0; i < depth; i++)
		frames[i] = frames_intern(&profile->frames,
			random_number(profile->modules.items.count) + 1, random_number(40) * 16);
	return stacks_intern(
		&profile->stacks, frames, depth, STACK_ROOTED + random_number(STACK_END_COUNT - 1));
}

static void add_sample(struct recording *recording)
{
	struct profile *profile = &recording->profile;
	struct timeline_record record = {0};

	recording->time_ns += random_number(2000) * 1000;
	record.time_ns = recording->time_ns;
	record.thread = random_number(profile->threads.threads.count) + 1;
	record.stack = add_stack(profile);
	record.in_region = random_number(4) == 0;
	record.value[METRIC_CPU] = random_number(3000) * 1000;
	record.value[random_number(2) ? METRIC_BLOCKED : METRIC_RUNNABLE] = random_number(2) * 5000;
	record.value[METRIC_WALL] = record.value[METRIC_CPU] + record.value[METRIC_BLOCKED] +
				    record.value[METRIC_RUNNABLE] + (random_number(9) == 0) * 8000;
	record.value[METRIC_SAMPLES] = 1;
	record.value[METRIC_CPU_SQUARES] = random_number(1000000);
	profile_add(profile, record.time_ns, record.thread, record.stack, record.in_region,
		record.value);
	record.value[METRIC_CPU_SQUARES] = 0; /* not in the timeline */
	*array_add(&recording->records) = record;
	recording->samples++;
}

static void record_a_second(struct recording *recording)
{
	struct profile *profile = &recording->profile;
	struct mark mark = {.time_ns = recording->time_ns, .kind = random_number(3)};

	add_process(recording);
	for (int i = 0; i < 3; i++)
		add_thread(recording);
	for (int i = 0; i < 2; i++)
		add_module(recording);
	for (int i = 0; i < 40; i++)
		add_sample(recording);
	for (int i = 0; i < 10; i++)
		change_rows(recording);
	if (profile->frames.items.count > 0)
		for (int i = 0; i < 15; i++)
			name_frame(profile, random_number(profile->frames.items.count) + 1);
	mark.process = random_number(profile->threads.processes.count) + 1;
	mark.name = mark.kind == MARK_NAMED ? numbered(profile, "mark", 1) : 0;
	*array_add(&profile->marks) = mark;
}

static struct profile_writer *open_writer(const char *path)
{
	struct error err = {0};
	struct profile_writer *writer = profile_writer_open(path, &err);

	ck_assert_msg(writer != NULL, "%s", err.text);
	return writer;
}

static void flush(struct profile_writer *writer, struct recording *recording)
{
	struct error err = {0};

	ck_assert_msg(
		profile_writer_flush(writer, &recording->profile, &recording->timeline, &err) == 0,
		"%s", err.text);
}

static void finish(struct profile_writer *writer, struct recording *recording)
{
	struct error err = {0};

	ck_assert_msg(
		profile_writer_finish(writer, &recording->profile, &recording->timeline, &err) == 0,
		"%s", err.text);
	profile_writer_close(writer);
}

/* A small whole file that has a row of everything, and a timeline. */
static void write_sample_file(const char *path, int seconds)
{
	struct recording recording;
	struct profile_writer *writer = open_writer(path);

	recording_init(&recording);
	for (int i = 0; i < seconds; i++) {
		record_a_second(&recording);
		flush(writer, &recording);
	}
	finish(writer, &recording);
	recording_release(&recording);
}

/* Compares the records of a file's timeline with those of a recording, one by one. */
struct comparison {
	const struct recording *recording;
	size_t count;
};

static int compare_record(void *context, const struct timeline_record *record)
{
	struct comparison *comparison = context;
	const struct timeline_record *expected =
		&comparison->recording->records.items[comparison->count++];

	bool is_same = comparison->count <= comparison->recording->records.count &&
		       record->time_ns == expected->time_ns && record->thread == expected->thread &&
		       record->stack == expected->stack &&
		       record->in_region == expected->in_region &&
		       memcmp(record->value, expected->value, sizeof(record->value)) == 0;

	if (!is_same) /* an assertion that holds is slow, and there are many records */
		ck_abort_msg("record %zu differs", comparison->count);
	return 0;
}

static size_t compare_timeline(const char *path, const struct recording *recording)
{
	struct comparison comparison = {.recording = recording};
	struct error err = {0};

	ck_assert_msg(profile_visit_timeline(path, compare_record, &comparison, &err) == 0, "%s",
		err.text);
	return comparison.count;
}

static int ignore_record(void *context, const struct timeline_record *record)
{
	(void)context;
	(void)record;
	return 0;
}

/* --- core ------------------------------------------------------------------------------------ */

START_TEST(saved_profile_loads_equal)
{
	struct profile profile;
	struct error err = {0};

	ck_assert_int_eq(
		profile_from_folded(&profile,
			"main;load;read 12\nmain;load 3\n@2/3 main;libm.so!m.c:3:5(exp) 7\n", &err),
		0);
	ck_assert_msg(profile_save(&profile, "a.prof", &err) == 0, "%s", err.text);
	assert_loads_as(&profile, "a.prof", false);
	profile_release(&profile);
}
END_TEST

START_TEST(empty_profile_loads_equal)
{
	struct profile profile;
	struct error err = {0};

	profile_init(&profile);
	ck_assert_int_eq(profile_save(&profile, "a.prof", &err), 0);
	assert_loads_as(&profile, "a.prof", false);
	profile_release(&profile);
}
END_TEST

/* The journal as it is after each second, and the compact file at the end, hold the same. */
START_TEST(journal_and_compact_file_read_the_same)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");

	recording_init(&recording);
	for (int second = 0; second < 30; second++) {
		record_a_second(&recording);
		flush(writer, &recording);
		ck_assert_uint_eq(recording.timeline.record_count, 0);
		assert_loads_as(&recording.profile, "a.prof.part", true);
	}
	for (frame_id id = 1; id <= recording.profile.frames.items.count; id++)
		name_frame(&recording.profile, id);
	record_a_second(&recording);
	copy_file("a.prof.part", "journal");
	finish(writer, &recording);
	ck_assert(!exists("a.prof.part"));
	assert_loads_as(&recording.profile, "a.prof", false);
	ck_assert_uint_eq(compare_timeline("a.prof", &recording), recording.records.count);
	recording_release(&recording);
}
END_TEST

START_TEST(flush_writes_only_what_is_new)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");
	struct stat before, after;

	recording_init(&recording);
	for (int i = 0; i < 300; i++)
		add_process(&recording);
	for (int i = 0; i < 10000; i++)
		add_thread(&recording);
	for (int i = 0; i < 3; i++)
		add_module(&recording);
	for (int i = 0; i < 2000; i++)
		add_sample(&recording);
	flush(writer, &recording);
	ck_assert_int_eq(stat("a.prof.part", &before), 0);
	flush(writer, &recording);
	ck_assert_int_eq(stat("a.prof.part", &after), 0);
	ck_assert_int_eq(after.st_size, before.st_size); /* nothing new: nothing written */
	threads_thread(&recording.profile.threads, 5000)->cpu_ns += 1;
	flush(writer, &recording);
	ck_assert_int_eq(stat("a.prof.part", &after), 0);
	ck_assert_int_lt(after.st_size, before.st_size + 60); /* one row of ten thousand */
	assert_loads_as(&recording.profile, "a.prof.part", true);
	profile_writer_discard(writer);
	ck_assert(!exists("a.prof.part"));
	ck_assert(!exists("a.prof"));
	recording_release(&recording);
}
END_TEST

START_TEST(loaded_profile_can_be_added_to)
{
	struct recording recording;
	struct profile loaded;
	struct error err = {0};
	uint64_t value[METRIC_COUNT] = {[METRIC_CPU] = 1};
	const struct profile *original = &recording.profile;

	recording_init(&recording);
	record_a_second(&recording);
	record_a_second(&recording);
	ck_assert_int_eq(profile_save(original, "a.prof", &err), 0);
	ck_assert_int_eq(profile_load(&loaded, "a.prof", false, NULL, &err), 0);
	for (stack_id id = STACK_END_COUNT; id <= original->stacks.items.count; id++)
		ck_assert_uint_eq(
			stacks_push(&loaded.stacks, stacks_at(&original->stacks, id)->parent,
				stacks_at(&original->stacks, id)->frame),
			id);
	for (frame_id id = 1; id <= original->frames.items.count; id++)
		ck_assert_uint_eq(
			frames_intern(&loaded.frames, frames_at(&original->frames, id)->module,
				frames_at(&original->frames, id)->file_addr),
			id);
	for (function_id id = 1; id <= original->frames.functions.count; id++)
		ck_assert_uint_eq(
			functions_intern(&loaded.frames, functions_at(&original->frames, id)), id);
	for (module_id id = 1; id <= original->modules.items.count; id++) {
		const struct module *module = modules_at(&original->modules, id);

		ck_assert_uint_eq(
			modules_intern(&loaded.modules, &loaded.strings,
				text_of(original, module->path), module->kind, &module->build_id),
			id);
	}
	ck_assert_uint_eq(loaded.dirty_counts.count, 0);
	profile_add(&loaded, 0, original->counts.items[0].thread, original->counts.items[0].stack,
		original->counts.items[0].in_region, value);
	ck_assert_uint_eq(loaded.counts.count, original->counts.count);
	ck_assert_uint_eq(stacks_push(&loaded.stacks, STACK_ROOTED, 1000000),
		original->stacks.items.count + 1);
	profile_release(&loaded);
	recording_release(&recording);
}
END_TEST

START_TEST(report_says_what_is_in_the_file)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");
	struct profile loaded;
	struct profile_load_report report;
	struct error err = {0};
	struct stat status;

	recording_init(&recording);
	for (int i = 0; i < 5; i++) {
		record_a_second(&recording);
		flush(writer, &recording);
	}
	finish(writer, &recording);
	stat("a.prof", &status);
	ck_assert_int_eq(profile_load(&loaded, "a.prof", false, &report, &err), 0);
	ck_assert_uint_eq(report.version, CHUNK_FILE_VERSION);
	ck_assert_uint_eq(report.size_bytes, status.st_size);
	ck_assert_uint_eq(report.good_bytes, status.st_size);
	ck_assert_uint_eq(report.fixed_bytes + report.timeline_bytes, status.st_size);
	ck_assert_uint_eq(report.timeline_records, recording.records.count);
	ck_assert_uint_eq(report.timeline_chunks, 5);
	ck_assert_uint_eq(report.unknown_chunk_count, 0);
	ck_assert_uint_ge(report.chunk_count, 5 + 12 + 1);
	ck_assert(report.is_whole);
	profile_release(&loaded);
	ck_assert_int_eq(truncate("a.prof", status.st_size - 1), 0);
	ck_assert_int_eq(profile_load(&loaded, "a.prof", true, &report, &err), 0);
	ck_assert(!report.is_whole);
	ck_assert_uint_eq(loaded.info.is_incomplete, 1);
	ck_assert_uint_lt(report.good_bytes, report.size_bytes);
	profile_release(&loaded);
	recording_release(&recording);
}
END_TEST

START_TEST(files_are_private_and_temporary_names_go)
{
	struct stat status;
	DIR *entries;
	int count = 0;

	umask(0);
	write_sample_file("a.prof", 2);
	ck_assert_int_eq(stat("a.prof", &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	entries = opendir(".");
	while (readdir(entries))
		count++;
	closedir(entries);
	ck_assert_int_eq(count, 3); /* ".", ".." and a.prof */
}
END_TEST

START_TEST(under_sudo_files_belong_to_the_caller)
{
	struct stat status;
	struct profile_writer *writer;

	if (geteuid() != 0)
		return; /* only root can give files away */
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "23456", 1);
	writer = open_writer("b.prof");
	ck_assert_int_eq(stat("b.prof.part", &status), 0);
	ck_assert_uint_eq(status.st_uid, 12345);
	profile_writer_discard(writer);
	write_sample_file("a.prof", 1);
	ck_assert_int_eq(stat("a.prof", &status), 0);
	ck_assert_uint_eq(status.st_uid, 12345);
	ck_assert_uint_eq(status.st_gid, 23456);
}
END_TEST

START_TEST(left_over_recording_is_kept_under_another_name)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");

	recording_init(&recording);
	record_a_second(&recording);
	flush(writer, &recording);
	ck_assert_ptr_null(profile_writer_interrupted(writer));
	profile_writer_close(writer); /* as if it had died: the file stays, the lock goes */
	for (int i = 0; i < 2; i++) {
		writer = open_writer("a.prof");
		ck_assert_str_eq(profile_writer_interrupted(writer),
			i == 0 ? "a.prof.interrupted" : "a.prof.interrupted.2");
		flush(writer, &recording);
		record_a_second(&recording);
		flush(writer, &recording);
		profile_writer_close(writer);
	}
	ck_assert(exists("a.prof.interrupted"));
	ck_assert(exists("a.prof.interrupted.2"));
	recording_release(&recording);
}
END_TEST

START_TEST(empty_left_over_is_no_news)
{
	struct profile_writer *writer = open_writer("a.prof");

	profile_writer_close(writer); /* died before the first second was over */
	writer = open_writer("a.prof");
	ck_assert_ptr_null(profile_writer_interrupted(writer));
	profile_writer_discard(writer);
	ck_assert(!exists("a.prof.interrupted"));
}
END_TEST

START_TEST(two_recordings_cannot_have_one_file)
{
	struct profile_writer *writer = open_writer("a.prof");
	struct error err = {0};

	ck_assert_ptr_null(profile_writer_open("a.prof", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "another recording is writing a.prof.part"));
	ck_assert_int_eq(profile_repair("a.prof.part", "b.prof", NULL, NULL, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "still writing"));
	ck_assert(exists("a.prof.part"));
	profile_writer_close(writer);
}
END_TEST

static int name_everything(void *context, struct profile *profile, struct error *err)
{
	(void)err;
	++*(int *)context;
	for (frame_id id = 1; id <= profile->frames.items.count; id++)
		name_frame(profile, id);
	return 0;
}

START_TEST(repair_makes_a_whole_file_of_a_cut_one)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");
	struct profile_load_report report;
	struct profile loaded;
	struct error err = {0};
	int calls = 0;
	size_t count;

	recording_init(&recording);
	for (int i = 0; i < 5; i++) {
		record_a_second(&recording);
		flush(writer, &recording);
	}
	profile_writer_close(writer);
	ck_assert_msg(profile_repair("a.prof.part", "a.prof", NULL, NULL, &report, &err) == 0, "%s",
		err.text);
	ck_assert(!report.is_whole);
	assert_loads_as(&recording.profile, "a.prof", false);
	ck_assert_uint_eq(compare_timeline("a.prof", &recording), recording.records.count);
	ck_assert_int_eq(truncate("a.prof.part", report.size_bytes - 100), 0);
	ck_assert_int_eq(
		profile_repair("a.prof.part", "a.prof", name_everything, &calls, NULL, &err), 0);
	ck_assert_int_eq(calls, 1);
	count = compare_timeline("a.prof", &recording);
	ck_assert_uint_ge(count, 4 * 40);
	ck_assert_uint_lt(count, 5 * 40);
	ck_assert_int_eq(profile_load(&loaded, "a.prof", false, NULL, &err), 0);
	ck_assert_uint_eq(loaded.info.is_incomplete, 1);
	for (frame_id id = 1; id <= loaded.frames.items.count; id++)
		ck_assert_uint_gt(frames_at(&loaded.frames, id)->line_count, 0);
	profile_release(&loaded);
	recording_release(&recording);
}
END_TEST

static int stop_at_third(void *context, const struct timeline_record *record)
{
	(void)record;
	return ++*(int *)context == 3 ? 42 : 0;
}

START_TEST(visit_stops_when_asked)
{
	struct error err = {0};
	int count = 0;

	write_sample_file("a.prof", 2);
	ck_assert_int_eq(profile_visit_timeline("a.prof", stop_at_third, &count, &err), 42);
	ck_assert_int_eq(count, 3);
}
END_TEST

/* More records than fit into one chunk are cut between records. */
START_TEST(long_timelines_are_split)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");

	recording_init(&recording);
	add_process(&recording);
	add_thread(&recording);
	add_module(&recording);
	for (int i = 0; i < 100; i++)
		add_sample(&recording);
	while (recording.timeline.bytes.count <= 9u << 20) {
		struct timeline_record record =
			recording.records.items[random_number(recording.records.count)];

		recording.time_ns += random_number(UINT32_MAX) * 1000;
		record.time_ns = recording.time_ns;
		*array_add(&recording.records) = record;
		timeline_add(&recording.timeline, &record);
	}
	finish(writer, &recording);
	ck_assert_uint_eq(compare_timeline("a.prof", &recording), recording.records.count);
	assert_loads_as(&recording.profile, "a.prof", false);
	recording_release(&recording);
}
END_TEST

/* --- files of other versions ----------------------------------------------------------------- */

struct file_maker {
	struct bytes out, payload;
	ZSTD_CCtx *packer;
	uint64_t chunk_count;
};

static void maker_init(struct file_maker *maker)
{
	*maker = (struct file_maker){.packer = ZSTD_createCCtx()};
	chunk_put_file_header(&maker->out);
}

static void maker_put(struct file_maker *maker, const char *type)
{
	struct error err = {0};

	ck_assert_int_eq(chunk_put(&maker->out, maker->packer, type, &maker->payload, &err), 0);
	maker->payload.count = 0;
	maker->chunk_count++;
}

static void maker_text(struct file_maker *maker, const char *text)
{
	bytes_put_number(&maker->payload, strlen(text));
	bytes_put(&maker->payload, text, strlen(text));
}

/* Numbers, up to one that is negative. */
static void maker_numbers(struct file_maker *maker, const int64_t *numbers)
{
	for (; *numbers >= 0; numbers++)
		bytes_put_number(&maker->payload, *numbers);
}
#define NUMBERS(maker, ...) maker_numbers(maker, (const int64_t[]){__VA_ARGS__, -1})

static void maker_write(struct file_maker *maker, const char *path)
{
	bytes_put_number(&maker->payload, maker->chunk_count);
	maker_put(maker, "END ");
	write_file(path, maker->out.items, maker->out.count);
	array_release(&maker->out);
	array_release(&maker->payload);
	ZSTD_freeCCtx(maker->packer);
}

/* The documented bytes of a small file, with a metric, a field and a chunk that nobody knows. */
START_TEST(what_a_newer_version_added_is_skipped)
{
	struct file_maker maker;
	struct profile profile;
	struct profile_load_report report;
	struct error err = {0};
	const struct count *count;

	maker_init(&maker);
	NUMBERS(&maker, 3, 3, 0);
	maker_text(&maker, "joules");
	NUMBERS(&maker, 1);
	maker_text(&maker, "cpu");
	NUMBERS(&maker, 1);
	maker_text(&maker, "wall");
	maker_put(&maker, "METR");
	NUMBERS(&maker, 2, 2, 3, 4);
	bytes_put(&maker.payload, "cmdmain", 7);
	maker_put(&maker, "STRS");
	NUMBERS(&maker, 2, 2);
	maker_text(&maker, "flavour");
	NUMBERS(&maker, 0, 99);
	maker_text(&maker, "command");
	NUMBERS(&maker, 1, 1);
	maker_put(&maker, "INFO");
	NUMBERS(&maker, 1, 2, 3);
	maker_put(&maker, "NEWS");
	/* one process, thread and module; a frame and a stack below the root node 1 */
	NUMBERS(&maker, 1, 1, 1, 2 * 7, 0, 0, 0, 0, 0, 0);
	maker_put(&maker, "PROC");
	NUMBERS(&maker, 1, 1, 1, 2 * 8, 2 * 1, 0, 0, 0, 0, 0);
	maker_put(&maker, "THRD");
	NUMBERS(&maker, 1, 1, 1, 2 * 2, 2 * 2, 0, 0, 2);
	bytes_put(&maker.payload, "\xde\xad", 2);
	maker_put(&maker, "MODU");
	NUMBERS(&maker, 1, 1, 1, 2 * 0x100);
	maker_put(&maker, "FRAM");
	NUMBERS(&maker, 7, 1, 6, 1);
	maker_put(&maker, "STAK");
	/* thread 1 outside regions, stack 7, all three metrics: 500, 1000, 1000 + 30 */
	NUMBERS(&maker, 1, 1, 2, 7, 7, 500, 1000, 2 * 30);
	maker_put(&maker, "CNTS");
	NUMBERS(&maker, 1, 0, 0, 0, 9, 4, 14, 7, 500, 1, 0);
	maker_put(&maker, "TIME");
	maker_write(&maker, "new.prof");

	ck_assert_msg(
		profile_load(&profile, "new.prof", false, &report, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(report.unknown_chunk_count, 1);
	ck_assert_uint_eq(report.timeline_records, 1);
	ck_assert_uint_eq(profile.info.metrics, METRIC_BIT(METRIC_CPU) | METRIC_BIT(METRIC_WALL));
	ck_assert_str_eq(text_of(&profile, profile.info.command), "cmd");
	ck_assert_uint_eq(threads_process(&profile.threads, 1)->pid, 7);
	ck_assert_uint_eq(threads_thread(&profile.threads, 1)->tid, 8);
	ck_assert_uint_eq(modules_at(&profile.modules, 1)->build_id.bytes[1], 0xad);
	ck_assert_uint_eq(frames_at(&profile.frames, 1)->file_addr, 0x100);
	ck_assert_uint_eq(stacks_at(&profile.stacks, 7)->parent, STACK_ROOTED);
	count = &profile.counts.items[0];
	ck_assert_uint_eq(count->thread, 1);
	ck_assert_uint_eq(count->stack, 7);
	ck_assert_uint_eq(count->value[METRIC_CPU], 1000);
	ck_assert_uint_eq(count->value[METRIC_WALL], 1030);
	ck_assert_uint_eq(count->value[METRIC_SAMPLES], 0);
	profile_release(&profile);
}
END_TEST

static int check_new_record(void *context, const struct timeline_record *record)
{
	++*(int *)context;
	ck_assert_uint_eq(record->time_ns, 9000);
	ck_assert_uint_eq(record->thread, 1);
	ck_assert_uint_eq(record->stack, 7);
	ck_assert_uint_eq(record->value[METRIC_CPU], 1000);
	ck_assert_uint_eq(record->value[METRIC_WALL], 1000);
	return 0;
}

START_TEST(timeline_of_a_newer_version_is_read)
{
	struct error err = {0};
	int count = 0;

	what_a_newer_version_added_is_skipped_fn(0);
	ck_assert_msg(profile_visit_timeline("new.prof", check_new_record, &count, &err) == 0, "%s",
		err.text);
	ck_assert_int_eq(count, 1);
	/* Repair writes the records anew, with our own metrics. */
	ck_assert_msg(profile_repair("new.prof", "own.prof", NULL, NULL, NULL, &err) == 0, "%s",
		err.text);
	ck_assert_int_eq(profile_visit_timeline("own.prof", check_new_record, &count, &err), 0);
	ck_assert_int_eq(count, 2);
}
END_TEST

/* --- limits: not a profile, or not the whole ------------------------------------------------- */

static void assert_error(const char *path, const char *sentence)
{
	struct profile profile;
	struct error err = {0};

	ck_assert_int_eq(profile_load(&profile, path, false, NULL, &err), -1);
	ck_assert_msg(strstr(err.text, sentence) != NULL, "'%s' lacks '%s'", err.text, sentence);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	profile_release(&profile);
}

START_TEST(what_is_not_a_profile_is_said)
{
	write_file("text", "main;load 3\n", 12);
	write_file("nothing", "", 0);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	write_file("start",
		"\x89"
		"cprof",
		6);
	assert_error("text", "text is not a cprof profile");
	assert_error("nothing", "nothing is empty");
	assert_error("folder", "folder is a directory");
	assert_error("fifo", "fifo is a pipe");
	assert_error("start", "start is cut off within its header");
	assert_error("/dev/null", "is a device");
	assert_error("missing", "no such file: record one with `cprof run");
}
END_TEST

START_TEST(unreadable_file_is_said)
{
	write_sample_file("a.prof", 1);
	ck_assert_int_eq(chmod("a.prof", 0), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chmod(directory, 0755), 0);
		ck_assert_int_eq(seteuid(65534), 0);
	}
	assert_error("a.prof", "cannot open a.prof: Permission denied");
	ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

START_TEST(newer_version_is_said)
{
	struct bytes file;

	/* Version 2 with its checksum, as its specification would have it. */
	static const uint8_t header[] = {0x89, 'c', 'p', 'r', 'o', 'f', '\r', '\n', 2, 0, 0, 0};
	uint64_t checksum = hash_bytes(header, 12);

	write_sample_file("a.prof", 1);
	file = read_file("a.prof");
	file.items[8] = 2;
	memcpy(file.items + 12, &checksum, 4);
	write_file("a.prof", file.items, file.count);
	array_release(&file);
	assert_error("a.prof", "a.prof has version 2 of the profile format");
}
END_TEST

/* Every length: an error that names --repair, and with allow_cut what lies before. */
START_TEST(cut_at_every_length)
{
	struct bytes file;
	size_t frames = 0;

	write_sample_file("a.prof", 2);
	file = read_file("a.prof");
	for (size_t length = CHUNK_FILE_HEADER_SIZE; length < file.count; length++) {
		struct profile profile;
		struct error err = {0};

		write_file("cut.prof", file.items, length);
		assert_error("cut.prof", "`cprof info --repair cut.prof`");
		ck_assert_int_eq(profile_visit_timeline("cut.prof", ignore_record, NULL, &err), -1);
		ck_assert_msg(profile_load(&profile, "cut.prof", true, NULL, &err) == 0, "%zu: %s",
			length, err.text);
		ck_assert_uint_eq(profile.info.is_incomplete, 1);
		ck_assert_uint_ge(profile.frames.items.count, frames);
		frames = profile.frames.items.count;
		profile_release(&profile);
	}
	ck_assert_uint_gt(frames, 0);
	array_release(&file);
}
END_TEST

/* Reads all that a view could ask of a profile: every number must lead somewhere. */
static uint64_t walk_everything(const struct profile *profile)
{
	uint64_t sum = 0;
	size_t count;

	for (size_t i = 0; i < profile->counts.count; i++) {
		const struct count *row = &profile->counts.items[i];
		const struct thread *thread = threads_thread(&profile->threads, row->thread);

		sum += threads_process(&profile->threads, thread->process)->pid;
		sum += stacks_depth(&profile->stacks, row->stack) + row->value[METRIC_WALL];
	}
	for (stack_id id = STACK_END_COUNT; id <= profile->stacks.items.count; id++)
		frames_lines(&profile->frames, stacks_at(&profile->stacks, id)->frame, &count);
	for (frame_id id = 1; id <= profile->frames.items.count; id++) {
		const struct line *lines = frames_lines(&profile->frames, id, &count);
		const struct module *module =
			modules_at(&profile->modules, frames_at(&profile->frames, id)->module);

		sum += strlen(text_of(profile, module->path)) +
		       strlen(text_of(profile, module->name));
		for (size_t i = 0; i < count; i++) {
			const struct function *function =
				functions_at(&profile->frames, lines[i].function);

			sum += strlen(text_of(profile, function->name)) + lines[i].line;
			sum += strlen(text_of(profile, function->file)) + function->entry;
			sum += strlen(text_of(profile, lines[i].file));
			sum += modules_at(&profile->modules, function->module)->kind;
		}
	}
	for (size_t i = 0; i < profile->marks.count; i++) {
		sum += strlen(text_of(profile, profile->marks.items[i].name));
		sum += threads_process(&profile->threads, profile->marks.items[i].process)->pid;
	}
	for (process_id id = 1; id <= profile->threads.processes.count; id++)
		for (process_id at = id; at; at = threads_process(&profile->threads, at)->parent)
			sum += strlen(
				text_of(profile, threads_process(&profile->threads, at)->name));
	for (size_t i = 0; i < profile_field_count; i++)
		if (profile_fields[i].is_string)
			sum += strlen(
				text_of(profile, *(const string_id *)((const char *)&profile->info +
								      profile_fields[i].offset)));
	return sum;
}

/* Loads whatever is there, in every way; counts what loads without a complaint. */
static int try_to_read(const char *path)
{
	static volatile uint64_t sink;
	struct profile_load_report report;
	struct profile profile;
	struct error err = {0};
	int good = 0;

	for (int allow_cut = 0; allow_cut < 2; allow_cut++) {
		err.text[0] = '\0';
		if (profile_load(&profile, path, allow_cut, allow_cut ? &report : NULL, &err) ==
			0) {
			sink += walk_everything(&profile);
			good += !allow_cut;
		} else {
			ck_assert_str_ne(err.text, "");
		}
		profile_release(&profile);
	}
	profile_visit_timeline(path, ignore_record, NULL, &err);
	return good;
}

START_TEST(changed_at_every_byte)
{
	struct bytes file;

	write_sample_file("a.prof", 2);
	file = read_file("a.prof");
	for (size_t at = 0; at < file.count; at++) {
		uint8_t before = file.items[at];

		file.items[at] ^= 1 << at % 8;
		write_file("bad.prof", file.items, file.count);
		ck_assert_msg(try_to_read("bad.prof") == 0, "byte %zu", at);
		file.items[at] = before;
	}
	array_release(&file);
}
END_TEST

START_TEST(damage_is_said_with_its_place)
{
	struct bytes file;
	char sentence[64];

	write_sample_file("a.prof", 2);
	file = read_file("a.prof");
	file.items[CHUNK_FILE_HEADER_SIZE + CHUNK_HEADER_SIZE + 3] ^= 4;
	write_file("bad.prof", file.items, file.count);
	snprintf(sentence, sizeof(sentence), "bad.prof is damaged at byte %d: a checksum is wrong",
		CHUNK_FILE_HEADER_SIZE);
	assert_error("bad.prof", sentence);
	bytes_put(&file, "tail", 4);
	file.items[CHUNK_FILE_HEADER_SIZE + CHUNK_HEADER_SIZE + 3] ^= 4;
	write_file("bad.prof", file.items, file.count);
	assert_error("bad.prof", "something follows its end");
	array_release(&file);
}
END_TEST

/* Many changes at once, cut pieces, doubled pieces. */
START_TEST(random_damage)
{
	struct bytes file, changed = {0};

	write_sample_file("a.prof", 2);
	file = read_file("a.prof");
	for (int round = 0; round < 1500; round++) {
		size_t from = random_number(file.count), length = random_number(200);

		changed.count = 0;
		bytes_put(&changed, file.items, file.count);
		if (length > file.count - from)
			length = file.count - from;
		for (uint64_t i = random_number(8); i > 0; i--)
			changed.items[random_number(changed.count)] = random_number(256);
		if (round % 3 == 1) {
			memmove(changed.items + from, changed.items + from + length,
				changed.count - from - length);
			changed.count -= length;
		} else if (round % 3 == 2) {
			bytes_put(&changed, file.items + from, length);
		}
		write_file("bad.prof", changed.items, changed.count);
		try_to_read("bad.prof");
	}
	array_release(&file);
	array_release(&changed);
}
END_TEST

/* Unpacks a file, changes a few bytes of payloads, and packs it with right checksums again. */
static void repack_changed(const char *from, const char *to, unsigned changes)
{
	struct chunk_reader reader;
	struct file_maker maker;
	struct error err = {0};
	uint64_t total = 0, at[8], seen = 0;
	struct cursor payload;

	ck_assert_int_eq(chunk_reader_open(&reader, from, &err), 0);
	while (chunk_reader_next(&reader, &err) == CHUNK_GOOD)
		total += chunk_raw_length(&reader);
	chunk_reader_close(&reader);
	for (unsigned i = 0; i < changes; i++)
		at[i] = random_number(total);
	maker_init(&maker);
	ck_assert_int_eq(chunk_reader_open(&reader, from, &err), 0);
	while (chunk_reader_next(&reader, &err) == CHUNK_GOOD) {
		char type[5] = {0};

		memcpy(type, reader.stored.items, 4);
		ck_assert_int_eq(chunk_unpack(&reader, &payload), 0);
		bytes_put(&maker.payload, payload.at, cursor_left(&payload));
		for (unsigned i = 0; i < changes; i++)
			if (at[i] >= seen && at[i] - seen < maker.payload.count)
				maker.payload.items[at[i] - seen] =
					random_number(3) ? random_number(256) : random_number(4);
		seen += maker.payload.count;
		maker_put(&maker, type);
	}
	chunk_reader_close(&reader);
	write_file(to, maker.out.items, maker.out.count);
	array_release(&maker.out);
	array_release(&maker.payload);
	ZSTD_freeCCtx(maker.packer);
}

/* Somebody who wants harm computes checksums: what is behind them is not trusted, either. */
START_TEST(damage_behind_the_checksums)
{
	int loaded = 0;

	write_sample_file("a.prof", 3);
	for (int round = 0; round < 2000; round++) {
		repack_changed("a.prof", "bad.prof", random_number(4) + 1);
		loaded += try_to_read("bad.prof");
	}
	ck_assert_int_gt(loaded, 0);	/* a changed time is still a time */
	ck_assert_int_lt(loaded, 1500); /* but much is noticed */
}
END_TEST

static size_t address_space(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* A kilobyte that claims gigabytes: refused, before the memory is spent. */
START_TEST(small_file_cannot_take_much_memory)
{
	size_t before = address_space();

	for (int kind = 0; kind < 3; kind++) {
		struct file_maker maker;
		struct error err = {0};
		struct profile profile;

		maker_init(&maker);
		if (kind > 0) {
			NUMBERS(&maker, 1, 1, 1, 2, 0, 0, 0, 0, 0, 0);
			maker_put(&maker, "PROC");
			NUMBERS(&maker, 1, 1, 1, 2, 2, 0, 0, 0, 0, 0);
			maker_put(&maker, "THRD");
			NUMBERS(&maker, 1, 1, 1, 0, 0, 0, 0, 0);
			maker_put(&maker, "MODU");
			NUMBERS(&maker, 1, 1, 1, 2);
			maker_put(&maker, "FRAM");
		}
		for (uint64_t i = 0; i < 100; i++) {
			uint64_t rows = kind == 0 ? 1500000 : 5000000;
			uint8_t *ones = alloc_zeroed(1, 15000000);

			memset(ones, kind == 1 ? 6 : 1, 15000000);
			if (kind == 0) /* processes */
				NUMBERS(&maker, (i + 1) * rows, rows);
			else if (kind == 1) /* stacks, each below the sixth one before */
				NUMBERS(&maker, 6 + (i + 1) * rows, rows);
			else /* counts */
				NUMBERS(&maker, (i + 1) * rows, rows);
			if (kind == 1)
				memset(ones + rows, 1, rows);
			bytes_put(&maker.payload, ones, kind == 0 ? rows * 8 : rows * (kind + 1));
			maker_put(&maker, kind == 0 ? "PROC" : kind == 1 ? "STAK" : "CNTS");
			free(ones);
			if (maker.out.count > 20000)
				break;
		}
		maker_write(&maker, "bomb.prof");
		ck_assert_int_eq(profile_load(&profile, "bomb.prof", false, NULL, &err), -1);
		ck_assert_msg(
			strstr(err.text, "bomb.prof is damaged at byte") != NULL, "%s", err.text);
		profile_release(&profile);
	}
#ifndef __SANITIZE_ADDRESS__
	ck_assert_uint_lt(address_space() - before, 300 << 10);
#endif
	(void)before;
}
END_TEST

/* What a profile in memory must not have is refused when it comes from a file. */
static void assert_refused(struct profile *profile, const char *sentence)
{
	struct error err = {0};

	ck_assert_msg(profile_save(profile, "odd.prof", &err) == 0, "%s", err.text);
	assert_error("odd.prof", sentence);
	profile_release(profile);
}

static void small_profile(struct profile *profile)
{
	struct error err = {0};

	ck_assert_int_eq(
		profile_from_folded(profile, "@1/1 main;load 3\n@2/2 main;color 7\n", &err), 0);
}

START_TEST(rows_that_lead_nowhere_are_refused)
{
	struct profile profile;

	small_profile(&profile);
	profile.threads.processes.items[0].parent = 2;
	profile.threads.processes.items[1].parent = 1;
	assert_refused(&profile, "its own ancestor");
	small_profile(&profile);
	profile.threads.processes.items[0].parent = 3;
	assert_refused(&profile, "a parent that is not there");
	small_profile(&profile);
	profile.threads.threads.items[1].process = 3;
	assert_refused(&profile, "a process that is not there");
	small_profile(&profile);
	profile.threads.threads.items[1].process = 0;
	assert_refused(&profile, "a process that is not there");
	small_profile(&profile);
	profile.frames.items.items[0].module = 9;
	assert_refused(&profile, "a module that is not there");
	small_profile(&profile);
	profile.frames.lines.items[0].function = 99;
	assert_refused(&profile, "a function that is not there");
	small_profile(&profile);
	profile.frames.functions.items[0].name = 99;
	assert_refused(&profile, "a text that is not there");
	small_profile(&profile);
	profile.stacks.items.items[7].parent = 8;
	assert_refused(&profile, "a stack that is its own parent");
	small_profile(&profile);
	profile.stacks.items.items[7].parent = 9;
	assert_refused(&profile, "a stack's parent is not there");
	small_profile(&profile);
	profile.stacks.items.items[7].frame = 99;
	assert_refused(&profile, "a frame that is not there");
	small_profile(&profile);
	profile.counts.items[0].thread = 7;
	assert_refused(&profile, "a thread that is not there");
	small_profile(&profile);
	profile.counts.items[0].stack = 70;
	assert_refused(&profile, "a stack that is not there");
	small_profile(&profile);
	profile.modules.items.items[0].kind = 77;
	assert_refused(&profile, "an unknown kind of module");
	small_profile(&profile);
	*array_add(&profile.marks) = (struct mark){.process = 1, .kind = 9};
	assert_refused(&profile, "an unknown kind of mark");
	small_profile(&profile);
	profile.info.label = 1000;
	assert_refused(&profile, "a text that is not there");
}
END_TEST

START_TEST(stacks_of_any_depth_are_bounded)
{
	struct profile profile;
	stack_id stack = STACK_ROOTED;

	small_profile(&profile);
	for (int i = 0; i < 2 * STACK_DEPTH_MAX; i++)
		stack = stacks_push(&profile.stacks, stack, 1);
	ck_assert_int_eq(profile_save(&profile, "deep.prof", NULL), 0);
	assert_loads_as(&profile, "deep.prof", false);
	stacks_push(&profile.stacks, stack, 1);
	assert_refused(&profile, "a stack that is too deep");
}
END_TEST

/* A record of the timeline must name a thread and a stack of the file. */
START_TEST(records_that_lead_nowhere_are_refused)
{
	for (int kind = 0; kind < 2; kind++) {
		struct recording recording;
		struct profile_writer *writer = open_writer("a.prof");
		struct timeline_record record = {.thread = 1, .stack = 1};
		struct error err = {0};

		recording_init(&recording);
		record_a_second(&recording);
		if (kind == 0)
			record.thread = recording.profile.threads.threads.count + 1;
		else
			record.stack = recording.profile.stacks.items.count + 1;
		timeline_add(&recording.timeline, &record);
		finish(writer, &recording);
		ck_assert_int_eq(profile_visit_timeline("a.prof", ignore_record, NULL, &err), -1);
		ck_assert_msg(strstr(err.text, kind ? "a record of a stack that is not there"
						    : "a record of a thread that is not there"),
			"%s", err.text);
		recording_release(&recording);
	}
}
END_TEST

/* --- limits: writing ------------------------------------------------------------------------- */

START_TEST(names_that_are_taken_by_something_else)
{
	struct error err = {0};
	struct profile profile;

	small_profile(&profile);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(symlink("elsewhere", "link"), 0);
	ck_assert_int_eq(symlink("elsewhere", "b.prof.part"), 0);
	ck_assert_int_eq(mkdir("c.prof.part", 0700), 0);
	ck_assert_int_eq(mkfifo("d.prof.part", 0600), 0);
	ck_assert_ptr_null(profile_writer_open("folder", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "a directory"));
	ck_assert_int_eq(profile_save(&profile, "folder", &err), -1);
	ck_assert_ptr_null(profile_writer_open("link", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "a symbolic link"));
	ck_assert_ptr_null(profile_writer_open("/dev/null", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "not a regular file"));
	ck_assert_ptr_null(profile_writer_open("b.prof", &err));
	ck_assert_ptr_null(profile_writer_open("c.prof", &err));
	ck_assert_ptr_null(profile_writer_open("d.prof", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "d.prof.part is in the way"));
	ck_assert_ptr_null(profile_writer_open("missing/a.prof", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "No such file or directory"));
	ck_assert(!exists("elsewhere"));
	profile_release(&profile);
}
END_TEST

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full, then it is not: nothing is lost. */
START_TEST(failed_flush_is_tried_again)
{
	struct recording recording;
	struct profile_writer *writer = open_writer("a.prof");
	struct error err = {0};
	struct stat status;

	recording_init(&recording);
	record_a_second(&recording);
	flush(writer, &recording);
	ck_assert_int_eq(stat("a.prof.part", &status), 0);
	copy_file("a.prof.part", "before");
	for (int i = 0; i < 3; i++) {
		record_a_second(&recording);
		limit_file_size(status.st_size + 50 * i);
		ck_assert_int_eq(
			profile_writer_flush(writer, &recording.profile, &recording.timeline, &err),
			-1);
		ck_assert_ptr_nonnull(strstr(err.text, "cannot write a.prof.part"));
		ck_assert_int_eq(stat("a.prof.part", &status), 0);
	}
	limit_file_size(RLIM_INFINITY);
	flush(writer, &recording);
	assert_loads_as(&recording.profile, "a.prof.part", true);
	finish(writer, &recording);
	assert_loads_as(&recording.profile, "a.prof", false);
	ck_assert_uint_eq(compare_timeline("a.prof", &recording), recording.records.count);
	recording_release(&recording);
}
END_TEST

START_TEST(failed_finish_destroys_nothing)
{
	struct recording recording;
	struct profile_writer *writer;
	struct bytes before, after;
	struct error err = {0};
	struct stat status;

	write_sample_file("a.prof", 1);
	before = read_file("a.prof");
	writer = open_writer("a.prof");
	recording_init(&recording);
	for (int i = 0; i < 4; i++) {
		record_a_second(&recording);
		flush(writer, &recording);
	}
	/* The final flush fits, the compact file does not: first it, then what is named meanwhile.
	 */
	ck_assert_int_eq(stat("a.prof.part", &status), 0);
	limit_file_size(status.st_size / 2);
	ck_assert_int_eq(
		profile_writer_finish(writer, &recording.profile, &recording.timeline, &err), -1);
	ck_assert_msg(strstr(err.text, "a.prof.part") != NULL, "%s", err.text);
	limit_file_size(RLIM_INFINITY);
	profile_writer_close(writer);
	after = read_file("a.prof");
	ck_assert_uint_eq(before.count, after.count);
	ck_assert_mem_eq(before.items, after.items, after.count);
	assert_loads_as(&recording.profile, "a.prof.part", true);
	ck_assert_int_eq(profile_repair("a.prof.part", "b.prof", NULL, NULL, NULL, &err), 0);
	ck_assert_uint_eq(compare_timeline("b.prof", &recording), recording.records.count);
	array_release(&before);
	array_release(&after);
	recording_release(&recording);
}
END_TEST

/* What kind of failure: the directory is gone when the compact file is to be made. */
START_TEST(finish_that_cannot_create_leaves_a_whole_journal)
{
	struct recording recording;
	struct profile_writer *writer;
	struct error err = {0};

	ck_assert_int_eq(mkdir("place", 0700), 0);
	writer = open_writer("place/a.prof");
	recording_init(&recording);
	record_a_second(&recording);
	flush(writer, &recording);
	ck_assert_int_eq(rename("place", "moved"), 0);
	record_a_second(&recording);
	ck_assert_int_eq(
		profile_writer_finish(writer, &recording.profile, &recording.timeline, &err), -1);
	assert_loads_as(&recording.profile, "moved/a.prof.part", false);
	record_a_second(&recording);
	ck_assert_int_eq(
		profile_writer_finish(writer, &recording.profile, &recording.timeline, &err), -1);
	assert_loads_as(&recording.profile, "moved/a.prof.part", false); /* with one end */
	ck_assert_int_eq(rename("moved", "place"), 0);
	record_a_second(&recording);
	finish(writer, &recording); /* tried again */
	assert_loads_as(&recording.profile, "place/a.prof", false);
	ck_assert_uint_eq(compare_timeline("place/a.prof", &recording), recording.records.count);
	unlink("place/a.prof");
	recording_release(&recording);
}
END_TEST

/* --- limits: killed --------------------------------------------------------------------------- */

/* Records until it is killed; says after each flush how many samples the file must have. */
static void record_until_killed(int pipe_end, uint64_t seed)
{
	struct recording recording;
	struct profile_writer *writer;
	struct error err = {0};

	random_state = seed;
	recording_init(&recording);
	writer = profile_writer_open("killed.prof", &err);
	for (;;) {
		record_a_second(&recording);
		if (!writer || profile_writer_flush(
				       writer, &recording.profile, &recording.timeline, &err) != 0)
			_exit(1);
		if (write(pipe_end, &recording.samples, sizeof(recording.samples)) < 0)
			_exit(1);
	}
}

static uint64_t last_report(int pipe_end)
{
	uint64_t samples = 0, report;

	while (read(pipe_end, &report, sizeof(report)) == sizeof(report))
		samples = report;
	return samples;
}

static uint64_t count_samples(const struct profile *profile)
{
	uint64_t samples = 0;

	for (size_t i = 0; i < profile->counts.count; i++)
		samples += profile->counts.items[i].value[METRIC_SAMPLES];
	return samples;
}

struct timeline_sum {
	uint64_t samples;
};

static int sum_samples(void *context, const struct timeline_record *record)
{
	((struct timeline_sum *)context)->samples += record->value[METRIC_SAMPLES];
	return 0;
}

START_TEST(killed_at_any_moment)
{
	for (int round = 0; round < 25; round++) {
		int ends[2];
		pid_t child;
		uint64_t flushed;
		struct profile profile;
		struct timeline_sum sum = {0};
		struct error err = {0};
		struct timespec pause = {.tv_nsec = random_number(40000000) + 1000000};

		ck_assert_int_eq(pipe(ends), 0);
		child = fork();
		if (child == 0)
			record_until_killed(ends[1], random_state + round);
		close(ends[1]);
		nanosleep(&pause, NULL);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		flushed = last_report(ends[0]);
		close(ends[0]);
		if (!exists("killed.prof.part")) {
			ck_assert_uint_eq(flushed, 0);
			continue;
		}
		if (flushed > 0) {
			ck_assert_msg(
				profile_load(&profile, "killed.prof.part", true, NULL, &err) == 0,
				"%s", err.text);
			ck_assert_uint_ge(count_samples(&profile), flushed);
			walk_everything(&profile);
			profile_release(&profile);
			ck_assert_msg(profile_repair("killed.prof.part", "whole.prof", NULL, NULL,
					      NULL, &err) == 0,
				"%s", err.text);
			ck_assert_int_eq(
				profile_visit_timeline("whole.prof", sum_samples, &sum, &err), 0);
			ck_assert_uint_ge(sum.samples, flushed);
		}
		unlink("killed.prof.part");
	}
}
END_TEST

Suite *profile_file_suite(void);

Suite *profile_file_suite(void)
{
	Suite *suite = suite_create("profile_file");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, enter_directory, leave_directory);
	tcase_add_checked_fixture(limits, enter_directory, leave_directory);
	tcase_set_timeout(core, 120);
	tcase_set_timeout(limits, 240);
	tcase_add_test(core, saved_profile_loads_equal);
	tcase_add_test(core, empty_profile_loads_equal);
	tcase_add_test(core, journal_and_compact_file_read_the_same);
	tcase_add_test(core, flush_writes_only_what_is_new);
	tcase_add_test(core, loaded_profile_can_be_added_to);
	tcase_add_test(core, report_says_what_is_in_the_file);
	tcase_add_test(core, files_are_private_and_temporary_names_go);
	tcase_add_test(core, under_sudo_files_belong_to_the_caller);
	tcase_add_test(core, left_over_recording_is_kept_under_another_name);
	tcase_add_test(core, empty_left_over_is_no_news);
	tcase_add_test(core, two_recordings_cannot_have_one_file);
	tcase_add_test(core, repair_makes_a_whole_file_of_a_cut_one);
	tcase_add_test(core, visit_stops_when_asked);
	tcase_add_test(core, long_timelines_are_split);
	tcase_add_test(core, what_a_newer_version_added_is_skipped);
	tcase_add_test(core, timeline_of_a_newer_version_is_read);
	tcase_add_test(limits, what_is_not_a_profile_is_said);
	tcase_add_test(limits, unreadable_file_is_said);
	tcase_add_test(limits, newer_version_is_said);
	tcase_add_test(limits, cut_at_every_length);
	tcase_add_test(limits, changed_at_every_byte);
	tcase_add_test(limits, damage_is_said_with_its_place);
	tcase_add_test(limits, random_damage);
	tcase_add_test(limits, damage_behind_the_checksums);
	tcase_add_test(limits, small_file_cannot_take_much_memory);
	tcase_add_test(limits, rows_that_lead_nowhere_are_refused);
	tcase_add_test(limits, stacks_of_any_depth_are_bounded);
	tcase_add_test(limits, records_that_lead_nowhere_are_refused);
	tcase_add_test(limits, names_that_are_taken_by_something_else);
	tcase_add_test(limits, failed_flush_is_tried_again);
	tcase_add_test(limits, failed_finish_destroys_nothing);
	tcase_add_test(limits, finish_that_cannot_create_leaves_a_whole_journal);
	tcase_add_test(limits, killed_at_any_moment);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
