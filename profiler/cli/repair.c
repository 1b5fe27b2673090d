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

static void name_frames(struct finder *finder, struct profile *profile)
{
	struct naming naming = {.file = find_file, .progress = show_progress, .context = finder};

	finder->profile = profile;
	if (!is_same_boot(profile))
		name_kernel_plainly(profile);
	progress_begin(&finder->progress, "naming functions", false);
	naming_run(&naming, profile);
	progress_end(&finder->progress);
	elf_file_close(finder->file);
}

/* --- the end that is missing ------------------------------------------------------------------ */

static int find_last(void *context, const struct timeline_record *record)
{
	uint64_t *last_ns = context;

	if (record->time_ns > *last_ns)
		*last_ns = record->time_ns;
	return 0;
}

/* Whatever has no end lasted until the last thing that is known. */
static void fill_ends(struct profile *profile, uint64_t last_ns)
{
	struct threads *threads = &profile->threads;

	if (profile->info.duration_ns == 0)
		profile->info.duration_ns = last_ns;
	if (profile->info.elapsed_ns == 0)
		profile->info.elapsed_ns = last_ns;
	for (size_t i = 0; i < threads->threads.count; i++)
		if (threads->threads.items[i].end_ns == 0)
			threads->threads.items[i].end_ns = last_ns;
	for (size_t i = 0; i < threads->processes.count; i++) {
		struct process *process = &threads->processes.items[i];

		if (process->end_ns != 0)
			continue;
		process->end_ns = last_ns;
		process->was_alive = true;
	}
}

struct repair {
	const char *path;
	struct finder finder;
};

static int complete(void *context, struct profile *profile, struct error *err)
{
	struct repair *repair = context;
	uint64_t last_ns = 0;

	(void)err;
	/* Where the timeline ends is where the file was cut: nothing to tell. */
	if (profile_visit_timeline(repair->path, find_last, &last_ns, NULL) == 0 || last_ns)
		fill_ends(profile, last_ns);
	name_frames(&repair->finder, profile);
	return 0;
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

static int check_whole(const char *path, bool *is_whole, struct error *err)
{
	struct profile profile;
	struct profile_load_report report;
	int result = profile_load(&profile, path, true, &report, err);

	*is_whole = result == 0 && report.is_whole;
	profile_release(&profile);
	return result;
}

int repair_profile(
	const char *path, const char *output, struct repair_result *result, struct error *err)
{
	struct repair repair = {.path = path};
	bool is_whole;
	char *target;
	int status;

	*result = (struct repair_result){0};
	if (check_whole(path, &is_whole, err) != 0)
		return -1;
	if (is_whole)
		return 0;
	target = target_of(path, output, err);
	if (!target)
		return -1;
	status = profile_repair(path, target, complete, &repair, NULL, err);
	if (status == 0 && !output && unlink(path) != 0)
		status = error_set_errno(err, "cannot remove %s, which is now %s", path, target);
	if (status != 0) {
		free(target);
		return -1;
	}
	result->path = target;
	result->modules_missing = repair.finder.missing;
	return 0;
}
