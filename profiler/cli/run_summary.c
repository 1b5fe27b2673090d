#include "cli/run_summary.h"

#include "cli/message.h"

#include <stdio.h>
#include <string.h>

static uint64_t sum(const struct profile *profile, enum metric metric, bool region_only)
{
	uint64_t total = 0;

	for (size_t i = 0; i < profile->counts.count; i++)
		if (!region_only || profile->counts.items[i].in_region)
			total += profile->counts.items[i].value[metric];
	return total;
}

static bool has_region(const struct profile *profile)
{
	for (size_t i = 0; i < profile->marks.count; i++)
		if (profile->marks.items[i].kind == MARK_START)
			return true;
	return false;
}

/* Time between the first process's starts and stops. */
static uint64_t region_ns(const struct profile *profile)
{
	uint64_t total = 0, start = 0;
	bool inside = false;

	for (size_t i = 0; i < profile->marks.count; i++) {
		const struct mark *mark = &profile->marks.items[i];

		if (threads_first_program(&profile->threads, mark->process) != 1 ||
			mark->kind == MARK_NAMED)
			continue;
		if (inside)
			total += mark->time_ns - start;
		inside = mark->kind == MARK_START;
		start = mark->time_ns;
	}
	return inside ? total + profile->info.duration_ns - start : total;
}

static void print_numbers(const struct profile *profile, char *text, size_t size)
{
	const struct profile_info *info = &profile->info;
	size_t used;

	used = snprintf(text, size, "%.3f s", (double)info->elapsed_ns / 1e9);
	if (has_region(profile))
		used += snprintf(text + used, size - used, " (marked region %.3f s)",
			(double)region_ns(profile) / 1e9);
	used += snprintf(text + used, size - used, ", %.3f s CPU",
		(double)sum(profile, METRIC_CPU, false) / 1e9);
	if (info->peak_rss_bytes)
		used += snprintf(text + used, size - used, ", %.1f MiB peak",
			(double)info->peak_rss_bytes / (1 << 20));
	used += snprintf(text + used, size - used, ", %llu samples by %s (%s), %llu lost",
		(unsigned long long)sum(profile, METRIC_SAMPLES, false),
		strings_get(&profile->strings, info->backend),
		strings_get(&profile->strings, info->event), (unsigned long long)info->lost);
	if (info->look_rate_hz)
		snprintf(text + used, size - used,
			", %llu looks a second that cost about %.1f %% of its time",
			(unsigned long long)info->look_rate_hz, (double)info->cost_ppm / 1e4);
}

static void print_survivors(const struct profile *profile)
{
	const struct threads *threads = &profile->threads;
	char names[256] = "";
	size_t count = 0;

	for (process_id id = 1; id <= threads->processes.count; id++) {
		const struct process *process = threads_process(threads, id);
		size_t used = strlen(names);

		if (!process->was_alive || threads_first_program(threads, id) == 1)
			continue;
		if (count++ < 5)
			snprintf(names + used, sizeof(names) - used, "%s%s (%u)", used ? ", " : "",
				strings_get(&profile->strings, process->name), process->pid);
	}
	if (count)
		message_note("%zu descendant%s still running, recorded up to here: %s%s", count,
			count == 1 ? " is" : "s are", names, count > 5 ? ", ..." : "");
}

static void print_troubles(const struct profile *profile)
{
	const struct profile_info *info = &profile->info;

	if (info->lost)
		message_note("%llu records were lost: the machine was too busy; try a lower rate "
			     "with -F",
			(unsigned long long)info->lost);
	if (info->throttled)
		message_note("the kernel paused sampling %llu times because it took too long; try "
			     "a lower rate with -F",
			(unsigned long long)info->throttled);
	if (info->look_rate_hz && info->backend_note)
		message_note("recorded with %s: %s", strings_get(&profile->strings, info->backend),
			strings_get(&profile->strings, info->backend_note));
	print_survivors(profile);
}

void run_summary_print(const struct profile *profile, const char *path)
{
	const char *label = strings_get(&profile->strings, profile->info.label);
	bool is_default = strcmp(path, "out.prof") == 0;
	char numbers[512];

	print_numbers(profile, numbers, sizeof(numbers));
	print_troubles(profile);
	message_note("%s: %s -> %s; next: cprof report%s%s", label, numbers, path,
		is_default ? "" : " ", is_default ? "" : path);
}
