/*
 * Profiles: tables and timeline as they are loaded and repaired, and every view of what loads.
 *
 * Chunks have checksums, and their payloads are packed. So the mutator takes one chunk, changes it
 * before it was packed, or its place among the others, and gives it the right checksum.
 */
#include "model/chunk.h"
#include "model/profile_file.h"
#include "viz/exporter.h"

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>

#define CHUNKS_MAX  256
#define PAYLOAD_MAX (1u << 20)

/* --- mutating ----------------------------------------------------------------------------------
 */

struct chunk {
	size_t at, size; /* of header and payload */
};

static uint32_t get_u32(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static void put_u32(uint8_t *at, uint32_t number)
{
	memcpy(at, &number, sizeof(number));
}

static size_t find_chunks(const uint8_t *data, size_t size, struct chunk chunks[CHUNKS_MAX])
{
	size_t count = 0, at = CHUNK_FILE_HEADER_SIZE;

	while (count < CHUNKS_MAX && at < size && size - at >= CHUNK_HEADER_SIZE) {
		size_t length = CHUNK_HEADER_SIZE + (size_t)get_u32(data + at + 4);

		if (length > size - at)
			break;
		chunks[count++] = (struct chunk){at, length};
		at += length;
	}
	return count;
}

static void set_checksum(uint8_t *chunk)
{
	uint64_t sum = XXH3_64bits_withSeed(
		chunk + CHUNK_HEADER_SIZE, get_u32(chunk + 4), XXH3_64bits(chunk, 12));

	memcpy(chunk + 12, &sum, sizeof(sum));
}

/* Puts `length` bytes in the place of `chunk`; returns the file's size. */
static size_t replace(uint8_t *data, size_t size, size_t max, struct chunk chunk,
	const uint8_t *bytes, size_t length)
{
	size_t behind = size - chunk.at - chunk.size;

	if (length > max - chunk.at || behind > max - chunk.at - length)
		return size;
	memmove(data + chunk.at + length, data + chunk.at + chunk.size, behind);
	memcpy(data + chunk.at, bytes, length);
	return chunk.at + length + behind;
}

/* The payload changed, and stored unpacked or packed again. */
static size_t change_payload(
	uint8_t *data, size_t size, size_t max, struct chunk chunk, uint64_t *random)
{
	const uint8_t *stored = data + chunk.at + CHUNK_HEADER_SIZE;
	size_t stored_length = get_u32(data + chunk.at + 4), raw = get_u32(data + chunk.at + 8);
	uint8_t *bytes = alloc_bytes(CHUNK_HEADER_SIZE + PAYLOAD_MAX),
		*payload = bytes + CHUNK_HEADER_SIZE;
	size_t length = stored_length;

	memcpy(bytes, data + chunk.at, CHUNK_HEADER_SIZE);
	if (stored_length == raw && raw <= PAYLOAD_MAX)
		memcpy(payload, stored, raw);
	else
		length = ZSTD_decompress(payload, PAYLOAD_MAX, stored, stored_length);
	if (ZSTD_isError(length)) {
		free(bytes);
		return size;
	}
	length = LLVMFuzzerMutate(payload, length, PAYLOAD_MAX);
	put_u32(bytes + 8, (uint32_t)length);
	if (fuzz_random(random, 4) == 0) {
		uint8_t *copy = alloc_bytes(length + 1);
		size_t packed;

		memcpy(copy, payload, length);
		packed = ZSTD_compress(payload, PAYLOAD_MAX, copy, length, 1);
		if (!ZSTD_isError(packed) && packed < length)
			length = packed;
		else
			memcpy(payload, copy, length);
		free(copy);
	}
	put_u32(bytes + 4, (uint32_t)length);
	set_checksum(bytes);
	size = replace(data, size, max, chunk, bytes, CHUNK_HEADER_SIZE + length);
	free(bytes);
	return size;
}

/* The frame as zstd sees it, or one of the lengths. */
static void change_stored(uint8_t *data, struct chunk chunk, uint64_t *random)
{
	uint8_t *header = data + chunk.at;
	size_t length = get_u32(header + 4), window = length < 32 ? length : 32, at;

	if (fuzz_random(random, 4) == 0) {
		LLVMFuzzerMutate(header + 8, 4, 4);
	} else if (window) {
		at = fuzz_random(random, length - window + 1);
		LLVMFuzzerMutate(header + CHUNK_HEADER_SIZE + at, window, window);
	}
	set_checksum(header);
}

/* One chunk less, twice, in another's place, or of another type. */
static size_t move_chunks(uint8_t *data, size_t size, size_t max, const struct chunk *chunks,
	size_t count, uint64_t *random)
{
	struct chunk chunk = chunks[fuzz_random(random, count)];
	struct chunk other = chunks[fuzz_random(random, count)];
	uint8_t *copy = alloc_bytes(other.size);

	memcpy(copy, data + other.at, other.size);
	switch (fuzz_random(random, 4)) {
	case 0:
		size = replace(data, size, max, chunk, copy, 0);
		break;
	case 1:
		size = replace(data, size, max, (struct chunk){chunk.at, 0}, copy, other.size);
		break;
	case 2:
		size = replace(data, size, max, chunk, copy, other.size);
		break;
	default:
		memcpy(data + chunk.at, copy, 4);
		set_checksum(data + chunk.at);
	}
	free(copy);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct chunk chunks[CHUNKS_MAX];
	uint64_t random = seed;
	size_t times = 1 + fuzz_random(&random, 3);

	for (size_t i = 0; i < times; i++) {
		size_t count = find_chunks(data, size, chunks);
		uint64_t kind = fuzz_random(&random, 16);

		if (kind == 0 || !count)
			return LLVMFuzzerMutate(data, size, max);
		if (kind < 11)
			size = change_payload(
				data, size, max, chunks[fuzz_random(&random, count)], &random);
		else if (kind < 13)
			change_stored(data, chunks[fuzz_random(&random, count)], &random);
		else
			size = move_chunks(data, size, max, chunks, count, &random);
	}
	return size;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static int visit(void *context, const struct timeline_record *record)
{
	uint64_t *sum = context;

	*sum += record->value[0];
	return 0;
}

static void show(const struct profile *profile)
{
	static const enum view_by by[] = {VIEW_BY_FUNCTION, VIEW_BY_LINE, VIEW_BY_MODULE,
		VIEW_BY_THREAD, VIEW_BY_PROCESS, VIEW_BY_STACK};
	const struct profile *const profiles[] = {profile, profile};
	struct view_options options = view_options_default();
	FILE *out = fopen("/dev/null", "w");

	options.source_name = "seed.prof";
	for (size_t i = 0; exporters[i]; i++)
		exporters[i]->write(profiles, strcmp(exporters[i]->name, "diff") == 0 ? 2 : 1,
			&options, out, NULL);
	for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
		options.selection.by = by[i];
		exporter_find("table", NULL)->write(profiles, 1, &options, out, NULL);
	}
	fclose(out);
}

/* Reading is never stopped by what a repaired file holds. */
static void repair(const char *path)
{
	char out[64];
	struct profile profile;
	struct error err;

	snprintf(out, sizeof(out), "/dev/shm/cprof-fuzz-%d", (int)getpid());
	if (profile_repair(path, out, NULL, NULL, NULL, &err) == 0) {
		if (profile_load(&profile, out, false, NULL, &err) != 0) {
			fprintf(stderr, "what was repaired is %s\n", err.text);
			abort();
		}
		profile_release(&profile);
	}
	unlink(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_file file;
	struct profile_load_report report;
	struct profile profile;
	struct error err;
	uint64_t sum = 0;

	fuzz_file_set(&file, data, size);
	if (profile_load(&profile, file.path, true, &report, &err) == 0) {
		show(&profile);
		repair(file.path);
	}
	profile_release(&profile);
	profile_visit_timeline(file.path, visit, &sum, &err);
	return 0;
}
