#include "model/compact_file.h"

#include "model/profile_reader.h"
#include "model/profile_tables.h"
#include "model/profile_timeline.h"

#define WRITE_SIZE (1u << 20)

/* Writes what has been collected when it is at least `enough`. */
static int drain(struct compact_file *file, size_t enough, struct error *err)
{
	if (file->out.count < enough)
		return 0;
	if (new_file_write(&file->file, file->out.items, file->out.count, err) != 0)
		return -1;
	file->out.count = 0;
	return 0;
}

int compact_file_open(struct compact_file *file, const char *path, struct error *err)
{
	*file = (struct compact_file){.packer = ZSTD_createCCtx()};
	chunk_put_file_header(&file->out);
	return new_file_open(&file->file, path, err);
}

static int put_payload(struct compact_file *file, const char type[4], struct error *err)
{
	if (chunk_put(&file->out, file->packer, type, &file->payload, err) != 0)
		return -1;
	file->chunk_count++;
	return drain(file, WRITE_SIZE, err);
}

int compact_file_put_profile(
	struct compact_file *file, const struct profile *profile, struct error *err)
{
	struct tables_writer tables = {0};
	char type[4];
	int result = 0;

	tables_begin(&tables, profile, true);
	while (result == 0 && tables_next(&tables, profile, type, &file->payload))
		result = put_payload(file, type, err);
	tables_writer_release(&tables);
	return result;
}

int compact_file_put_timeline(
	struct compact_file *file, const struct timeline *timeline, struct error *err)
{
	struct timeline_position position = {0};

	while (timeline_next_payload(timeline, &position, &file->payload))
		if (put_payload(file, TIMELINE_CHUNK_TYPE, err) != 0)
			return -1;
	return 0;
}

int compact_file_copy_chunk(
	struct compact_file *file, const struct chunk_reader *reader, struct error *err)
{
	bytes_put(&file->out, reader->stored.items, reader->stored.count);
	file->chunk_count++;
	return drain(file, WRITE_SIZE, err);
}

int compact_file_commit(struct compact_file *file, struct error *err)
{
	file->payload.count = 0;
	bytes_put_number(&file->payload, file->chunk_count);
	if (put_payload(file, END_CHUNK_TYPE, err) != 0 || drain(file, 1, err) != 0)
		return -1;
	return new_file_commit(&file->file, err);
}

void compact_file_close(struct compact_file *file)
{
	new_file_close(&file->file);
	ZSTD_freeCCtx(file->packer);
	array_release(&file->out);
	array_release(&file->payload);
}
