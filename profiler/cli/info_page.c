#include "cli/info_page.h"

#include "base/escape.h"
#include "viz/header.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- values ----------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), suffix_length = strlen(suffix);

	return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

static void print_date(FILE *out, uint64_t unix_ns)
{
	time_t seconds = unix_ns / 1000000000u;
	struct tm local;
	char text[64];

	if (unix_ns == 0 || !localtime_r(&seconds, &local)) {
		putc('-', out);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &local);
	fputs(text, out);
}

static void print_seconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%.6f s", (double)ns / 1e9);
}

/* A number by the unit that its field's name ends in. */
static void print_number(FILE *out, const char *field, uint64_t number)
{
	char text[64];

	if (ends_with(field, "_unix_ns"))
		print_date(out, number);
	else if (ends_with(field, "_ns"))
		print_seconds(out, number);
	else if (ends_with(field, "_bytes"))
		fputs(number ? measure_bytes(number, text, sizeof(text)) : "-", out);
	else if (ends_with(field, "_hz"))
		fprintf(out, "%" PRIu64 " Hz", number);
	else if (ends_with(field, "_ppm"))
		fprintf(out, "%.2f %%", (double)number / 1e4);
	else
		fprintf(out, "%" PRIu64, number);
}

/* "off cpu measured" of "off_cpu_measured_ns": the unit is with the number. */
static void print_field_name(FILE *out, const char *field)
{
	static const char *const units[] = {"_unix_ns", "_ns", "_bytes", "_hz", "_ppm"};
	size_t length = strlen(field);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!ends_with(field, units[i]))
			continue;
		length -= strlen(units[i]);
		break;
	}
	fputs("  ", out);
	for (size_t i = 0; i < length; i++)
		putc(field[i] == '_' ? ' ' : field[i], out);
	fprintf(out, "%*s ", length < 20 ? (int)(20 - length) : 0, "");
}

/* --- parts of the page ------------------------------------------------------------------------ */

/* What only the parent of a process learns is not known of one that was attached to. */
static bool is_known(const struct profile *profile, const char *field)
{
	static const char *const told_to_parents[] = {"user_ns", "system_ns", "status"};

	if (!profile->info.attached_pid)
		return strcmp(field, "attached_pid") != 0;
	for (size_t i = 0; i < sizeof(told_to_parents) / sizeof(told_to_parents[0]); i++)
		if (strcmp(field, told_to_parents[i]) == 0)
			return false;
	return true;
}

static void print_fields(FILE *out, const struct profile *profile)
{
	const char *info = (const char *)&profile->info;

	fputs("\nrecording\n", out);
	for (size_t i = 0; i < profile_field_count; i++) {
		const struct profile_field *field = &profile_fields[i];

		print_field_name(out, field->name);
		if (field->is_string) {
			string_id text = *(const string_id *)(info + field->offset);

			escape_write(out, text ? strings_get(&profile->strings, text) : "-");
		} else if (!is_known(profile, field->name)) {
			putc('-', out);
		} else {
			print_number(out, field->name, *(const uint64_t *)(info + field->offset));
		}
		putc('\n', out);
	}
	print_field_name(out, "metrics");
	for (int i = 0; i < METRIC_COUNT; i++)
		if (metrics[i].is_shown && profile_has(profile, i))
			fprintf(out, "%s ", metrics[i].name);
	putc('\n', out);
}

static void print_counts(FILE *out, const struct profile *profile)
{
	const struct {
		const char *name;
		size_t count;
	} rows[] = {
		{"processes", threads_process_count(&profile->threads)},
		{"threads", threads_thread_count(&profile->threads)},
		{"modules", profile->modules.items.count},
		{"functions", profile->frames.functions.count},
		{"addresses", profile->frames.items.count},
		{"distinct stacks", profile->stacks.items.count - (STACK_END_COUNT - 1)},
		{"stacks by thread", profile->counts.count},
		{"marks", profile->marks.count},
	};

	fputs("\nholds\n", out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "  %-20s %zu\n", rows[i].name, rows[i].count);
}

static void print_stack_ends(FILE *out, const struct facts *facts)
{
	fputs("\nstacks\n", out);
	for (int end = STACK_ROOTED; end < STACK_END_COUNT; end++)
		fprintf(out, "  %-12s %6.2f %%  %10" PRIu64 "  %s\n", stack_ends[end].name,
			measure_percent(facts->by_end[end], facts->samples), facts->by_end[end],
			stack_ends[end].summary);
	fprintf(out, "  %-12s %6.2f %%  %10" PRIu64 "  the innermost function has no symbol\n",
		"no name", measure_percent(facts->unnamed, facts->samples), facts->unnamed);
}

static void print_process(FILE *out, const struct profile *profile, process_id id)
{
	const struct process *process = threads_process(&profile->threads, id);

	fprintf(out, "  process %-8u %12.6f %12.6f %12s %12s  ", process->pid,
		(double)process->start_ns / 1e9, (double)process->end_ns / 1e9, "", "");
	escape_write(out, strings_get(&profile->strings, process->name));
	if (process->executable) {
		fputs("  ", out);
		escape_write(out, strings_get(&profile->strings, process->executable));
	}
	fputs(process->was_alive ? "  (still ran at the end)\n" : "\n", out);
}

static void print_thread(FILE *out, const struct profile *profile, const struct thread *thread)
{
	fprintf(out, "    thread %-7u %12.6f %12.6f %12.6f %12.6f  ", thread->tid,
		(double)thread->start_ns / 1e9, (double)thread->end_ns / 1e9,
		(double)thread->cpu_ns / 1e9, (double)thread->not_sampled_ns / 1e9);
	escape_write(out, strings_get(&profile->strings, thread->name));
	putc('\n', out);
}

struct by_process {
	process_id process;
	size_t thread; /* index */
};

static int compare_by_process(const void *a, const void *b)
{
	const struct by_process *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	return x->thread < y->thread ? -1 : x->thread > y->thread;
}

static void print_threads(FILE *out, const struct profile *profile)
{
	const struct threads *threads = &profile->threads;
	size_t count = threads->threads.count, next = 0;
	struct by_process *order = alloc_zeroed(count + 1, sizeof(*order));

	for (size_t i = 0; i < count; i++)
		order[i] = (struct by_process){threads->threads.items[i].process, i};
	qsort(order, count, sizeof(*order), compare_by_process);
	fprintf(out, "\n%-18s %12s %12s %12s %12s  name\n", "processes", "from s", "to s", "CPU s",
		"not sampled");
	for (process_id id = 1; id <= threads->processes.count; id++) {
		print_process(out, profile, id);
		for (; next < count && order[next].process <= id; next++)
			print_thread(out, profile, &threads->threads.items[order[next].thread]);
	}
	free(order);
}

static const struct {
	uint32_t flag;
	const char *text;
} module_facts[] = {
	{MODULE_IS_PROGRAM, "program"},
	{MODULE_HAS_SYMBOLS, "symbols"},
	{MODULE_HAS_LINES, "lines"},
	{MODULE_NO_UNWIND_TABLE, "no unwind table"},
	{MODULE_IS_DELETED, "file was gone"},
};

static void print_module(FILE *out, const struct profile *profile, const struct module *module)
{
	char build_id[BUILD_ID_TEXT_SIZE];
	bool is_first = true;

	fputs("  ", out);
	escape_write(out, strings_get(&profile->strings, module->path));
	fputs("\n      ", out);
	for (size_t i = 0; i < sizeof(module_facts) / sizeof(module_facts[0]); i++) {
		if (!(module->flags & module_facts[i].flag))
			continue;
		fprintf(out, "%s%s", is_first ? "" : ", ", module_facts[i].text);
		is_first = false;
	}
	if (is_first)
		fputs("nothing found for naming its addresses", out);
	if (module->build_id.length)
		fprintf(out, "; build-id %s", build_id_text(&module->build_id, build_id));
	putc('\n', out);
}

static void print_modules(FILE *out, const struct profile *profile)
{
	fputs("\nmodules\n", out);
	for (module_id id = 1; id <= profile->modules.items.count; id++) {
		const struct module *module = modules_at(&profile->modules, id);

		if (module->kind != MODULE_SPECIAL)
			print_module(out, profile, module);
	}
}

static double per_sample(uint64_t bytes, uint64_t samples)
{
	return samples ? (double)bytes / (double)samples : 0;
}

static void print_file(
	FILE *out, const char *path, const struct profile_load_report *report, uint64_t samples)
{
	fprintf(out, "\nfile\n  version %" PRIu32 ", %" PRIu64 " bytes in %" PRIu64 " chunks",
		report->version, report->size_bytes, report->chunk_count);
	if (report->unknown_chunk_count)
		fprintf(out, " (%" PRIu64 " of kinds that this cprof does not know)",
			report->unknown_chunk_count);
	fprintf(out,
		"\n  names, modules, stacks, counts: %" PRIu64 " bytes, %.2f a sample\n"
		"  timeline: %" PRIu64 " bytes in %" PRIu64 " chunks, %" PRIu64
		" records, %.2f bytes a record\n",
		report->fixed_bytes, per_sample(report->fixed_bytes, samples),
		report->timeline_bytes, report->timeline_chunks, report->timeline_records,
		per_sample(report->timeline_bytes, report->timeline_records));
	if (report->is_whole)
		return;
	fprintf(out,
		"  cut off: good are the first %" PRIu64 " of %" PRIu64
		" bytes, what was recorded later is missing\n  make it whole with: cprof info "
		"--repair ",
		report->good_bytes, report->size_bytes);
	escape_write(out, path);
	putc('\n', out);
}

int info_page_write(FILE *out, const char *path, const struct profile *profile,
	const struct profile_load_report *report, struct error *err)
{
	struct view_options view = view_options_default();
	struct measure measure;
	struct header header;
	struct facts facts;

	view.selection.metric =
		profile_has(profile, profile_default_metric(profile)) ? -1 : (int)METRIC_SAMPLES;
	if (measure_init(&measure, &view.selection, profile, err) != 0)
		return -1;
	facts = facts_of(&measure);
	escape_write(out, path);
	fputs("\n", out);
	header_init(&header, &measure);
	header_write(&header, "  ", out);
	header_release(&header);
	print_fields(out, profile);
	print_counts(out, profile);
	print_stack_ends(out, &facts);
	print_threads(out, profile);
	print_modules(out, profile);
	print_file(out, path, report, facts.samples);
	return 0;
}
