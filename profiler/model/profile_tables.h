/*
 * profile_tables: the tables of a profile as the payloads of chunks, in both directions.
 *
 * A payload starts with two numbers: how many rows the table has with this chunk, and how many rows
 * the chunk brings. The rows follow by column (all of the first field, then all of the second ...),
 * which packs far better than row by row. Two kinds of table:
 *
 *     appended   strings, frames, functions, stacks, marks: rows never change once added
 *     set        modules, processes, threads, counts, names, info: a row replaces the one with its
 *                number or key, so a journal writes again what changed
 *
 * cprof-format(5) has every column. Each table has a file, table_NAME.c, with its two directions
 * side by side; table.h is what they share.
 */
#pragma once

#include "base/bytes.h"
#include "model/profile.h"

/*
 * The write direction: what of a profile a file holds already, and the pass that adds the rest.
 *
 *     tables_begin(&writer, profile, false);
 *     while (tables_next(&writer, profile, type, &payload)) write a chunk;
 *     on failure: tables_undo(&writer);
 *
 * All zero is a file that holds nothing.
 */
struct tables_written { /* rows, in the order in which memory has them */
	size_t strings, frames, functions, lines, stacks, marks, counts;
};

struct tables_writer {
	struct tables_written written, before;	  /* before: at the start of the pass */
	struct bytes modules, processes, threads; /* copies of the rows as last written */
	struct profile_info info;
	bool info_is_known; /* `info` and the metrics are as in the file */
	/* of the pass */
	size_t table;		 /* index of the table that is being written */
	size_t next;		 /* position within that table */
	ARRAY(uint32_t) changed; /* numbers of the rows for the next chunk */
	ARRAY(uint32_t) counts;	 /* indexes into profile->counts, in the file's order */
};

/* Starts a pass: over all counts, or over those that changed since the last. */
void tables_begin(struct tables_writer *writer, const struct profile *profile, bool all_counts);

/*
 * The next chunk's type and payload (which replaces what was in it); false when there is nothing
 * left. Payloads stay below CHUNK_RAW_MAX as long as no text is longer than 8 MiB.
 */
bool tables_next(struct tables_writer *writer, const struct profile *profile, char type[4],
	struct bytes *payload);

/* Forgets the pass, whose chunks did not reach the file; the next one brings its rows again. */
void tables_undo(struct tables_writer *writer);
void tables_writer_release(struct tables_writer *writer);

/* The read direction. */
#define FILE_METRICS_MAX 64

struct tables_reader {
	struct profile *profile;
	unsigned metric_count;
	uint8_t metric_of[FILE_METRICS_MAX]; /* of the file's metric; METRIC_COUNT: unknown to us */
	uint64_t budget;     /* bytes of memory and work that the rest of the file may still cost */
	const char *problem; /* what is wrong with the chunk: "a stack's parent is not before it" */
	/* for one chunk */
	struct cursor *cursor;
	ARRAY(uint32_t) rows;
	ARRAY(uint64_t) sets;
	ARRAY(uint16_t) depths; /* of the stacks */
	thread_id last_thread;	/* the highest key of the counts so far: what is above it is new */
	stack_id last_stack;
	bool last_in_region;
};

/* `file_size` bounds what all chunks together may cost. */
void tables_reader_init(struct tables_reader *reader, struct profile *profile, uint64_t file_size);
void tables_reader_release(struct tables_reader *reader);

/* Whether a chunk of this type holds (a part of) a table. */
bool tables_knows(const char type[4]);

/* Applies a chunk of such a type to the profile; false with `problem` set. */
bool tables_read(struct tables_reader *reader, const char type[4], struct cursor *payload);

/* What only the whole file can show; also makes the counts clean. False with `problem` set. */
bool tables_reader_finish(struct tables_reader *reader);
