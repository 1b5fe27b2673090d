/*
 * table: one table of a profile as the payload of a chunk, in both directions.
 *
 * A table is one `const struct table` at the end of its own file, table_NAME.c, which has its
 * columns as they stand in cprof-format(5): put_NAME() writes what the file does not have yet,
 * get_NAME() reads it. This header is what they share. A payload is
 *
 *     size       rows of the table together with this chunk's
 *     count      rows in this chunk
 *     [numbers]  only where rows are set: which rows these are, each as the step from the last
 *     columns    all of the first, then all of the second ...
 */
#pragma once

#include "model/profile_tables.h"

struct table {
	char type[5]; /* of its chunks */
	/* Puts the next chunk's payload; false when the file has everything. */
	bool (*put)(struct tables_writer *, const struct profile *, struct bytes *out);
	void (*get)(struct tables_reader *);
};

extern const struct table table_strings, table_metrics, table_info, table_modules, table_processes,
	table_threads, table_frames, table_functions, table_names, table_stacks, table_marks,
	table_counts;

#define TABLE_ROWS_MAX (128u << 10) /* in a chunk: no row of fixed columns takes 128 bytes */

#define EACH(i, count) for (size_t i = 0; i < (count); i++)

static inline size_t table_at_most(size_t count, size_t limit)
{
	return count < limit ? count : limit;
}

/* Makes `array` one of `size` items, the new ones all zero. */
#define TABLE_GROW(array, size)                                                           \
	do {                                                                              \
		size_t grow_size_ = (size);                                               \
		array_reserve(array, grow_size_);                                         \
		if (grow_size_ > (array)->count)                                          \
			memset((array)->items + (array)->count, 0,                        \
				(grow_size_ - (array)->count) * sizeof(*(array)->items)); \
		(array)->count = grow_size_;                                              \
	} while (0)

/* --- writing --- */

void table_put_head(struct bytes *out, size_t size, size_t row_count);

/* A column of numbers near to each other: each as the difference from the one before. */
void table_put_step(struct bytes *out, uint64_t *last, uint64_t number);

/*
 * Collects in writer->changed the numbers of the rows that differ from those last written (`known`
 * holds copies), and returns how many; table_put_changed() writes the head and these numbers.
 */
size_t table_find_changed(struct tables_writer *writer, struct bytes *known, const void *rows,
	size_t count, size_t row_size);
void table_put_changed(struct tables_writer *writer, struct bytes *out, size_t size);

/* Puts the rows of counts that a pass writes into writer->counts, in the file's order. */
void table_counts_order(
	struct tables_writer *writer, const struct profile *profile, bool all_counts);

/* --- reading: what cannot be right sets reader->problem, and all that is read after it is 0 --- */

/* The first problem is kept. */
void table_fail(struct tables_reader *reader, const char *problem);

/* Takes from the budget of memory and work. */
void table_charge(struct tables_reader *reader, uint64_t cost);

/* A number up to `limit`: mostly the number of a row in a table of so many rows, or 0. */
uint32_t table_get_limited(struct tables_reader *reader, uint64_t limit, const char *problem);
uint32_t table_get_u32(struct tables_reader *reader);

/* What table_put_step() put; as the number of a row: 1 to `limit`, or 0 where `optional`. */
uint64_t table_get_step(struct tables_reader *reader, uint64_t *last);
uint32_t table_get_row_step(struct tables_reader *reader, uint64_t *last, uint64_t limit,
	bool optional, const char *problem);
string_id table_get_string_step(struct tables_reader *reader, uint64_t *last);

/*
 * The head of a chunk: its number of rows, of which there cannot be more than its bytes allow. Each
 * will cost row_size bytes of memory. *size is the table's size with them.
 */
size_t table_get_head(
	struct tables_reader *reader, size_t columns, size_t row_size, uint64_t *size);

/* The head of a chunk that appends to a table of `current` rows. */
size_t table_get_append_head(
	struct tables_reader *reader, size_t current, size_t columns, size_t row_size);

/*
 * The head and the row numbers of a chunk that sets rows, into reader->rows: ascending, and all
 * that are new to the table of `current` rows among them. Returns their count.
 */
size_t table_get_set_head(struct tables_reader *reader, size_t current, size_t columns,
	size_t row_size, size_t *new_size);
