/*
 * chunk: the framing of a profile file (cprof-format(5)): a file header, then chunks.
 *
 *     offset  bytes
 *          0      8  89 'c' 'p' 'r' 'o' 'f' 0d 0a
 *          8      4  version
 *         12      4  lower half of XXH3-64 over the 12 bytes before
 *         16         chunks:
 *              4  type, four letters
 *              4  stored length
 *              4  raw length
 *              8  XXH3-64 over the stored payload, with XXH3-64 of the 12 bytes before as seed
 *              -  payload: one zstd frame, or as it is when both lengths are equal
 *
 * Numbers of fixed size are little-endian. No payload is longer than CHUNK_RAW_MAX, packed or not.
 * This file knows nothing of what chunks hold.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#include <stdio.h>
#include <zstd.h>

#define CHUNK_FILE_VERSION     1
#define CHUNK_FILE_HEADER_SIZE 16
#define CHUNK_HEADER_SIZE      20
#define CHUNK_RAW_MAX	       (16u << 20)

void chunk_put_file_header(struct bytes *out);

/* Packs and appends one chunk; an error when the payload is empty or above CHUNK_RAW_MAX. */
int chunk_put(struct bytes *out, ZSTD_CCtx *packer, const char type[4], const struct bytes *raw,
	struct error *err);

/* Reads chunks in order; a chunk is held until the next call. */
struct chunk_reader {
	const char *path; /* for error texts; borrowed */
	FILE *file;
	uint64_t size;	 /* of the file when it was opened: what is appended later is not seen */
	uint64_t offset; /* of the next chunk; after a chunk that is not good, of that chunk */
	uint32_t version;
	struct bytes stored; /* header and payload of the chunk, as in the file */
	struct bytes raw;
	ZSTD_DCtx *unpacker;
};

enum chunk_result {
	CHUNK_GOOD,
	CHUNK_NONE,    /* the file ends here, between two chunks */
	CHUNK_CUT,     /* the file ends within a chunk */
	CHUNK_DAMAGED, /* lengths or checksum are wrong */
	CHUNK_ERROR,   /* the file cannot be read: err says why */
};

/*
 * Opens PATH and reads the file header. An error when it is not there, not a regular file (this
 * never waits for a FIFO), not a profile, or of a newer version. Close it also after a failure.
 */
int chunk_reader_open(struct chunk_reader *reader, const char *path, struct error *err);

/* The same for an open file, which is duplicated. */
int chunk_reader_open_fd(struct chunk_reader *reader, int fd, const char *path, struct error *err);
void chunk_reader_close(struct chunk_reader *reader);

/* Reads the next chunk and checks it, without unpacking. */
enum chunk_result chunk_reader_next(struct chunk_reader *reader, struct error *err);

/* Of the chunk just read: whether it has this type, its lengths, and its unpacked payload. */
bool chunk_is(const struct chunk_reader *reader, const char type[4]);
size_t chunk_raw_length(const struct chunk_reader *reader);
int chunk_unpack(struct chunk_reader *reader, struct cursor *payload); /* -1: not a good frame */
