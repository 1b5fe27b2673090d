/* The table of strings: lengths, then all texts without anything between. */
#include "model/table.h"

#define TEXT_PER_CHUNK (4u << 20)

static bool put_strings(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct string_item *items = profile->strings.items.items;
	size_t first = writer->written.strings, end = first, text = 0;

	while (end < profile->strings.items.count && end - first < TABLE_ROWS_MAX &&
		text < TEXT_PER_CHUNK)
		text += items[end++].length;
	if (end == first)
		return false;
	table_put_head(out, end, end - first);
	for (size_t i = first; i < end; i++)
		bytes_put_number(out, items[i].length);
	for (size_t i = first; i < end; i++)
		bytes_put(out, items[i].text, items[i].length);
	writer->written.strings = end;
	return true;
}

static void get_strings(struct tables_reader *reader)
{
	struct strings *strings = &reader->profile->strings;
	size_t first = strings->items.count;
	size_t count = table_get_append_head(
		reader, first, 2, sizeof(struct string_item) + 2 * sizeof(struct hash_slot));

	reader->rows.count = 0;
	array_reserve(&reader->rows, count);
	EACH(i, count)
	*array_add(&reader->rows) = table_get_u32(reader);
	hash_reserve(&strings->table, first + count);
	EACH(i, count)
	{
		size_t length = reader->rows.items[i];
		const char *text = (const char *)cursor_take(reader->cursor, length);

		if (!text || length == 0 || memchr(text, 0, length)) {
			table_fail(reader, "an empty text, or one with a zero byte");
			return;
		}
		if (strings_intern_n(strings, text, length) != first + i + 1) {
			table_fail(reader, "a text that is there already");
			return;
		}
	}
}

const struct table table_strings = {"STRS", put_strings, get_strings};
