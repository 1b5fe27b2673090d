#include "model/profile_tables.h"

#include "model/table.h"

#include <stdlib.h>

/* All tables, in the order in which they are written: each names only rows of earlier ones. */
static const struct table *const tables[] = {
	&table_metrics,
	&table_strings,
	&table_info,
	&table_modules,
	&table_processes,
	&table_threads,
	&table_frames,
	&table_functions,
	&table_names,
	&table_stacks,
	&table_marks,
	&table_counts,
};
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

void tables_begin(struct tables_writer *writer, const struct profile *profile, bool all_counts)
{
	writer->before = writer->written;
	writer->table = writer->next = 0;
	table_counts_order(writer, profile, all_counts);
}

bool tables_next(struct tables_writer *writer, const struct profile *profile, char type[4],
	struct bytes *payload)
{
	for (; writer->table < TABLE_COUNT; writer->table++, writer->next = 0) {
		payload->count = 0;
		memcpy(type, tables[writer->table]->type, 4);
		if (tables[writer->table]->put(writer, profile, payload))
			return true;
	}
	return false;
}

void tables_undo(struct tables_writer *writer)
{
	writer->written = writer->before;
	writer->modules.count = writer->processes.count = writer->threads.count = 0;
	writer->info_is_known = false;
}

void tables_writer_release(struct tables_writer *writer)
{
	array_release(&writer->modules);
	array_release(&writer->processes);
	array_release(&writer->threads);
	array_release(&writer->changed);
	array_release(&writer->counts);
}

/* A profile's memory is a few times its file; the rest is for tiny files that pack very well. */
#define BUDGET_BASE	(UINT64_C(64) << 20)
#define BUDGET_PER_BYTE 256

void tables_reader_init(struct tables_reader *reader, struct profile *profile, uint64_t file_size)
{
	*reader = (struct tables_reader){
		.profile = profile, .budget = BUDGET_BASE + BUDGET_PER_BYTE * file_size};
	memset(reader->metric_of, METRIC_COUNT, sizeof(reader->metric_of));
}

void tables_reader_release(struct tables_reader *reader)
{
	array_release(&reader->rows);
	array_release(&reader->sets);
	array_release(&reader->depths);
}

static const struct table *find_table(const char type[4])
{
	EACH(i, TABLE_COUNT)
	if (memcmp(tables[i]->type, type, 4) == 0)
		return tables[i];
	return NULL;
}

bool tables_knows(const char type[4])
{
	return find_table(type) != NULL;
}

bool tables_read(struct tables_reader *reader, const char type[4], struct cursor *payload)
{
	reader->cursor = payload;
	table_charge(reader, cursor_left(payload));
	find_table(type)->get(reader);
	if (!reader->problem && payload->damaged)
		reader->problem = "its payload is too short";
	if (!reader->problem && cursor_left(payload) > 0)
		reader->problem = "its payload is too long";
	return !reader->problem;
}

/* A process may be found before its parent, so parents can be checked only when all are there. */
static bool parents_are_sound(const struct threads *threads)
{
	size_t count = threads->processes.count;
	uint32_t *seen_from = alloc_zeroed(count + 1, sizeof(*seen_from));
	bool sound = true;

	for (process_id start = 1; start <= count && sound; start++) {
		process_id id = start;

		while (id != 0 && id <= count && seen_from[id] == 0) {
			seen_from[id] = start;
			id = threads_process(threads, id)->parent;
		}
		sound = id == 0 || (id <= count && seen_from[id] != start);
	}
	free(seen_from);
	return sound;
}

bool tables_reader_finish(struct tables_reader *reader)
{
	struct profile *profile = reader->profile;

	EACH(i, profile->dirty_counts.count)
	profile->counts.items[profile->dirty_counts.items[i]].is_dirty = false;
	profile->dirty_counts.count = 0;
	if (!parents_are_sound(&profile->threads))
		reader->problem =
			"a process that is its own ancestor, or has a parent that is not there";
	return !reader->problem;
}
