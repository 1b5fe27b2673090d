/* The table of frames: module, address. */
#include "model/table.h"

static bool put_frames(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t first = writer->written.frames;
	size_t count = table_at_most(profile->frames.items.count - first, TABLE_ROWS_MAX);
	const struct frame *rows = profile->frames.items.items + first;
	uint64_t address = 0;

	if (count == 0)
		return false;
	table_put_head(out, first + count, count);
	EACH(i, count)
	bytes_put_number(out, rows[i].module);
	EACH(i, count)
	table_put_step(out, &address, rows[i].file_addr);
	writer->written.frames += count;
	return true;
}

static void get_frames(struct tables_reader *reader)
{
	struct frames *frames = &reader->profile->frames;
	size_t first = frames->items.count;
	size_t count = table_get_append_head(reader, first, 2, sizeof(struct frame));
	uint64_t address = 0;

	TABLE_GROW(&frames->items, first + count);
	EACH(i, count)
	{
		uint32_t module = table_get_limited(
			reader, reader->profile->modules.items.count, "a module that is not there");

		if (module == 0)
			table_fail(reader, "a frame without a module");
		frames->items.items[first + i].module = module;
	}
	EACH(i, count)
	frames->items.items[first + i].file_addr = table_get_step(reader, &address);
}

const struct table table_frames = {"FRAM", put_frames, get_frames};
