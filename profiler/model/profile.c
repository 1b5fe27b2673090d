#include "model/profile.h"

#include <stddef.h>

#define STRING(field)                                              \
	{                                                          \
#field, offsetof(struct profile_info, field), true \
	}
#define NUMBER(field)                                               \
	{                                                           \
#field, offsetof(struct profile_info, field), false \
	}

const struct profile_field profile_fields[] = {
	STRING(version),
	STRING(command),
	STRING(label),
	STRING(host),
	STRING(kernel),
	STRING(directory),
	STRING(program),
	STRING(program_build_id),
	STRING(backend),
	STRING(event),
	STRING(backend_note),
	NUMBER(start_unix_ns),
	NUMBER(elapsed_ns),
	NUMBER(duration_ns),
	NUMBER(user_ns),
	NUMBER(system_ns),
	NUMBER(peak_rss_bytes),
	NUMBER(status),
	NUMBER(cpu_count),
	NUMBER(rate_asked_hz),
	NUMBER(lost),
	NUMBER(throttled),
	NUMBER(switches),
	NUMBER(off_cpu_measured_ns),
	NUMBER(off_cpu_shared_ns),
	NUMBER(off_cpu_inferred_ns),
	NUMBER(heuristic_samples),
	NUMBER(narrow_samples),
	NUMBER(completed_samples),
	NUMBER(restored_samples),
	NUMBER(stops),
	NUMBER(stopped_ns),
	NUMBER(look_rate_hz),
	NUMBER(cost_ppm),
	NUMBER(recorder_cpu_ns),
	NUMBER(attached_pid),
	NUMBER(is_incomplete),
};
const size_t profile_field_count = sizeof(profile_fields) / sizeof(profile_fields[0]);

void profile_init(struct profile *profile)
{
	*profile = (struct profile){0};
	stacks_init(&profile->stacks);
}

void profile_release(struct profile *profile)
{
	strings_release(&profile->strings);
	modules_release(&profile->modules);
	threads_release(&profile->threads);
	frames_release(&profile->frames);
	stacks_release(&profile->stacks);
	array_release(&profile->counts);
	hash_release(&profile->count_table);
	array_release(&profile->dirty_counts);
	array_release(&profile->marks);
}

static bool same_count(const void *owner, uint32_t id, const void *key)
{
	const struct profile *profile = owner;
	const struct count *a = &profile->counts.items[id - 1], *b = key;

	return a->stack == b->stack && a->thread == b->thread && a->in_region == b->in_region;
}

static uint64_t count_hash(const struct count *count)
{
	return hash_pair((uint64_t)count->thread << 1 | count->in_region, count->stack);
}

/* A loader fills `counts` alone: most profiles that are read are never added to. */
static void index_loaded_counts(struct profile *profile)
{
	if (profile->count_table.count >= profile->counts.count)
		return;
	hash_reserve(&profile->count_table, profile->counts.count);
	for (size_t i = profile->count_table.count; i < profile->counts.count; i++)
		hash_insert(&profile->count_table, count_hash(&profile->counts.items[i]), i + 1);
}

struct count *profile_count(
	struct profile *profile, thread_id thread, stack_id stack, bool in_region)
{
	struct count key = {.thread = thread, .stack = stack, .in_region = in_region};
	uint64_t hash = count_hash(&key);
	struct count *count;
	uint32_t id;

	index_loaded_counts(profile);
	id = hash_find(&profile->count_table, hash, same_count, profile, &key);
	if (!id) {
		*array_add(&profile->counts) = key;
		id = profile->counts.count;
		hash_insert(&profile->count_table, hash, id);
	}
	count = &profile->counts.items[id - 1];
	if (!count->is_dirty) {
		count->is_dirty = true;
		*array_add(&profile->dirty_counts) = id - 1;
	}
	return count;
}

void profile_add(struct profile *profile, uint64_t time_ns, thread_id thread, stack_id stack,
	bool in_region, const uint64_t value[METRIC_COUNT])
{
	struct count *count = profile_count(profile, thread, stack, in_region);

	for (int i = 0; i < METRIC_COUNT; i++)
		count->value[i] += value[i];
	if (profile->timeline) {
		struct timeline_record record = {.time_ns = time_ns,
			.thread = thread,
			.stack = stack,
			.in_region = in_region};

		memcpy(record.value, value, sizeof(record.value));
		timeline_add(profile->timeline, &record);
	}
}

frame_id profile_special_frame(struct profile *profile, const char *name)
{
	module_id module =
		modules_intern(&profile->modules, &profile->strings, name, MODULE_SPECIAL, NULL);
	frame_id frame = frames_intern(&profile->frames, module, 0);

	if (frames_at(&profile->frames, frame)->line_count == 0) {
		struct function function = {
			.name = strings_intern(&profile->strings, name), .module = module};
		struct line line = {.function = functions_intern(&profile->frames, &function)};

		frames_name(&profile->frames, frame, &line, 1);
	}
	return frame;
}

bool profile_has(const struct profile *profile, enum metric metric)
{
	return profile->info.metrics & METRIC_BIT(metric);
}

enum metric profile_default_metric(const struct profile *profile)
{
	bool one_thread = threads_thread_count(&profile->threads) <= 1;

	return one_thread && profile_has(profile, METRIC_WALL) ? METRIC_WALL : METRIC_CPU;
}
