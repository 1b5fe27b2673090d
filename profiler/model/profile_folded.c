/* A profile from folded text: see profile_from_folded() in profile.h. */
#include "model/profile.h"

#include <stdio.h>

struct place { /* what "lib.so!file.c:10:7(name)" says */
	char module[256], file[256], name[256];
	unsigned line, sampled_line;
};

static void parse_place(struct place *place, char *text)
{
	char *bang = strchr(text, '!'), *paren = strchr(text, '('), *colon;
	size_t length = strlen(text);

	*place = (struct place){.module = "program"};
	if (bang) {
		*bang = '\0';
		snprintf(place->module, sizeof(place->module), "%s", text);
		text = bang + 1;
		length = strlen(text);
	}
	colon = strchr(text, ':');
	if (colon && paren > colon && length > 0 && text[length - 1] == ')' &&
		sscanf(colon, ":%u:%u(", &place->line, &place->sampled_line) >= 1) {
		text[length - 1] = *colon = '\0';
		snprintf(place->file, sizeof(place->file), "%s", text);
		text = paren + 1;
	}
	snprintf(place->name, sizeof(place->name), "%s", text);
}

/* Equal names share a frame per sampled line: the address is made of the texts' numbers. */
static frame_id add_frame(struct profile *profile, char *text)
{
	struct place place;
	struct function function = {0};
	struct line line;
	frame_id frame;

	parse_place(&place, text);
	function.module = modules_intern(&profile->modules, &profile->strings, place.module,
		place.module[0] == '[' ? MODULE_KERNEL : MODULE_FILE, NULL);
	function.name = strings_intern(&profile->strings, place.name);
	function.file = strings_intern(&profile->strings, place.file);
	function.line = place.line;
	function.entry = (uint64_t)function.name << 16;
	line.function = functions_intern(&profile->frames, &function);
	line.file = function.file;
	line.line = place.sampled_line ? place.sampled_line : place.line;
	frame = frames_intern(
		&profile->frames, function.module, (uint64_t)line.function << 20 | line.line);
	if (frames_at(&profile->frames, frame)->line_count == 0)
		frames_name(&profile->frames, frame, &line, 1);
	return frame;
}

static thread_id find_thread(struct profile *profile, unsigned pid, unsigned tid)
{
	struct threads *threads = &profile->threads;
	process_id process = 0;

	for (size_t i = 0; i < threads->threads.count; i++) {
		struct thread *thread = &threads->threads.items[i];

		if (thread->tid == tid && threads_process(threads, thread->process)->pid == pid)
			return i + 1;
	}
	for (size_t i = 0; i < threads->processes.count; i++)
		if (threads->processes.items[i].pid == pid)
			process = i + 1;
	if (!process)
		process = threads_add_process(
			threads, &(struct process){.pid = pid,
					 .name = strings_intern(&profile->strings, "program")});
	return threads_add_thread(
		threads, &(struct thread){.tid = tid,
				 .process = process,
				 .name = strings_intern(&profile->strings, "program")});
}

static int add_line(struct profile *profile, char *text, struct error *err)
{
	unsigned pid = 1, tid = 1;
	uint64_t samples, value[METRIC_COUNT] = {0};
	stack_id stack = STACK_ROOTED;
	char *number = strrchr(text, ' '), *end, *save, *part;
	thread_id thread;

	if (!number || (samples = strtoull(number + 1, &end, 10), *end || end == number + 1))
		return error_set(err, "folded line '%s' does not end in a number", text);
	*number = '\0';
	if (text[0] == '@') {
		if (sscanf(text, "@%u/%u", &pid, &tid) != 2 || !strchr(text, ' '))
			return error_set(err, "folded line '%s' names no thread", text);
		text = strchr(text, ' ') + 1;
	}
	for (part = strtok_r(text, ";", &save); part; part = strtok_r(NULL, ";", &save))
		stack = stacks_push(&profile->stacks, stack, add_frame(profile, part));
	value[METRIC_SAMPLES] = samples;
	value[METRIC_WALL] = value[METRIC_CPU] = samples * 1000000;
	value[METRIC_CPU_SQUARES] = samples * 1000000; /* (1,000 us)^2 each */
	thread = find_thread(profile, pid, tid);
	threads_thread(&profile->threads, thread)->cpu_ns += value[METRIC_CPU];
	threads_thread(&profile->threads, thread)->end_ns += value[METRIC_WALL];
	threads_process(&profile->threads, threads_thread(&profile->threads, thread)->process)
		->end_ns += value[METRIC_WALL];
	profile->info.elapsed_ns += value[METRIC_WALL];
	profile_add(profile, 0, thread, stack, false, value);
	return 0;
}

int profile_from_folded(struct profile *profile, const char *text, struct error *err)
{
	char *copy = alloc_string(text), *save, *line;
	int result = 0;

	profile_init(profile);
	profile->info.metrics = METRIC_BIT(METRIC_WALL) | METRIC_BIT(METRIC_CPU) |
				METRIC_BIT(METRIC_SAMPLES) | METRIC_BIT(METRIC_CPU_SQUARES);
	profile->info.command = strings_intern(&profile->strings, "program");
	profile->info.rate_asked_hz = 1000;
	for (line = strtok_r(copy, "\n", &save); line && result == 0;
		line = strtok_r(NULL, "\n", &save))
		result = add_line(profile, line, err);
	profile->info.duration_ns = profile->info.elapsed_ns;
	free(copy);
	return result;
}
