/* The table of modules: path, name, kind, flags, length of the build-id; then the build-ids. */
#include "model/table.h"

static bool put_modules(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct module *rows = profile->modules.items.items;
	size_t size = profile->modules.items.count;
	size_t count = table_find_changed(writer, &writer->modules, rows, size, sizeof(*rows));
	const uint32_t *ids = writer->changed.items;
	uint64_t path = 0, name = 0;

	if (count == 0)
		return false;
	table_put_changed(writer, out, writer->modules.count / sizeof(*rows));
	EACH(i, count)
	table_put_step(out, &path, rows[ids[i] - 1].path);
	EACH(i, count)
	table_put_step(out, &name, rows[ids[i] - 1].name);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].kind);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].flags);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].build_id.length);
	EACH(i, count)
	bytes_put(out, rows[ids[i] - 1].build_id.bytes, rows[ids[i] - 1].build_id.length);
	return true;
}

static void get_modules(struct tables_reader *reader)
{
	struct modules *modules = &reader->profile->modules;
	size_t size, count = table_get_set_head(
			     reader, modules->items.count, 6, sizeof(struct module), &size);
	const uint32_t *ids = reader->rows.items;
	struct module *rows;
	uint64_t path = 0, name = 0;

	if (count == 0)
		return;
	TABLE_GROW(&modules->items, size);
	rows = modules->items.items;
	EACH(i, count)
	rows[ids[i] - 1].path = table_get_string_step(reader, &path);
	EACH(i, count)
	rows[ids[i] - 1].name = table_get_string_step(reader, &name);
	EACH(i, count)
	rows[ids[i] - 1].kind =
		table_get_limited(reader, MODULE_KIND_COUNT - 1, "an unknown kind of module");
	EACH(i, count)
	rows[ids[i] - 1].flags = table_get_u32(reader);
	EACH(i, count)
	rows[ids[i] - 1].build_id.length =
		table_get_limited(reader, BUILD_ID_MAX, "too long a build-id");
	EACH(i, count)
	{
		struct build_id *id = &rows[ids[i] - 1].build_id;
		const uint8_t *bytes = cursor_take(reader->cursor, id->length);

		memset(id->bytes, 0, sizeof(id->bytes));
		if (bytes)
			memcpy(id->bytes, bytes, id->length);
	}
}

const struct table table_modules = {"MODU", put_modules, get_modules};
