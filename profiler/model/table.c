#include "model/table.h"

void table_put_head(struct bytes *out, size_t size, size_t row_count)
{
	bytes_put_number(out, size);
	bytes_put_number(out, row_count);
}

void table_put_step(struct bytes *out, uint64_t *last, uint64_t number)
{
	bytes_put_signed(out, number - *last);
	*last = number;
}

/*
 * Comparing bytes is right although rows have padding: the copies are made of whole rows, so
 * padding that differs can cost a row written twice but never hide a change.
 */
size_t table_find_changed(struct tables_writer *writer, struct bytes *known, const void *rows,
	size_t count, size_t row_size)
{
	const uint8_t *row = rows;

	writer->changed.count = 0;
	for (size_t i = 0; i < count && writer->changed.count < TABLE_ROWS_MAX;
		i++, row += row_size) {
		uint8_t *copy = known->items + i * row_size;
		bool is_known = i * row_size < known->count;

		if (is_known && memcmp(copy, row, row_size) == 0)
			continue;
		if (is_known)
			memcpy(copy, row, row_size);
		else
			bytes_put(known, row, row_size);
		*array_add(&writer->changed) = i + 1;
	}
	return writer->changed.count;
}

void table_put_changed(struct tables_writer *writer, struct bytes *out, size_t size)
{
	uint32_t last = 0;

	table_put_head(out, size, writer->changed.count);
	EACH(i, writer->changed.count)
	{
		bytes_put_number(out, writer->changed.items[i] - last);
		last = writer->changed.items[i];
	}
}

void table_fail(struct tables_reader *reader, const char *problem)
{
	if (!reader->problem)
		reader->problem = problem;
	cursor_fail(reader->cursor);
}

void table_charge(struct tables_reader *reader, uint64_t cost)
{
	if (cost <= reader->budget)
		reader->budget -= cost;
	else
		table_fail(reader, "it claims far more rows than a file of its size holds");
}

uint32_t table_get_limited(struct tables_reader *reader, uint64_t limit, const char *problem)
{
	uint64_t number = cursor_number(reader->cursor);

	if (number > limit) {
		table_fail(reader, problem);
		return 0;
	}
	return number;
}

uint64_t table_get_step(struct tables_reader *reader, uint64_t *last)
{
	*last += (uint64_t)cursor_signed(reader->cursor);
	return *last;
}

uint32_t table_get_row_step(struct tables_reader *reader, uint64_t *last, uint64_t limit,
	bool optional, const char *problem)
{
	uint64_t number = table_get_step(reader, last);

	if (number > limit || (number == 0 && !optional)) {
		table_fail(reader, problem);
		return 0;
	}
	return number;
}

string_id table_get_string_step(struct tables_reader *reader, uint64_t *last)
{
	return table_get_row_step(reader, last, reader->profile->strings.items.count, true,
		"a text that is not there");
}

uint32_t table_get_u32(struct tables_reader *reader)
{
	return table_get_limited(reader, UINT32_MAX, "a number that is too large");
}

size_t table_get_head(struct tables_reader *reader, size_t columns, size_t row_size, uint64_t *size)
{
	uint64_t count;

	*size = cursor_number(reader->cursor);
	count = cursor_number(reader->cursor);
	if (count > cursor_left(reader->cursor) / columns)
		table_fail(reader, "more rows than bytes");
	else if (*size > UINT32_MAX)
		table_fail(reader, "too large a table");
	else
		table_charge(reader, count * row_size);
	return reader->problem || reader->cursor->damaged ? 0 : count;
}

size_t table_get_append_head(
	struct tables_reader *reader, size_t current, size_t columns, size_t row_size)
{
	uint64_t size;
	size_t count = table_get_head(reader, columns, row_size, &size);

	if (reader->problem)
		return 0;
	if (size != current + count) {
		table_fail(reader, "rows before it are missing");
		return 0;
	}
	return count;
}

size_t table_get_set_head(struct tables_reader *reader, size_t current, size_t columns,
	size_t row_size, size_t *new_size)
{
	uint64_t size, number = 0;
	size_t count = table_get_head(reader, columns, row_size, &size), added = 0;

	reader->rows.count = 0;
	array_reserve(&reader->rows, count);
	EACH(i, count)
	{
		uint64_t step = cursor_number(reader->cursor);

		if (step == 0 || step > size - number) {
			table_fail(reader, "row numbers out of order");
			return 0;
		}
		number += step;
		added += number > current;
		*array_add(&reader->rows) = number;
	}
	if (reader->problem || size != current + added) {
		table_fail(reader, "rows before it are missing");
		return 0;
	}
	*new_size = size;
	return count;
}
