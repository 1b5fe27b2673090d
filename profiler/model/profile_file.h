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

/*
 * Creates PATH.part (0600, never following links) and locks it. An error when another recording
 * that still runs has it, or when PATH is something that must not be replaced. A PATH.part that a
 * dead recording left over is renamed, never destroyed: see profile_writer_interrupted().
 */
struct profile_writer *profile_writer_open(const char *path, struct error *err);

/* What a left-over PATH.part was renamed to ("out.prof.interrupted"); NULL: there was none. */
const char *profile_writer_interrupted(const struct profile_writer *writer);

/*
 * Appends everything that is new in the profile and in `timeline` (cleared; NULL: none). When this
 * returns, the death of the recorder costs nothing of it; a thread makes it durable against that of
 * the machine, so that the caller's loop never waits for a disk (its failure is reported by the
 * next flush). On failure PATH.part, the profile and the timeline are as before, and the next flush
 * tries all of it again.
 */
int profile_writer_flush(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err);

/*
 * Flushes, writes the compact file beside it, and renames that to PATH, durable; then nothing is
 * left of PATH.part. On failure PATH is as it was and PATH.part stays.
 */
int profile_writer_finish(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err);

/* Frees; without a finish before it, PATH.part stays. Accepts NULL. */
void profile_writer_close(struct profile_writer *writer);

/* Removes PATH.part, for a recording that never began. */
void profile_writer_discard(struct profile_writer *writer);

/* Writes a profile that is whole in memory (no timeline), atomically. */
int profile_save(const struct profile *profile, const char *path, struct error *err);

/* Gives names to the frames of a loaded profile that have none. */
typedef int (*profile_namer)(void *context, struct profile *profile, struct error *err);

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

/*
 * Makes a whole file `out` of what can be read of PATH, with its timeline, atomically; PATH stays,
 * unless `out` is the same. `name` (may be NULL) is called in between. An error when a recording
 * still writes PATH. report (may be NULL) is that of PATH.
 */
int profile_repair(const char *path, const char *out, profile_namer name, void *context,
	struct profile_load_report *report, struct error *err);

/*
 * Calls visit for each record of the timeline of PATH in the file's order. Stops when it returns
 * something else than 0, and returns that. -1 with an error when the file cannot be read.
 */
int profile_visit_timeline(const char *path,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	struct error *err);
