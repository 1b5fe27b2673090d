/* The writing half of profile_file.h. */
#include "model/chunk.h"
#include "model/compact_file.h"
#include "model/part_file.h"
#include "model/profile_file.h"
#include "model/profile_reader.h"
#include "model/profile_tables.h"
#include "model/profile_timeline.h"
#include "model/syncer.h"

#include <errno.h>
#include <unistd.h>

struct profile_writer {
	char *path;
	struct part_file part;
	struct syncer syncer;
	ZSTD_CCtx *packer;
	uint64_t size; /* of PATH.part up to the last good chunk; what is behind is overwritten */
	uint64_t chunk_count;
	struct tables_writer tables;
	struct bytes out, payload; /* of the flush under way */
};

static int write_part(struct profile_writer *writer, struct error *err)
{
	const struct bytes *out = &writer->out;
	int cause;

	if (new_file_write_at(writer->part.fd, out->items, out->count, writer->size) == 0) {
		writer->size += out->count;
		return 0;
	}
	cause = errno;
	/* Half a chunk would end the file for its readers until the next flush overwrites it. */
	if (ftruncate(writer->part.fd, writer->size) != 0)
		errno = 0; /* the first cause is the one to tell */
	errno = cause;
	return error_set_errno(err, "cannot write %s", writer->part.name);
}

struct profile_writer *profile_writer_open(const char *path, struct error *err)
{
	struct profile_writer *writer = alloc_zeroed(1, sizeof(*writer));

	writer->path = alloc_string(path);
	writer->packer = ZSTD_createCCtx();
	syncer_init(&writer->syncer, -1);
	if (part_file_open(&writer->part, path, err) != 0) {
		profile_writer_close(writer);
		return NULL;
	}
	writer->syncer.fd = writer->part.fd;
	chunk_put_file_header(&writer->out);
	if (write_part(writer, err) != 0) {
		profile_writer_discard(writer);
		return NULL;
	}
	return writer;
}

const char *profile_writer_interrupted(const struct profile_writer *writer)
{
	return writer->part.interrupted;
}

/* Collects in writer->out what the file lacks; returns the number of chunks, -1 on failure. */
static int collect(struct profile_writer *writer, const struct profile *profile,
	const struct timeline *timeline, struct error *err)
{
	struct timeline_position position = {0};
	char type[4];
	int count = 0;

	writer->out.count = 0;
	while (tables_next(&writer->tables, profile, type, &writer->payload)) {
		if (chunk_put(&writer->out, writer->packer, type, &writer->payload, err) != 0)
			return -1;
		count++;
	}
	while (timeline && timeline_next_payload(timeline, &position, &writer->payload)) {
		if (chunk_put(&writer->out, writer->packer, TIMELINE_CHUNK_TYPE, &writer->payload,
			    err) != 0)
			return -1;
		count++;
	}
	return count;
}

static void mark_clean(struct profile *profile)
{
	for (size_t i = 0; i < profile->dirty_counts.count; i++)
		profile->counts.items[profile->dirty_counts.items[i]].is_dirty = false;
	profile->dirty_counts.count = 0;
}

/* Brings PATH.part up to date, without making it durable. */
static int append_new(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err)
{
	int count;

	tables_begin(&writer->tables, profile, false);
	count = collect(writer, profile, timeline, err);
	if (count < 0 || write_part(writer, err) != 0) {
		tables_undo(&writer->tables);
		return -1;
	}
	writer->chunk_count += count;
	mark_clean(profile);
	if (timeline)
		timeline_clear(timeline);
	return 0;
}

int profile_writer_flush(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err)
{
	int failure = syncer_failure(&writer->syncer);

	if (append_new(writer, profile, timeline, err) != 0)
		return -1;
	if (failure) {
		errno = failure;
		return error_set_errno(err, "cannot make %s durable", writer->part.name);
	}
	if (writer->out.count > 0)
		syncer_request(&writer->syncer);
	return 0;
}

/* The end chunk makes PATH.part a whole file, should the compact one fail; it is not counted. */
static int end_part(struct profile_writer *writer, struct error *err)
{
	uint64_t size = writer->size;
	int result;

	writer->payload.count = writer->out.count = 0;
	bytes_put_number(&writer->payload, writer->chunk_count);
	result = chunk_put(&writer->out, writer->packer, END_CHUNK_TYPE, &writer->payload, err);
	if (result == 0)
		result = write_part(writer, err);
	writer->size = size;
	return result;
}

static int copy_timeline(struct compact_file *file, struct chunk_reader *chunks, struct error *err)
{
	for (;;) {
		switch (chunk_reader_next(chunks, err)) {
		case CHUNK_NONE:
			return 0;
		case CHUNK_ERROR:
			return -1;
		case CHUNK_CUT:
		case CHUNK_DAMAGED:
			return error_set(err, "%s was damaged while it was written", chunks->path);
		case CHUNK_GOOD:
			if (chunk_is(chunks, TIMELINE_CHUNK_TYPE) &&
				compact_file_copy_chunk(file, chunks, err) != 0)
				return -1;
		}
	}
}

static int write_compact(
	struct profile_writer *writer, const struct profile *profile, struct error *err)
{
	struct compact_file file;
	struct chunk_reader chunks = {0};
	int result = -1;

	if (compact_file_open(&file, writer->path, err) == 0 &&
		compact_file_put_profile(&file, profile, err) == 0 &&
		chunk_reader_open_fd(&chunks, writer->part.fd, writer->part.name, err) == 0 &&
		copy_timeline(&file, &chunks, err) == 0)
		result = compact_file_commit(&file, err);
	chunk_reader_close(&chunks);
	compact_file_close(&file);
	return result;
}

int profile_writer_finish(struct profile_writer *writer, struct profile *profile,
	struct timeline *timeline, struct error *err)
{
	if (append_new(writer, profile, timeline, err) != 0 || end_part(writer, err) != 0 ||
		write_compact(writer, profile, err) != 0) {
		syncer_request(&writer->syncer);
		return error_prefix(err, "the recording is kept in %s", writer->part.name);
	}
	part_file_remove(&writer->part);
	return 0;
}

void profile_writer_close(struct profile_writer *writer)
{
	if (!writer)
		return;
	syncer_stop(&writer->syncer);
	part_file_close(&writer->part);
	tables_writer_release(&writer->tables);
	ZSTD_freeCCtx(writer->packer);
	array_release(&writer->out);
	array_release(&writer->payload);
	free(writer->path);
	free(writer);
}

void profile_writer_discard(struct profile_writer *writer)
{
	if (!writer)
		return;
	part_file_remove(&writer->part);
	profile_writer_close(writer);
}

int profile_save(const struct profile *profile, const char *path, struct error *err)
{
	struct compact_file file;
	int result = -1;

	if (compact_file_open(&file, path, err) == 0 &&
		compact_file_put_profile(&file, profile, err) == 0)
		result = compact_file_commit(&file, err);
	compact_file_close(&file);
	return result;
}
