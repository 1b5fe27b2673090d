#include "cli/repair.h"

#include "base/alloc.h"
#include "cli/progress.h"
#include "elf/elf_file.h"
#include "model/profile_file.h"
#include "symbols/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES (4u << 20) /* of the timeline, between two writes */

/* --- names ------------------------------------------------------------------------------------ */

struct finder {
	const struct profile *profile;
	struct elf_file *file; /* the last one that was asked for */
	size_t missing;
	struct progress progress;
};

static struct elf_file *open_if_same(const char *path, const struct build_id *build_id)
{
	struct elf_file *file = elf_file_open(path, NULL);

	if (file && !build_id_equal(elf_file_build_id(file), build_id)) {
		elf_file_close(file);
		file = NULL;
	}
	return file;
}

/* Where debug packages put what belongs to a build-id. */
static struct elf_file *open_debug(const struct build_id *build_id)
{
	char text[BUILD_ID_TEXT_SIZE];
	char *path;
	struct elf_file *file;

	build_id_text(build_id, text);
	path = alloc_format("/usr/lib/debug/.build-id/%.2s/%s.debug", text, text + 2);
	file = open_if_same(path, build_id);
	free(path);
	return file;
}

static struct elf_file *find_file(void *context, module_id id)
{
	struct finder *finder = context;
	const struct module *module = modules_at(&finder->profile->modules, id);

	elf_file_close(finder->file);
	finder->file = NULL;
	if (module->kind == MODULE_FILE && module->build_id.length > 0) {
		finder->file = open_if_same(
			strings_get(&finder->profile->strings, module->path), &module->build_id);
		if (!finder->file)
			finder->file = open_debug(&module->build_id);
	}
	if (!finder->file)
		finder->missing++;
	return finder->file;
}

static void show_progress(void *context, size_t done, size_t total)
{
	struct finder *finder = context;

	progress_step(&finder->progress, done, total);
}

/* Whether the kernel's code still lies where it lay during the recording. */
static bool is_same_boot(const struct profile *profile)
{
	struct timespec now, since_boot;
	struct utsname here;
	uint64_t booted_s;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	booted_s = now.tv_sec - since_boot.tv_sec;
	return uname(&here) == 0 &&
	       strcmp(here.release, strings_get(&profile->strings, profile->info.kernel)) == 0 &&
	       strcmp(here.nodename, strings_get(&profile->strings, profile->info.host)) == 0 &&
	       profile->info.start_unix_ns / 1000000000u > booted_s;
}

/* So that naming leaves these frames alone. */
static void name_kernel_plainly(struct profile *profile)
{
	struct frames *frames = &profile->frames;

	for (frame_id id = 1; id <= frames->items.count; id++) {
		const struct frame *frame = frames_at(frames, id);
		struct function function = {.module = frame->module};
		struct line line = {0};

		if (frame->line_count ||
			modules_at(&profile->modules, frame->module)->kind != MODULE_KERNEL)
			continue;
		function.name = strings_intern(&profile->strings, "[kernel]");
		line.function = functions_intern(frames, &function);
		frames_name(frames, id, &line, 1);
	}
}

static size_t name_frames(struct profile *profile)
{
	struct finder finder = {.profile = profile};
	struct naming naming = {.file = find_file, .progress = show_progress, .context = &finder};

	if (!is_same_boot(profile))
		name_kernel_plainly(profile);
	progress_begin(&finder.progress, "naming symbols", false);
	naming_run(&naming, profile);
	progress_end(&finder.progress);
	elf_file_close(finder.file);
	return finder.missing;
}

/* --- writing ---------------------------------------------------------------------------------- */

struct rewrite {
	struct profile *profile;
	struct profile_writer *writer;
	struct timeline timeline;
	uint64_t last_ns;
	struct error *err;
};

static int copy_record(void *context, const struct timeline_record *record)
{
	struct rewrite *rewrite = context;

	timeline_add(&rewrite->timeline, record);
	if (record->time_ns > rewrite->last_ns)
		rewrite->last_ns = record->time_ns;
	if (rewrite->timeline.bytes.count < PIECE_BYTES)
		return 0;
	return profile_writer_flush(
		rewrite->writer, rewrite->profile, &rewrite->timeline, rewrite->err);
}

/* What the end of the recording would have said: everything lasted until the last record. */
static void fill_ends(struct profile *profile, uint64_t last_ns)
{
	struct threads *threads = &profile->threads;

	profile->info.is_incomplete = 1;
	if (profile->info.duration_ns == 0)
		profile->info.duration_ns = last_ns;
	if (profile->info.elapsed_ns == 0)
		profile->info.elapsed_ns = last_ns;
	for (size_t i = 0; i < threads->threads.count; i++)
		if (threads->threads.items[i].end_ns == 0)
			threads->threads.items[i].end_ns = last_ns;
	for (size_t i = 0; i < threads->processes.count; i++) {
		struct process *process = &threads->processes.items[i];

		process->was_alive |= process->end_ns == 0;
		if (process->end_ns == 0)
			process->end_ns = last_ns;
	}
}

static int write_whole(
	struct profile *profile, const char *source, const char *target, struct error *err)
{
	struct rewrite rewrite = {.profile = profile, .err = err};
	int result = -1;

	rewrite.writer = profile_writer_open(target, err);
	if (!rewrite.writer)
		return -1;
	if (profile_visit_timeline(source, copy_record, &rewrite, err) == 0) {
		fill_ends(profile, rewrite.last_ns);
		result = profile_writer_finish(rewrite.writer, profile, &rewrite.timeline, err);
	}
	if (result != 0)
		profile_writer_discard(rewrite.writer);
	profile_writer_close(rewrite.writer);
	timeline_release(&rewrite.timeline);
	return result;
}

/* Where the whole file goes; NULL with an error. Caller frees. */
static char *target_of(const char *path, const char *output, struct error *err)
{
	size_t length = strlen(path);
	char *target;

	if (output)
		return alloc_string(output);
	if (length <= 5 || strcmp(path + length - 5, ".part") != 0) {
		error_set(err,
			"the name of %s does not end in .part: say with -o where the whole "
			"file goes",
			path);
		return NULL;
	}
	target = alloc_string_n(path, length - 5);
	if (access(target, F_OK) != 0)
		return target;
	error_set(err, "%s is there already, from another recording: name another file with -o",
		target);
	free(target);
	return NULL;
}

/* Written under a name of its own: TARGET.part may be the very file that is repaired. */
static int replace(struct profile *profile, const char *path, const char *target, struct error *err)
{
	char *beside = alloc_format("%s.whole", target);
	int result = write_whole(profile, path, beside, err);

	if (result == 0 && rename(beside, target) != 0) {
		result = error_set_errno(err, "cannot write %s", target);
		unlink(beside);
	}
	free(beside);
	return result;
}

int repair_profile(
	const char *path, const char *output, struct repair_result *result, struct error *err)
{
	struct profile profile;
	struct profile_load_report report;
	char *target = NULL;
	int status = -1;

	*result = (struct repair_result){0};
	if (profile_load(&profile, path, true, &report, err) != 0)
		goto out;
	if (report.is_whole) {
		status = 0;
		goto out;
	}
	target = target_of(path, output, err);
	if (!target)
		goto out;
	result->modules_missing = name_frames(&profile);
	status = replace(&profile, path, target, err);
	if (status != 0)
		goto out;
	if (!output && unlink(path) != 0)
		status = error_set_errno(err, "cannot remove %s, which is now %s", path, target);
	result->path = target;
	target = NULL;
out:
	free(target);
	profile_release(&profile);
	return status;
}
