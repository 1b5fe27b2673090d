#include "model/profile_tables.h"

#include <stdlib.h>

#define ROWS_PER_CHUNK (128u << 10) /* no row of a fixed number of columns takes 128 bytes */
#define TEXT_PER_CHUNK (4u << 20)

#define EACH(i, count) for (size_t i = 0; i < (count); i++)

/* --- what all tables share ------------------------------------------------------------------- */

static size_t at_most(size_t count, size_t limit)
{
	return count < limit ? count : limit;
}

static void put_head(struct bytes *out, size_t size, size_t row_count)
{
	bytes_put_number(out, size);
	bytes_put_number(out, row_count);
}

/* A column of numbers near to each other: each as the difference from the one before. */
static void put_step(struct bytes *out, uint64_t *last, uint64_t number)
{
	bytes_put_signed(out, number - *last);
	*last = number;
}

/*
 * Collects in writer->changed the numbers of the rows that differ from those last written (`known`
 * holds copies). Comparing bytes is right although rows have padding: the copies are made of whole
 * rows, so padding that differs can cost a row written twice but never hide a change.
 */
static size_t find_changed(struct tables_writer *writer, struct bytes *known, const void *rows,
	size_t count, size_t row_size)
{
	const uint8_t *row = rows;

	writer->changed.count = 0;
	for (size_t i = 0; i < count && writer->changed.count < ROWS_PER_CHUNK;
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

static void put_changed(struct tables_writer *writer, struct bytes *out, size_t size)
{
	uint32_t last = 0;

	put_head(out, size, writer->changed.count);
	EACH(i, writer->changed.count)
	{
		bytes_put_number(out, writer->changed.items[i] - last);
		last = writer->changed.items[i];
	}
}

/* The first problem is kept; what is read after it is 0 and ends soon. */
static void fail(struct tables_reader *reader, const char *problem)
{
	if (!reader->problem)
		reader->problem = problem;
	cursor_fail(reader->cursor);
}

static void charge(struct tables_reader *reader, uint64_t cost)
{
	if (cost <= reader->budget)
		reader->budget -= cost;
	else
		fail(reader, "it claims far more rows than a file of its size holds");
}

/* A number up to `limit`: mostly the number of a row in a table of so many rows, or 0. */
static uint32_t get_limited(struct tables_reader *reader, uint64_t limit, const char *problem)
{
	uint64_t number = cursor_number(reader->cursor);

	if (number > limit) {
		fail(reader, problem);
		return 0;
	}
	return number;
}

static uint64_t get_step(struct tables_reader *reader, uint64_t *last)
{
	*last += (uint64_t)cursor_signed(reader->cursor);
	return *last;
}

/* The same for the number of a row: 1 to `limit`, or 0 where `optional`. */
static uint32_t get_row_step(struct tables_reader *reader, uint64_t *last, uint64_t limit,
	bool optional, const char *problem)
{
	uint64_t number = get_step(reader, last);

	if (number > limit || (number == 0 && !optional)) {
		fail(reader, problem);
		return 0;
	}
	return number;
}

static string_id get_string_step(struct tables_reader *reader, uint64_t *last)
{
	return get_row_step(reader, last, reader->profile->strings.items.count, true,
		"a text that is not there");
}

static uint32_t get_u32(struct tables_reader *reader)
{
	return get_limited(reader, UINT32_MAX, "a number that is too large");
}

/*
 * The head of a chunk: its number of rows, of which there cannot be more than its bytes allow. Each
 * will cost row_size bytes of memory. *size is the table's size with them.
 */
static size_t get_head(
	struct tables_reader *reader, size_t columns, size_t row_size, uint64_t *size)
{
	uint64_t count;

	*size = cursor_number(reader->cursor);
	count = cursor_number(reader->cursor);
	if (count > cursor_left(reader->cursor) / columns)
		fail(reader, "more rows than bytes");
	else if (*size > UINT32_MAX)
		fail(reader, "too large a table");
	else
		charge(reader, count * row_size);
	return reader->problem || reader->cursor->damaged ? 0 : count;
}

/* The head of a chunk that appends to a table of `current` rows. */
static size_t get_append_head(
	struct tables_reader *reader, size_t current, size_t columns, size_t row_size)
{
	uint64_t size;
	size_t count = get_head(reader, columns, row_size, &size);

	if (reader->problem)
		return 0;
	if (size != current + count) {
		fail(reader, "rows before it are missing");
		return 0;
	}
	return count;
}

/*
 * The head and the row numbers of a chunk that sets rows, into reader->rows: ascending, and all
 * that are new to the table of `current` rows among them. Returns their count.
 */
static size_t get_set_head(struct tables_reader *reader, size_t current, size_t columns,
	size_t row_size, size_t *new_size)
{
	uint64_t size, number = 0;
	size_t count = get_head(reader, columns, row_size, &size), added = 0;

	reader->rows.count = 0;
	array_reserve(&reader->rows, count);
	EACH(i, count)
	{
		uint64_t step = cursor_number(reader->cursor);

		if (step == 0 || step > size - number) {
			fail(reader, "row numbers out of order");
			return 0;
		}
		number += step;
		added += number > current;
		*array_add(&reader->rows) = number;
	}
	if (reader->problem || size != current + added) {
		fail(reader, "rows before it are missing");
		return 0;
	}
	*new_size = size;
	return count;
}

/* Makes `array` one of `size` items, the new ones all zero. */
#define GROW(array, size)                                                                 \
	do {                                                                              \
		size_t grow_size_ = (size);                                               \
		array_reserve(array, grow_size_);                                         \
		if (grow_size_ > (array)->count)                                          \
			memset((array)->items + (array)->count, 0,                        \
				(grow_size_ - (array)->count) * sizeof(*(array)->items)); \
		(array)->count = grow_size_;                                              \
	} while (0)

/* --- strings: lengths, then all texts without anything between ------------------------------ */

static bool put_strings(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct string_item *items = profile->strings.items.items;
	size_t first = writer->written.strings, end = first, text = 0;

	while (end < profile->strings.items.count && end - first < ROWS_PER_CHUNK &&
		text < TEXT_PER_CHUNK)
		text += items[end++].length;
	if (end == first)
		return false;
	put_head(out, end, end - first);
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
	size_t count = get_append_head(
		reader, first, 2, sizeof(struct string_item) + 2 * sizeof(struct hash_slot));

	reader->rows.count = 0;
	array_reserve(&reader->rows, count);
	EACH(i, count)
	*array_add(&reader->rows) = get_u32(reader);
	hash_reserve(&strings->table, first + count);
	EACH(i, count)
	{
		size_t length = reader->rows.items[i];
		const char *text = (const char *)cursor_take(reader->cursor, length);

		if (!text || length == 0 || memchr(text, 0, length)) {
			fail(reader, "an empty text, or one with a zero byte");
			return;
		}
		if (strings_intern_n(strings, text, length) != first + i + 1) {
			fail(reader, "a text that is there already");
			return;
		}
	}
}

/* --- metrics: flags, length, name of each, in the order of their bits ------------------------ */

#define METRIC_IS_MEASURED 1

static bool put_metrics(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	bool is_written = writer->info_is_known && writer->info.metrics == profile->info.metrics;

	if (is_written || writer->next > 0)
		return false;
	writer->next = 1;
	put_head(out, METRIC_COUNT, METRIC_COUNT);
	EACH(i, METRIC_COUNT)
	{
		bytes_put_number(out, profile_has(profile, i) ? METRIC_IS_MEASURED : 0);
		bytes_put_number(out, strlen(metrics[i].name));
		bytes_put(out, metrics[i].name, strlen(metrics[i].name));
	}
	return true;
}

static unsigned metric_by_name(const uint8_t *name, size_t length)
{
	unsigned metric = 0;

	while (metric < METRIC_COUNT && (strlen(metrics[metric].name) != length ||
						memcmp(metrics[metric].name, name, length) != 0))
		metric++;
	return metric;
}

static void get_metrics(struct tables_reader *reader)
{
	uint64_t size;
	size_t count = get_head(reader, 2, 1, &size);

	if (count > FILE_METRICS_MAX || size != count) {
		fail(reader, "too many metrics");
		return;
	}
	reader->profile->info.metrics = 0;
	reader->metric_count = count;
	EACH(i, count)
	{
		uint64_t flags = cursor_number(reader->cursor);
		size_t length = cursor_number(reader->cursor);
		const uint8_t *name = cursor_take(reader->cursor, length);

		reader->metric_of[i] = name ? metric_by_name(name, length) : METRIC_COUNT;
		if (reader->metric_of[i] < METRIC_COUNT && flags & METRIC_IS_MEASURED)
			reader->profile->info.metrics |= METRIC_BIT(reader->metric_of[i]);
	}
}

/* --- info: length, name, kind and value of each field that changed --------------------------- */

enum field_kind { FIELD_NUMBER, FIELD_STRING };

static uint64_t field_value(const struct profile_info *info, const struct profile_field *field)
{
	const char *at = (const char *)info + field->offset;

	return field->is_string ? *(const string_id *)at : *(const uint64_t *)at;
}

static bool field_is_to_be_written(const struct tables_writer *writer,
	const struct profile *profile, const struct profile_field *field)
{
	return !writer->info_is_known ||
	       field_value(&writer->info, field) != field_value(&profile->info, field);
}

static bool put_info(struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t count = 0;

	EACH(i, profile_field_count)
	count += field_is_to_be_written(writer, profile, &profile_fields[i]);
	if (count == 0)
		return false;
	put_head(out, count, count);
	EACH(i, profile_field_count)
	{
		const struct profile_field *field = &profile_fields[i];

		if (!field_is_to_be_written(writer, profile, field))
			continue;
		bytes_put_number(out, strlen(field->name));
		bytes_put(out, field->name, strlen(field->name));
		bytes_put_number(out, field->is_string ? FIELD_STRING : FIELD_NUMBER);
		bytes_put_number(out, field_value(&profile->info, field));
	}
	writer->info = profile->info;
	writer->info_is_known = true;
	return true;
}

static const struct profile_field *field_by_name(const uint8_t *name, size_t length)
{
	EACH(i, profile_field_count)
	if (strlen(profile_fields[i].name) == length &&
		memcmp(profile_fields[i].name, name, length) == 0)
		return &profile_fields[i];
	return NULL;
}

static void set_field(struct tables_reader *reader, const struct profile_field *field,
	uint64_t kind, uint64_t value)
{
	char *at = (char *)&reader->profile->info + field->offset;

	if ((kind == FIELD_STRING) != field->is_string)
		fail(reader, "a field of another kind");
	else if (!field->is_string)
		*(uint64_t *)at = value;
	else if (value > reader->profile->strings.items.count)
		fail(reader, "a text that is not there");
	else
		*(string_id *)at = value;
}

static void get_info(struct tables_reader *reader)
{
	uint64_t size;
	size_t count = get_head(reader, 3, 64, &size);

	EACH(i, count)
	{
		size_t length = cursor_number(reader->cursor);
		const uint8_t *name = cursor_take(reader->cursor, length);
		const struct profile_field *field = name ? field_by_name(name, length) : NULL;
		uint64_t kind = cursor_number(reader->cursor);
		uint64_t value = cursor_number(reader->cursor);

		if (field && !reader->cursor->damaged)
			set_field(reader, field, kind, value);
	}
}

/* --- modules: path, name, kind, flags, length of the build-id; then the build-ids ------------- */

static bool put_modules(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct module *rows = profile->modules.items.items;
	size_t size = profile->modules.items.count;
	size_t count = find_changed(writer, &writer->modules, rows, size, sizeof(*rows));
	const uint32_t *ids = writer->changed.items;
	uint64_t path = 0, name = 0;

	if (count == 0)
		return false;
	put_changed(writer, out, writer->modules.count / sizeof(*rows));
	EACH(i, count)
	put_step(out, &path, rows[ids[i] - 1].path);
	EACH(i, count)
	put_step(out, &name, rows[ids[i] - 1].name);
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
	size_t size,
		count = get_set_head(reader, modules->items.count, 6, sizeof(struct module), &size);
	const uint32_t *ids = reader->rows.items;
	struct module *rows;
	uint64_t path = 0, name = 0;

	if (count == 0)
		return;
	GROW(&modules->items, size);
	rows = modules->items.items;
	EACH(i, count)
	rows[ids[i] - 1].path = get_string_step(reader, &path);
	EACH(i, count)
	rows[ids[i] - 1].name = get_string_step(reader, &name);
	EACH(i, count)
	rows[ids[i] - 1].kind =
		get_limited(reader, MODULE_KIND_COUNT - 1, "an unknown kind of module");
	EACH(i, count)
	rows[ids[i] - 1].flags = get_u32(reader);
	EACH(i, count)
	rows[ids[i] - 1].build_id.length = get_limited(reader, BUILD_ID_MAX, "too long a build-id");
	EACH(i, count)
	{
		struct build_id *id = &rows[ids[i] - 1].build_id;
		const uint8_t *bytes = cursor_take(reader->cursor, id->length);

		memset(id->bytes, 0, sizeof(id->bytes));
		if (bytes)
			memcpy(id->bytes, bytes, id->length);
	}
}

/* --- processes: pid, parent, name, executable, start, length of life, flags ------------------ */

#define PROCESS_WAS_ALIVE 1

static bool put_processes(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct process *rows = profile->threads.processes.items;
	size_t size = profile->threads.processes.count;
	size_t count = find_changed(writer, &writer->processes, rows, size, sizeof(*rows));
	const uint32_t *ids = writer->changed.items;
	uint64_t pid = 0, parent = 0, name = 0, executable = 0, start = 0;

	if (count == 0)
		return false;
	put_changed(writer, out, writer->processes.count / sizeof(*rows));
	EACH(i, count)
	put_step(out, &pid, rows[ids[i] - 1].pid);
	EACH(i, count)
	put_step(out, &parent, rows[ids[i] - 1].parent);
	EACH(i, count)
	put_step(out, &name, rows[ids[i] - 1].name);
	EACH(i, count)
	put_step(out, &executable, rows[ids[i] - 1].executable);
	EACH(i, count)
	put_step(out, &start, rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_signed(out, rows[ids[i] - 1].end_ns - rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].was_alive ? PROCESS_WAS_ALIVE : 0);
	return true;
}

static uint32_t get_u32_step(struct tables_reader *reader, uint64_t *last)
{
	return get_row_step(reader, last, UINT32_MAX, true, "a number that is too large");
}

static void get_processes(struct tables_reader *reader)
{
	struct threads *threads = &reader->profile->threads;
	size_t size, count = get_set_head(
			     reader, threads->processes.count, 8, sizeof(struct process), &size);
	const uint32_t *ids = reader->rows.items;
	struct process *rows;
	uint64_t pid = 0, parent = 0, name = 0, executable = 0, start = 0;

	if (count == 0)
		return;
	GROW(&threads->processes, size);
	rows = threads->processes.items;
	EACH(i, count)
	rows[ids[i] - 1].pid = get_u32_step(reader, &pid);
	EACH(i, count)
	rows[ids[i] - 1].parent =
		get_row_step(reader, &parent, UINT32_MAX, true, "a parent that is not there");
	EACH(i, count)
	rows[ids[i] - 1].name = get_string_step(reader, &name);
	EACH(i, count)
	rows[ids[i] - 1].executable = get_string_step(reader, &executable);
	EACH(i, count)
	rows[ids[i] - 1].start_ns = get_step(reader, &start);
	EACH(i, count)
	rows[ids[i] - 1].end_ns =
		rows[ids[i] - 1].start_ns + (uint64_t)cursor_signed(reader->cursor);
	EACH(i, count)
	rows[ids[i] - 1].was_alive = cursor_number(reader->cursor) & PROCESS_WAS_ALIVE;
}

/* --- threads: tid, process, name, start, length of life, cpu, not sampled -------------------- */

static bool put_threads(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct thread *rows = profile->threads.threads.items;
	size_t size = profile->threads.threads.count;
	size_t count = find_changed(writer, &writer->threads, rows, size, sizeof(*rows));
	const uint32_t *ids = writer->changed.items;
	uint64_t tid = 0, process = 0, name = 0, start = 0;

	if (count == 0)
		return false;
	put_changed(writer, out, writer->threads.count / sizeof(*rows));
	EACH(i, count)
	put_step(out, &tid, rows[ids[i] - 1].tid);
	EACH(i, count)
	put_step(out, &process, rows[ids[i] - 1].process);
	EACH(i, count)
	put_step(out, &name, rows[ids[i] - 1].name);
	EACH(i, count)
	put_step(out, &start, rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_signed(out, rows[ids[i] - 1].end_ns - rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].cpu_ns);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].not_sampled_ns);
	return true;
}

static void get_threads(struct tables_reader *reader)
{
	struct threads *threads = &reader->profile->threads;
	size_t size, count = get_set_head(
			     reader, threads->threads.count, 8, sizeof(struct thread), &size);
	const uint32_t *ids = reader->rows.items;
	struct thread *rows;
	uint64_t tid = 0, process = 0, name = 0, start = 0;

	if (count == 0)
		return;
	GROW(&threads->threads, size);
	rows = threads->threads.items;
	EACH(i, count)
	rows[ids[i] - 1].tid = get_u32_step(reader, &tid);
	EACH(i, count)
	rows[ids[i] - 1].process = get_row_step(
		reader, &process, threads->processes.count, false, "a process that is not there");
	EACH(i, count)
	rows[ids[i] - 1].name = get_string_step(reader, &name);
	EACH(i, count)
	rows[ids[i] - 1].start_ns = get_step(reader, &start);
	EACH(i, count)
	rows[ids[i] - 1].end_ns =
		rows[ids[i] - 1].start_ns + (uint64_t)cursor_signed(reader->cursor);
	EACH(i, count)
	rows[ids[i] - 1].cpu_ns = cursor_number(reader->cursor);
	EACH(i, count)
	rows[ids[i] - 1].not_sampled_ns = cursor_number(reader->cursor);
}

/* --- frames: module, address ----------------------------------------------------------------- */

static bool put_frames(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t first = writer->written.frames;
	size_t count = at_most(profile->frames.items.count - first, ROWS_PER_CHUNK);
	const struct frame *rows = profile->frames.items.items + first;
	uint64_t address = 0;

	if (count == 0)
		return false;
	put_head(out, first + count, count);
	EACH(i, count)
	bytes_put_number(out, rows[i].module);
	EACH(i, count)
	put_step(out, &address, rows[i].file_addr);
	writer->written.frames += count;
	return true;
}

static void get_frames(struct tables_reader *reader)
{
	struct frames *frames = &reader->profile->frames;
	size_t first = frames->items.count;
	size_t count = get_append_head(reader, first, 2, sizeof(struct frame));
	uint64_t address = 0;

	GROW(&frames->items, first + count);
	EACH(i, count)
	{
		uint32_t module = get_limited(
			reader, reader->profile->modules.items.count, "a module that is not there");

		if (module == 0)
			fail(reader, "a frame without a module");
		frames->items.items[first + i].module = module;
	}
	EACH(i, count)
	frames->items.items[first + i].file_addr = get_step(reader, &address);
}

/* --- functions: name, module, file, line, entry ---------------------------------------------- */

static bool put_functions(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t first = writer->written.functions;
	size_t count = at_most(profile->frames.functions.count - first, ROWS_PER_CHUNK);
	const struct function *rows = profile->frames.functions.items + first;
	uint64_t name = 0, file = 0, entry = 0;

	if (count == 0)
		return false;
	put_head(out, first + count, count);
	EACH(i, count)
	put_step(out, &name, rows[i].name);
	EACH(i, count)
	bytes_put_number(out, rows[i].module);
	EACH(i, count)
	put_step(out, &file, rows[i].file);
	EACH(i, count)
	bytes_put_number(out, rows[i].line);
	EACH(i, count)
	put_step(out, &entry, rows[i].entry);
	writer->written.functions += count;
	return true;
}

static void get_functions(struct tables_reader *reader)
{
	struct frames *frames = &reader->profile->frames;
	size_t first = frames->functions.count;
	size_t count = get_append_head(reader, first, 5, sizeof(struct function));
	struct function *rows;
	uint64_t name = 0, file = 0, entry = 0;

	GROW(&frames->functions, first + count);
	rows = frames->functions.items + first;
	EACH(i, count)
	rows[i].name = get_string_step(reader, &name);
	EACH(i, count)
	{
		rows[i].module = get_limited(
			reader, reader->profile->modules.items.count, "a module that is not there");
		if (rows[i].module == 0)
			fail(reader, "a function without a module");
	}
	EACH(i, count)
	rows[i].file = get_string_step(reader, &file);
	EACH(i, count)
	rows[i].line = get_u32(reader);
	EACH(i, count)
	rows[i].entry = get_step(reader, &entry);
}

/* --- names: frame, number of lines; then function, file, line of all these lines -------------- */

/* Frames are named once, so those whose lines lie behind the written ones are new. */
static void find_named(struct tables_writer *writer, const struct profile *profile)
{
	const struct frame *frames = profile->frames.items.items;
	size_t lines = 0;

	writer->changed.count = 0;
	if (writer->written.lines == profile->frames.lines.count)
		return;
	for (; writer->next < profile->frames.items.count && lines < ROWS_PER_CHUNK;
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
	put_changed(writer, out, frames->items.count);
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
					put_step(out, &function, lines[k].function);
				else if (column == 1)
					put_step(out, &file, lines[k].file);
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
		fail(reader, "more lines than bytes");
		return;
	}
	charge(reader, count * sizeof(*rows));
	if (reader->problem)
		return;
	GROW(&frames->lines, first + count);
	rows = frames->lines.items + first;
	EACH(i, count)
	rows[i].function = get_row_step(
		reader, &function, frames->functions.count, false, "a function that is not there");
	EACH(i, count)
	rows[i].file = get_string_step(reader, &file);
	EACH(i, count)
	rows[i].line = get_u32(reader);
}

static void get_names(struct tables_reader *reader)
{
	struct frames *frames = &reader->profile->frames;
	size_t size, count = get_set_head(reader, frames->items.count, 5, sizeof(uint32_t), &size);
	size_t first = frames->lines.count, next = first;

	if (count > 0 && size != frames->items.count) {
		fail(reader, "a name for a frame that is not there");
		return;
	}
	EACH(i, count)
	{
		struct frame *frame = frames_at(frames, reader->rows.items[i]);

		frame->first_line = next;
		frame->line_count =
			get_limited(reader, cursor_left(reader->cursor), "more lines than bytes");
		next += frame->line_count;
	}
	get_lines(reader, next - first);
}

/* --- stacks: how far back the parent is, frame ------------------------------------------------ */

static bool put_stacks(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t roots = STACK_END_COUNT - 1; /* every file starts with them: not written */
	size_t first = writer->written.stacks > roots ? writer->written.stacks : roots;
	size_t count = at_most(profile->stacks.items.count - first, ROWS_PER_CHUNK);
	const struct stack *rows = profile->stacks.items.items + first;

	if (count == 0)
		return false;
	put_head(out, first + count, count);
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

	GROW(&reader->depths, first + count);
	depths = reader->depths.items;
	EACH(i, count)
	{
		uint32_t id = first + i + 1;
		uint32_t back = get_limited(reader, id - 1, "a stack's parent is not there");

		if (back == 0) {
			fail(reader, "a stack that is its own parent");
			return;
		}
		rows[i].parent = id - back;
		depths[id - 1] = depths[rows[i].parent - 1] + 1;
		if (depths[id - 1] > 2 * STACK_DEPTH_MAX) {
			fail(reader, "a stack that is too deep");
			return;
		}
	}
}

static void get_stacks(struct tables_reader *reader)
{
	struct stacks *stacks = &reader->profile->stacks;
	size_t first = stacks->items.count;
	size_t count = get_append_head(reader, first, 2, sizeof(struct stack) + sizeof(uint16_t));
	struct stack *rows;

	GROW(&stacks->items, first + count);
	rows = stacks->items.items + first;
	get_parents(reader, rows, first, count);
	EACH(i, count)
	{
		rows[i].frame = get_limited(
			reader, reader->profile->frames.items.count, "a frame that is not there");
		if (rows[i].frame == 0)
			fail(reader, "a stack without a frame");
	}
}

/* --- marks: time, process, name, kind --------------------------------------------------------- */

static bool put_marks(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t first = writer->written.marks;
	size_t count = at_most(profile->marks.count - first, ROWS_PER_CHUNK);
	const struct mark *rows = profile->marks.items + first;
	uint64_t time = 0, process = 0, name = 0;

	if (count == 0)
		return false;
	put_head(out, first + count, count);
	EACH(i, count)
	put_step(out, &time, rows[i].time_ns);
	EACH(i, count)
	put_step(out, &process, rows[i].process);
	EACH(i, count)
	put_step(out, &name, rows[i].name);
	EACH(i, count)
	bytes_put_number(out, rows[i].kind);
	writer->written.marks += count;
	return true;
}

static void get_marks(struct tables_reader *reader)
{
	struct profile *profile = reader->profile;
	size_t first = profile->marks.count;
	size_t count = get_append_head(reader, first, 4, sizeof(struct mark));
	struct mark *rows;
	uint64_t time = 0, process = 0, name = 0;

	GROW(&profile->marks, first + count);
	rows = profile->marks.items + first;
	EACH(i, count)
	rows[i].time_ns = get_step(reader, &time);
	EACH(i, count)
	rows[i].process = get_row_step(reader, &process, profile->threads.processes.count, false,
		"a process that is not there");
	EACH(i, count)
	rows[i].name = get_string_step(reader, &name);
	EACH(i, count)
	rows[i].kind = get_limited(reader, MARK_NAMED, "an unknown kind of mark");
}

/* --- counts: thread and region, stack, set of metrics; then the values, metric by metric ------ */

/* A row's key: rows are in ascending order of thread, then region, then stack. */
static uint64_t count_who(const struct count *count)
{
	return (uint64_t)count->thread << 1 | count->in_region;
}

static int compare_counts(const void *left, const void *right, void *context)
{
	const struct count *counts = context;
	const struct count *a = &counts[*(const uint32_t *)left];
	const struct count *b = &counts[*(const uint32_t *)right];

	if (count_who(a) != count_who(b))
		return count_who(a) < count_who(b) ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

static void order_counts(
	struct tables_writer *writer, const struct profile *profile, bool all_counts)
{
	size_t count = all_counts ? profile->counts.count : profile->dirty_counts.count;

	writer->counts.count = 0;
	array_reserve(&writer->counts, count);
	EACH(i, count)
	*array_add(&writer->counts) = all_counts ? i : profile->dirty_counts.items[i];
	if (count > 0)
		qsort_r(writer->counts.items, count, sizeof(uint32_t), compare_counts,
			profile->counts.items);
}

/* Wall is nearly always the sum of its parts: only the difference is stored. */
static uint64_t wall_expected(const struct count *count)
{
	return count->value[METRIC_CPU] + count->value[METRIC_BLOCKED] +
	       count->value[METRIC_RUNNABLE];
}

static uint64_t stored_value(const struct count *count, int metric)
{
	return count->value[metric] - (metric == METRIC_WALL ? wall_expected(count) : 0);
}

static uint32_t stored_set(const struct count *count)
{
	uint32_t set = 0;

	for (int metric = 0; metric < METRIC_COUNT; metric++)
		if (stored_value(count, metric))
			set |= METRIC_BIT(metric);
	return set;
}

static void put_count_keys(
	struct bytes *out, const struct count *counts, const uint32_t *order, size_t count)
{
	uint64_t who = 0, stack = 0;

	EACH(i, count)
	{
		bytes_put_number(out, count_who(&counts[order[i]]) - who);
		who = count_who(&counts[order[i]]);
	}
	who = 0;
	EACH(i, count)
	{
		const struct count *row = &counts[order[i]];

		bytes_put_number(out, row->stack - (count_who(row) == who ? stack : 0));
		who = count_who(row);
		stack = row->stack;
	}
}

static bool put_counts(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct count *counts = profile->counts.items;
	const uint32_t *order = writer->counts.items + writer->next;
	size_t count = at_most(writer->counts.count - writer->next, ROWS_PER_CHUNK);

	if (count == 0)
		return false;
	EACH(i, count)
	writer->written.counts += order[i] >= writer->before.counts;
	put_head(out, writer->written.counts, count);
	put_count_keys(out, counts, order, count);
	EACH(i, count)
	bytes_put_number(out, stored_set(&counts[order[i]]));
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		EACH(i, count)
		{
			uint64_t value = stored_value(&counts[order[i]], metric);

			if (value && metric == METRIC_WALL)
				bytes_put_signed(out, value);
			else if (value)
				bytes_put_number(out, value);
		}
	writer->next += count;
	return true;
}

/*
 * The index of the row with this key, added when it is new. While the keys of a file only ascend,
 * as those of a compact one do, no table is needed to see that a row is new.
 */
static uint32_t count_row(
	struct tables_reader *reader, thread_id thread, stack_id stack, bool in_region)
{
	struct profile *profile = reader->profile;
	struct count key = {.thread = thread, .stack = stack, .in_region = in_region};
	struct count last = {.thread = reader->last_thread,
		.stack = reader->last_stack,
		.in_region = reader->last_in_region};
	uint64_t who = count_who(&key), last_who = count_who(&last);

	if (who < last_who || (who == last_who && stack <= last.stack))
		return profile_count(profile, thread, stack, in_region) - profile->counts.items;
	reader->last_thread = thread;
	reader->last_stack = stack;
	reader->last_in_region = in_region;
	*array_add(&profile->counts) = key;
	return profile->counts.count - 1;
}

/* Reads the two columns of keys and finds the rows, into reader->rows. */
static void get_count_keys(struct tables_reader *reader, size_t count)
{
	const struct profile *profile = reader->profile;
	uint64_t who = 0, last_who = 0, stack = 0;

	reader->sets.count = 0;
	array_reserve(&reader->sets, count);
	EACH(i, count)
	{
		who += get_limited(reader, UINT32_MAX, "a thread that is not there");
		if (who >> 1 == 0 || who >> 1 > profile->threads.threads.count) {
			fail(reader, "a thread that is not there");
			return;
		}
		*array_add(&reader->sets) = who;
	}
	reader->rows.count = 0;
	array_reserve(&reader->rows, count);
	EACH(i, count)
	{
		uint64_t step = cursor_number(reader->cursor);

		who = reader->sets.items[i];
		stack = who == last_who ? stack + step : step;
		last_who = who;
		if (step == 0 || stack < step || stack > profile->stacks.items.count) {
			fail(reader, "a stack that is not there, or out of order");
			return;
		}
		*array_add(&reader->rows) = count_row(reader, who >> 1, stack, who & 1);
	}
}

static void get_count_values(struct tables_reader *reader, size_t count, unsigned bit)
{
	struct count *counts = reader->profile->counts.items;
	unsigned metric = reader->metric_of[bit];

	EACH(i, count)
	{
		uint64_t value;

		if (!(reader->sets.items[i] >> bit & 1))
			continue;
		value = metric == METRIC_WALL ? (uint64_t)cursor_signed(reader->cursor)
					      : cursor_number(reader->cursor);
		if (metric < METRIC_COUNT)
			counts[reader->rows.items[i]].value[metric] = value;
	}
}

static bool reads_wall(const struct tables_reader *reader)
{
	for (unsigned bit = 0; bit < reader->metric_count; bit++)
		if (reader->metric_of[bit] == METRIC_WALL)
			return true;
	return false;
}

static void get_counts(struct tables_reader *reader)
{
	uint64_t size;
	size_t count =
		get_head(reader, 3, sizeof(struct count) + 3 * sizeof(struct hash_slot), &size);
	struct count *counts;
	uint64_t any = 0;

	array_reserve(&reader->profile->counts, reader->profile->counts.count + count);
	get_count_keys(reader, count);
	if (reader->problem)
		return;
	counts = reader->profile->counts.items;
	EACH(i, count)
	{
		uint64_t set = cursor_number(reader->cursor);

		if (reader->metric_count < 64 && set >> reader->metric_count)
			fail(reader, "a metric that is not there");
		any |= set;
		reader->sets.items[i] = set;
		memset(counts[reader->rows.items[i]].value, 0, sizeof(counts->value));
	}
	for (unsigned bit = 0; bit < reader->metric_count && !reader->problem; bit++)
		if (any >> bit & 1)
			get_count_values(reader, count, bit);
	if (reads_wall(reader))
		EACH(i, count)
	counts[reader->rows.items[i]].value[METRIC_WALL] +=
		wall_expected(&counts[reader->rows.items[i]]);
	if (size != reader->profile->counts.count)
		fail(reader, "rows before it are missing");
}

/* --- all tables, in the order in which they are written: each names only rows of earlier ones - */

static const struct table {
	char type[5];
	bool (*put)(struct tables_writer *, const struct profile *, struct bytes *out);
	void (*get)(struct tables_reader *);
} tables[] = {
	{"METR", put_metrics, get_metrics},
	{"STRS", put_strings, get_strings},
	{"INFO", put_info, get_info},
	{"MODU", put_modules, get_modules},
	{"PROC", put_processes, get_processes},
	{"THRD", put_threads, get_threads},
	{"FRAM", put_frames, get_frames},
	{"FUNC", put_functions, get_functions},
	{"NAME", put_names, get_names},
	{"STAK", put_stacks, get_stacks},
	{"MARK", put_marks, get_marks},
	{"CNTS", put_counts, get_counts},
};
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

void tables_begin(struct tables_writer *writer, const struct profile *profile, bool all_counts)
{
	writer->before = writer->written;
	writer->table = writer->next = 0;
	order_counts(writer, profile, all_counts);
}

bool tables_next(struct tables_writer *writer, const struct profile *profile, char type[4],
	struct bytes *payload)
{
	for (; writer->table < TABLE_COUNT; writer->table++, writer->next = 0) {
		payload->count = 0;
		memcpy(type, tables[writer->table].type, 4);
		if (tables[writer->table].put(writer, profile, payload))
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
	if (memcmp(tables[i].type, type, 4) == 0)
		return &tables[i];
	return NULL;
}

bool tables_knows(const char type[4])
{
	return find_table(type) != NULL;
}

bool tables_read(struct tables_reader *reader, const char type[4], struct cursor *payload)
{
	reader->cursor = payload;
	charge(reader, cursor_left(payload));
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
