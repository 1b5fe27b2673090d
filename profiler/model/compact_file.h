/*
 * compact_file: a whole profile as few large chunks, in a new file (inside model/ only).
 *
 *     compact_file_open(&file, path, err)
 *     compact_file_put_profile(...), then the timeline by compact_file_put_timeline(...)
 *     compact_file_commit(...)       the end chunk, durable, under its name
 *     compact_file_close(&file)      always
 */
#pragma once

#include "base/new_file.h"
#include "model/chunk.h"
#include "model/profile.h"

struct compact_file {
	struct new_file file;
	ZSTD_CCtx *packer;
	struct bytes out; /* chunks that are not yet written */
	struct bytes payload;
	uint64_t chunk_count;
};

int compact_file_open(struct compact_file *file, const char *path, struct error *err);
int compact_file_put_profile(
	struct compact_file *file, const struct profile *profile, struct error *err);
int compact_file_put_timeline(
	struct compact_file *file, const struct timeline *timeline, struct error *err);

/* Appends the chunk that the reader holds as it is. */
int compact_file_copy_chunk(
	struct compact_file *file, const struct chunk_reader *reader, struct error *err);

int compact_file_commit(struct compact_file *file, struct error *err);
void compact_file_close(struct compact_file *file);
