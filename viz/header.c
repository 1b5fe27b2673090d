#include "viz/header.h"

#include "base/escape.h"
#include "viz/items.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define SUBJECT_WIDTH 9 /* columns of a line's first word */

static void add_thread_facts(struct facts *facts, const struct profile *profile)
{
	for (size_t i = 0; i < profile->threads.threads.count; i++) {
		const struct thread *thread = &profile->threads.threads.items[i];

		facts->cpu_ns += thread->cpu_ns;
		facts->not_sampled_ns += thread->not_sampled_ns;
		facts->not_sampled_threads += thread->not_sampled_ns > 0;
	}
	if (facts->cpu_ns == 0)
		facts->cpu_ns = profile->info.user_ns + profile->info.system_ns;
}

/* How each stack ended; parents come before their children. */
static uint8_t *ends_of_stacks(const struct stacks *stacks)
{
	uint8_t *ends = alloc_zeroed(stacks->items.count + 1, sizeof(*ends));

	for (stack_id id = 1; id <= stacks->items.count; id++)
		ends[id] = id < STACK_END_COUNT ? id : ends[stacks_at(stacks, id)->parent];
	return ends;
}

static bool leaf_has_symbol(const struct profile *profile, stack_id stack)
{
	size_t count;
	const struct line *lines;

	if (stack < STACK_END_COUNT)
		return false;
	lines = frames_lines(&profile->frames, stacks_at(&profile->stacks, stack)->frame, &count);
	return count > 0 &&
	       items_has_symbol(profile, functions_at(&profile->frames, lines[0].function));
}

struct facts facts_of(const struct measure *measure)
{
	const struct profile *profile = measure->profile;
	uint8_t *ends = ends_of_stacks(&profile->stacks);
	struct facts facts = {0};
	uint64_t all_samples = 0;

	add_thread_facts(&facts, profile);
	for (size_t i = 0; i < profile->counts.count; i++) {
		const struct count *count = &profile->counts.items[i];
		uint64_t samples = count->value[METRIC_SAMPLES];

		all_samples += samples;
		if (!measure_takes(measure, count))
			continue;
		facts.samples += samples;
		facts.off_cpu_ns += count->value[METRIC_BLOCKED] + count->value[METRIC_RUNNABLE];
		facts.by_end[ends[count->stack]] += samples;
		if (samples > 0 && !leaf_has_symbol(profile, count->stack))
			facts.unnamed += samples;
	}
	if (facts.cpu_ns > 0)
		facts.rate_hz = (double)all_samples * 1e9 / (double)facts.cpu_ns;
	free(ends);
	return facts;
}

/* --- lines ------------------------------------------------------------------------------------ */

struct sentence {
	FILE *stream;
	char *text;
	size_t size;
};

static void sentence_start(struct sentence *sentence, const char *subject)
{
	*sentence = (struct sentence){0};
	sentence->stream = open_memstream(&sentence->text, &sentence->size);
	if (!sentence->stream)
		abort(); /* as base/alloc: only memory can be lacking */
	fprintf(sentence->stream, "%-*s", SUBJECT_WIDTH, subject);
}

static void say(struct sentence *sentence, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(struct sentence *sentence, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(sentence->stream, format, args);
	va_end(args);
}

static void sentence_end(struct header *header, struct sentence *sentence)
{
	fclose(sentence->stream);
	*array_add(&header->lines) = escape_text(sentence->text);
	free(sentence->text);
}

static void say_when(struct sentence *sentence, uint64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000u);
	struct tm local;
	char text[64];

	if (unix_ns == 0 || !localtime_r(&seconds, &local))
		return;
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	say(sentence, ", %s", text);
}

static const char *string_of(const struct profile *profile, string_id id)
{
	return strings_get(&profile->strings, id);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void add_program(struct header *header, const struct profile *profile)
{
	const struct profile_info *info = &profile->info;
	struct sentence line;

	sentence_start(&line, "program");
	say(&line, "%s", string_of(profile, info->command));
	if (info->attached_pid)
		say(&line, " (attached to process %" PRIu64 ")", info->attached_pid);
	else
		say(&line, " (exit status %" PRIu64 ")", info->status);
	if (info->host)
		say(&line, ", on %s", string_of(profile, info->host));
	if (info->kernel)
		say(&line, ", Linux %s", string_of(profile, info->kernel));
	if (info->cpu_count)
		say(&line, ", %" PRIu64 " CPU%s", info->cpu_count, plural(info->cpu_count));
	say_when(&line, info->start_unix_ns);
	sentence_end(header, &line);
}

static void add_took(
	struct header *header, const struct profile *profile, const struct facts *facts)
{
	const struct profile_info *info = &profile->info;
	size_t threads = threads_thread_count(&profile->threads);
	size_t processes = threads_process_count(&profile->threads);
	struct sentence line;
	char text[32];

	sentence_start(&line, "took");
	say(&line, "%.3f s; CPU %.3f s", (double)info->elapsed_ns / 1e9,
		(double)facts->cpu_ns / 1e9);
	if (info->user_ns + info->system_ns > 0)
		say(&line, " (user %.3f, system %.3f)", (double)info->user_ns / 1e9,
			(double)info->system_ns / 1e9);
	if (info->peak_rss_bytes)
		say(&line, "; peak memory (RSS) %s",
			measure_bytes(info->peak_rss_bytes, text, sizeof(text)));
	if (threads > 1)
		say(&line, "; %zu threads in %zu process%s", threads, processes,
			processes == 1 ? "" : "es");
	sentence_end(header, &line);
}

static void add_numbers(struct header *header, const struct measure *measure)
{
	struct sentence line;

	sentence_start(&line, "numbers");
	say(&line, "are %s", measure_title(measure));
	if (measure->region_only)
		say(&line, "; only what ran in the regions marked with cprof_start/cprof_stop");
	sentence_end(header, &line);
}

static void add_samples(
	struct header *header, const struct profile *profile, const struct facts *facts)
{
	const struct profile_info *info = &profile->info;
	struct sentence line;

	sentence_start(&line, "samples");
	say(&line,
		"%" PRIu64 ", %.0f a CPU second (asked: %" PRIu64 "), %" PRIu64 " lost, %" PRIu64
		" time%s throttled",
		facts->samples, facts->rate_hz, info->rate_asked_hz, info->lost, info->throttled,
		plural(info->throttled));
	if (info->backend)
		say(&line, "; %s: %s", string_of(profile, info->backend),
			string_of(profile, info->event));
	if (info->backend_note)
		say(&line, " (%s)", string_of(profile, info->backend_note));
	sentence_end(header, &line);
}

/* What a recorder did that stops the program's threads. */
static void add_stops(struct header *header, const struct profile *profile)
{
	const struct profile_info *info = &profile->info;
	struct sentence line;

	if (info->look_rate_hz == 0)
		return;
	sentence_start(&line, "stops");
	say(&line,
		"%" PRIu64 ", %.3f s in all; %" PRIu64
		" look%s a second, which has cost the program "
		"about %.1f %% of its time",
		info->stops, (double)info->stopped_ns / 1e9, info->look_rate_hz,
		plural(info->look_rate_hz), (double)info->cost_ppm / 1e4);
	sentence_end(header, &line);
}

/* Stacks that were deeper than what was copied of them, and how the rest became known. */
static void add_deep(struct sentence *line, const struct profile_info *info, uint64_t samples)
{
	uint64_t deep = info->completed_samples + info->restored_samples;

	if (deep == 0)
		return;
	say(line,
		"; %.1f %% go on beyond the copy (%.1f %% completed from the running program, "
		"%.1f %% restored from the thread's stack before)",
		measure_percent(deep, samples), measure_percent(info->completed_samples, samples),
		measure_percent(info->restored_samples, samples));
}

static void add_stacks(
	struct header *header, const struct profile *profile, const struct facts *facts)
{
	struct sentence line;

	if (facts->samples == 0)
		return;
	sentence_start(&line, "stacks");
	say(&line, "%.1f %% reach main or the thread's start",
		measure_percent(facts->by_end[STACK_ROOTED], facts->samples));
	for (int end = STACK_ROOTED + 1; end < STACK_END_COUNT; end++)
		if (facts->by_end[end])
			say(&line, ", %.1f %% %s",
				measure_percent(facts->by_end[end], facts->samples),
				stack_ends[end].name);
	say(&line, "; %.1f %% end in code without a symbol",
		measure_percent(facts->unnamed, facts->samples));
	if (profile->info.heuristic_samples)
		say(&line, "; %.1f %% partly guessed (no unwind table)",
			measure_percent(profile->info.heuristic_samples, facts->samples));
	if (profile->info.narrow_samples)
		say(&line, "; %.1f %% in 32-bit code, without its callers",
			measure_percent(profile->info.narrow_samples, facts->samples));
	add_deep(&line, &profile->info, facts->samples);
	sentence_end(header, &line);
}

static void add_missing(struct header *header, const struct facts *facts)
{
	struct sentence line;

	sentence_start(&line, "missing");
	if (facts->not_sampled_ns == 0)
		say(&line, "nothing: each thread's CPU time was sampled");
	else
		say(&line, "%.2f %% of the CPU time was not sampled: %.3f s in %zu thread%s",
			measure_percent(facts->not_sampled_ns, facts->cpu_ns),
			(double)facts->not_sampled_ns / 1e9, facts->not_sampled_threads,
			plural(facts->not_sampled_threads));
	sentence_end(header, &line);
}

static void add_waiting(
	struct header *header, const struct profile *profile, const struct facts *facts)
{
	const struct profile_info *info = &profile->info;
	uint64_t all =
		info->off_cpu_measured_ns + info->off_cpu_shared_ns + info->off_cpu_inferred_ns;
	struct sentence line;

	if (all == 0)
		return;
	sentence_start(&line, "waiting");
	say(&line,
		"%.3f s off the CPU: %.0f %% where a stack was taken, %.0f %% shared out among "
		"like ones, %.0f %% by the nearest sample",
		(double)(facts->off_cpu_ns ? facts->off_cpu_ns : all) / 1e9,
		measure_percent(info->off_cpu_measured_ns, all),
		measure_percent(info->off_cpu_shared_ns, all),
		measure_percent(info->off_cpu_inferred_ns, all));
	sentence_end(header, &line);
}

static void add_warnings(struct header *header, const struct profile *profile)
{
	struct sentence line;

	if (profile->info.is_incomplete) {
		sentence_start(&line, "warning");
		say(&line, "the recording was cut off: what came after its last second is missing");
		sentence_end(header, &line);
	}
}

void header_init(struct header *header, const struct measure *measure)
{
	const struct profile *profile = measure->profile;
	struct facts facts = facts_of(measure);

	*header = (struct header){0};
	add_program(header, profile);
	add_took(header, profile, &facts);
	add_numbers(header, measure);
	add_samples(header, profile, &facts);
	add_stops(header, profile);
	add_stacks(header, profile, &facts);
	add_missing(header, &facts);
	add_waiting(header, profile, &facts);
	add_warnings(header, profile);
}

/* Bytes of the line that fit, up to a space after the subject; all of it when there is none. */
static size_t break_at(const char *line, size_t width)
{
	size_t column = 0, place = 0;

	for (size_t i = 0; line[i]; i++) {
		column += ((unsigned char)line[i] & 0xc0) != 0x80;
		if (line[i] == ' ' && i > SUBJECT_WIDTH && (column <= width || place == 0))
			place = i;
		if (column > width && place > 0)
			return place;
	}
	return strlen(line);
}

static void wrap_line(struct header *header, char *line, size_t width)
{
	while (escape_width(line) > width) {
		size_t end = break_at(line, width);
		char *rest;

		if (!line[end])
			break;
		*array_add(&header->lines) = alloc_string_n(line, end);
		rest = alloc_format("%*s%s", SUBJECT_WIDTH, "", line + end + 1);
		free(line);
		line = rest;
	}
	*array_add(&header->lines) = line;
}

void header_wrap(struct header *header, size_t width)
{
	struct header wrapped = {0};

	if (width == 0)
		return;
	if (width < SUBJECT_WIDTH * 4)
		width = SUBJECT_WIDTH * 4;
	for (size_t i = 0; i < header->lines.count; i++)
		wrap_line(&wrapped, header->lines.items[i], width);
	array_release(&header->lines);
	*header = wrapped;
}

void header_release(struct header *header)
{
	for (size_t i = 0; i < header->lines.count; i++)
		free(header->lines.items[i]);
	array_release(&header->lines);
}

void header_write(const struct header *header, const char *prefix, FILE *out)
{
	for (size_t i = 0; i < header->lines.count; i++)
		fprintf(out, "%s%s\n", prefix, header->lines.items[i]);
}
