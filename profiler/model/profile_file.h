/*
 * profile_file: profiles on disk; the format is specified in cprof-format(5).
 *
 * A file is a header and chunks: type, length, checksum, zstd-compressed payload. Most chunks
 * append to a table of the model (strings, modules, frames, stacks ...), whose numbers are thereby
 * the same in file and memory; a count chunk sets the values of its rows. So a journal of small
 * chunks, as a recording writes it, and a compact file of few large ones read the same.
 *
 * A recording goes to FILE.part, durable every second; finishing writes the compact form and
 * renames it to FILE. When the recorder dies, FILE.part holds all but the last second.
 *
 * Nothing in a file is trusted: lengths, numbers and checksums are checked, and memory is
 * bounded by what the file really holds.
 */
#pragma once

#include "base/error.h"
#include "model/profile.h"

struct profile_writer; /* heap, opaque */

/* Creates PATH.part (0600, never following links). Text in err says so when another recording has
 * it. */
struct profile_writer *profile_writer_open(const char *path, struct error *err);

/* Appends everything that is new in the profile and in `timeline` (cleared; NULL: none), and syncs.
 */
int profile_writer_flush(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err);

/*
 * Flushes, writes the compact file beside it, and renames that to PATH; then nothing is left of
 * PATH.part. On failure PATH is as it was and PATH.part stays.
 */
int profile_writer_finish(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err);

/* Frees; without a finish before it, PATH.part stays. Accepts NULL. */
void profile_writer_close(struct profile_writer *writer);

/* Removes PATH.part, for a recording that never began. */
void profile_writer_discard(struct profile_writer *writer);

/* Writes a profile that is whole in memory (no timeline), atomically. */
int profile_save(struct profile *profile, const char *path, struct error *err);

struct profile_load_report { /* what `info` says about the file itself */
	uint32_t version;
	uint64_t size_bytes;
	uint64_t chunk_count, unknown_chunk_count;
	uint64_t timeline_chunks, timeline_records, timeline_bytes; /* bytes as stored */
	uint64_t fixed_bytes; /* everything but the timeline, as stored */
	uint64_t good_bytes;  /* up to the first damaged chunk */
	bool is_whole;	      /* the end chunk is there */
};

/*
 * Reads PATH. A file that was cut off loads with info.is_incomplete set when allow_cut, else that
 * is an error which names `cprof info --repair`. `profile` is initialised by the call, also on
 * failure: release it. report may be NULL.
 */
int profile_load(struct profile *profile, const char *path, bool allow_cut,
	struct profile_load_report *report, struct error *err);

/* Calls visit for each record of the timeline of PATH in the file's order; stops at non-zero. */
int profile_visit_timeline(const char *path,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	struct error *err);
