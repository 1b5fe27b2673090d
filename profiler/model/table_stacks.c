/* The table of stacks: how far back the parent is, frame. */
#include "model/table.h"

static bool put_stacks(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t roots = STACK_END_COUNT - 1; /* every file starts with them: not written */
	size_t first = writer->written.stacks > roots ? writer->written.stacks : roots;
	size_t count = table_at_most(profile->stacks.items.count - first, TABLE_ROWS_MAX);
	const struct stack *rows = profile->stacks.items.items + first;

	if (count == 0)
		return false;
	table_put_head(out, first + count, count);
	EACH(i, count)
	bytes_put_number(out, first + i + 1 - rows[i].parent);
	EACH(i, count)
	bytes_put_number(out, rows[i].frame);
	writer->written.stacks = first + count;
	return true;
}

static void get_parents(
	struct tables_reader *reader, struct stack *rows, size_t first, size_t count)
{
	uint16_t *depths;

	TABLE_GROW(&reader->depths, first + count);
	depths = reader->depths.items;
	EACH(i, count)
	{
		uint32_t id = first + i + 1;
		uint32_t back = table_get_limited(reader, id - 1, "a stack's parent is not there");

		if (back == 0) {
			table_fail(reader, "a stack that is its own parent");
			return;
		}
		rows[i].parent = id - back;
		depths[id - 1] = depths[rows[i].parent - 1] + 1;
		if (depths[id - 1] > 2 * STACK_DEPTH_MAX) {
			table_fail(reader, "a stack that is too deep");
			return;
		}
	}
}

static void get_stacks(struct tables_reader *reader)
{
	struct stacks *stacks = &reader->profile->stacks;
	size_t first = stacks->items.count;
	size_t count =
		table_get_append_head(reader, first, 2, sizeof(struct stack) + sizeof(uint16_t));
	struct stack *rows;

	TABLE_GROW(&stacks->items, first + count);
	rows = stacks->items.items + first;
	get_parents(reader, rows, first, count);
	EACH(i, count)
	{
		rows[i].frame = table_get_limited(
			reader, reader->profile->frames.items.count, "a frame that is not there");
		if (rows[i].frame == 0)
			table_fail(reader, "a stack without a frame");
	}
}

const struct table table_stacks = {"STAK", put_stacks, get_stacks};
