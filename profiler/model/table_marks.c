/* The table of marks: time, process, name, kind. */
#include "model/table.h"

static bool put_marks(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t first = writer->written.marks;
	size_t count = table_at_most(profile->marks.count - first, TABLE_ROWS_MAX);
	const struct mark *rows = profile->marks.items + first;
	uint64_t time = 0, process = 0, name = 0;

	if (count == 0)
		return false;
	table_put_head(out, first + count, count);
	EACH(i, count)
	table_put_step(out, &time, rows[i].time_ns);
	EACH(i, count)
	table_put_step(out, &process, rows[i].process);
	EACH(i, count)
	table_put_step(out, &name, rows[i].name);
	EACH(i, count)
	bytes_put_number(out, rows[i].kind);
	writer->written.marks += count;
	return true;
}

static void get_marks(struct tables_reader *reader)
{
	struct profile *profile = reader->profile;
	size_t first = profile->marks.count;
	size_t count = table_get_append_head(reader, first, 4, sizeof(struct mark));
	struct mark *rows;
	uint64_t time = 0, process = 0, name = 0;

	TABLE_GROW(&profile->marks, first + count);
	rows = profile->marks.items + first;
	EACH(i, count)
	rows[i].time_ns = table_get_step(reader, &time);
	EACH(i, count)
	rows[i].process = table_get_row_step(reader, &process, profile->threads.processes.count,
		false, "a process that is not there");
	EACH(i, count)
	rows[i].name = table_get_string_step(reader, &name);
	EACH(i, count)
	rows[i].kind = table_get_limited(reader, MARK_NAMED, "an unknown kind of mark");
}

const struct table table_marks = {"MARK", put_marks, get_marks};
