/*
 * Functions, and the names that frames get when they are resolved: their lines, innermost inlined
 * function first.
 */
#include "model/table.h"

/* --- functions: name, module, file, line, entry ---------------------------------------------- */

static bool put_functions(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t first = writer->written.functions;
	size_t count = table_at_most(profile->frames.functions.count - first, TABLE_ROWS_MAX);
	const struct function *rows = profile->frames.functions.items + first;
	uint64_t name = 0, file = 0, entry = 0;

	if (count == 0)
		return false;
	table_put_head(out, first + count, count);
	EACH(i, count)
	table_put_step(out, &name, rows[i].name);
	EACH(i, count)
	bytes_put_number(out, rows[i].module);
	EACH(i, count)
	table_put_step(out, &file, rows[i].file);
	EACH(i, count)
	bytes_put_number(out, rows[i].line);
	EACH(i, count)
	table_put_step(out, &entry, rows[i].entry);
	writer->written.functions += count;
	return true;
}

static void get_functions(struct tables_reader *reader)
{
	struct frames *frames = &reader->profile->frames;
	size_t first = frames->functions.count;
	size_t count = table_get_append_head(reader, first, 5, sizeof(struct function));
	struct function *rows;
	uint64_t name = 0, file = 0, entry = 0;

	TABLE_GROW(&frames->functions, first + count);
	rows = frames->functions.items + first;
	EACH(i, count)
	rows[i].name = table_get_string_step(reader, &name);
	EACH(i, count)
	{
		rows[i].module = table_get_limited(
			reader, reader->profile->modules.items.count, "a module that is not there");
		if (rows[i].module == 0)
			table_fail(reader, "a function without a module");
	}
	EACH(i, count)
	rows[i].file = table_get_string_step(reader, &file);
	EACH(i, count)
	rows[i].line = table_get_u32(reader);
	EACH(i, count)
	rows[i].entry = table_get_step(reader, &entry);
}

const struct table table_functions = {"FUNC", put_functions, get_functions};

/* --- names: frame, number of lines; then function, file, line of all these lines -------------- */

/* Frames are named once, so those whose lines lie behind the written ones are new. */
static void find_named(struct tables_writer *writer, const struct profile *profile)
{
	const struct frame *frames = profile->frames.items.items;
	size_t lines = 0;

	writer->changed.count = 0;
	if (writer->written.lines == profile->frames.lines.count)
		return;
	for (; writer->next < profile->frames.items.count && lines < TABLE_ROWS_MAX;
		writer->next++) {
		const struct frame *frame = &frames[writer->next];

		if (frame->line_count == 0 || frame->first_line < writer->written.lines)
			continue;
		*array_add(&writer->changed) = writer->next + 1;
		lines += frame->line_count;
	}
	if (writer->changed.count == 0)
		writer->written.lines = profile->frames.lines.count;
}

static bool put_names(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct frames *frames = &profile->frames;
	uint64_t function = 0, file = 0;

	find_named(writer, profile);
	if (writer->changed.count == 0)
		return false;
	table_put_changed(writer, out, frames->items.count);
	EACH(i, writer->changed.count)
	bytes_put_number(out, frames_at(frames, writer->changed.items[i])->line_count);
	for (int column = 0; column < 3; column++) {
		EACH(i, writer->changed.count)
		{
			size_t count;
			const struct line *lines =
				frames_lines(frames, writer->changed.items[i], &count);

			for (size_t k = 0; k < count; k++)
				if (column == 0)
					table_put_step(out, &function, lines[k].function);
				else if (column == 1)
					table_put_step(out, &file, lines[k].file);
				else
					bytes_put_number(out, lines[k].line);
		}
	}
	return true;
}

static void get_lines(struct tables_reader *reader, size_t count)
{
	struct frames *frames = &reader->profile->frames;
	size_t first = frames->lines.count;
	struct line *rows;
	uint64_t function = 0, file = 0;

	if (count > cursor_left(reader->cursor) / 3 || count > UINT32_MAX - first) {
		table_fail(reader, "more lines than bytes");
		return;
	}
	table_charge(reader, count * sizeof(*rows));
	if (reader->problem)
		return;
	TABLE_GROW(&frames->lines, first + count);
	rows = frames->lines.items + first;
	EACH(i, count)
	rows[i].function = table_get_row_step(
		reader, &function, frames->functions.count, false, "a function that is not there");
	EACH(i, count)
	rows[i].file = table_get_string_step(reader, &file);
	EACH(i, count)
	rows[i].line = table_get_u32(reader);
}

static void get_names(struct tables_reader *reader)
{
	struct frames *frames = &reader->profile->frames;
	size_t size,
		count = table_get_set_head(reader, frames->items.count, 5, sizeof(uint32_t), &size);
	size_t first = frames->lines.count, next = first;

	if (count > 0 && size != frames->items.count) {
		table_fail(reader, "a name for a frame that is not there");
		return;
	}
	EACH(i, count)
	{
		struct frame *frame = frames_at(frames, reader->rows.items[i]);

		frame->first_line = next;
		frame->line_count = table_get_limited(
			reader, cursor_left(reader->cursor), "more lines than bytes");
		next += frame->line_count;
	}
	get_lines(reader, next - first);
}

const struct table table_names = {"NAME", put_names, get_names};
