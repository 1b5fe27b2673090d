#include "jit/jitdump.h"

#include <string.h>

#define MAGIC		0x4a695444u
#define FLAG_ARCH_TIMES 1u

struct file_header {
	uint32_t magic, version, size, machine, reserved, pid;
	uint64_t time, flags;
};

struct record_header {
	uint32_t id, size;
	uint64_t time;
};

struct load_body {
	uint32_t pid, tid;
	uint64_t vma, address, size, index;
};

struct move_body {
	uint32_t pid, tid;
	uint64_t vma, old_address, address, size, index;
};

struct debug_body {
	uint64_t address, count;
};

struct debug_entry { /* its name follows */
	uint64_t address;
	uint32_t line, discriminator;
};

enum jitdump_state jitdump_header_read(
	const uint8_t *bytes, size_t length, struct jitdump_header *header)
{
	struct file_header raw;

	if (length < sizeof(raw))
		return JITDUMP_NEEDS_MORE;
	memcpy(&raw, bytes, sizeof(raw));
	if (raw.magic != MAGIC || raw.version != 1 || raw.size < sizeof(raw) ||
		raw.size > JITDUMP_RECORD_MAX)
		return JITDUMP_DAMAGED;
	*header = (struct jitdump_header){.size = raw.size,
		.pid = raw.pid,
		.time_ns = raw.time,
		.has_foreign_times = raw.flags & FLAG_ARCH_TIMES};
	return JITDUMP_READ;
}

/* A record's fixed part, copied: nothing says that it is aligned. */
static bool take(const uint8_t **at, const uint8_t *end, void *body, size_t size)
{
	if ((size_t)(end - *at) < size)
		return false;
	memcpy(body, *at, size);
	*at += size;
	return true;
}

static bool is_range(uint64_t address, uint64_t size)
{
	return size && address + size > address;
}

static bool read_load(const uint8_t *at, const uint8_t *end, struct jitdump_record *record)
{
	struct load_body body;

	if (!take(&at, end, &body, sizeof(body)) || !memchr(at, '\0', end - at))
		return false;
	record->address = body.address;
	record->size = body.size;
	record->index = body.index;
	record->name = (const char *)at;
	return true;
}

static bool read_move(const uint8_t *at, const uint8_t *end, struct jitdump_record *record)
{
	struct move_body body;

	if (!take(&at, end, &body, sizeof(body)))
		return false;
	record->address = body.address;
	record->old_address = body.old_address;
	record->size = body.size;
	record->index = body.index;
	return true;
}

static bool read_debug(const uint8_t *at, const uint8_t *end, struct jitdump_record *record)
{
	struct debug_body body;

	if (!take(&at, end, &body, sizeof(body)))
		return false;
	record->address = body.address;
	record->lines = (struct jitdump_lines){.at = at, .end = end, .left = body.count};
	return true;
}

/* A record of a known kind that tells nothing usable is passed over like one of a kind that is not
 * known. */
static void read_body(
	const uint8_t *at, const uint8_t *end, uint32_t id, struct jitdump_record *record)
{
	static bool (*const readers[])(const uint8_t *, const uint8_t *,
		struct jitdump_record *) = {[JITDUMP_LOAD] = read_load,
		[JITDUMP_MOVE] = read_move,
		[JITDUMP_DEBUG] = read_debug};

	record->kind = JITDUMP_OTHER;
	if (id == JITDUMP_CLOSE)
		record->kind = JITDUMP_CLOSE;
	else if (id < JITDUMP_CLOSE && readers[id](at, end, record) &&
		 (id == JITDUMP_DEBUG || is_range(record->address, record->size)))
		record->kind = id;
}

enum jitdump_state jitdump_next(
	const uint8_t **at, const uint8_t *end, struct jitdump_record *record, size_t *wanted)
{
	const uint8_t *start = *at, *body = *at;
	struct record_header raw;

	*wanted = sizeof(raw);
	if (!take(&body, end, &raw, sizeof(raw)))
		return JITDUMP_NEEDS_MORE;
	if (raw.size < sizeof(raw) || raw.size > JITDUMP_RECORD_MAX)
		return JITDUMP_DAMAGED;
	*wanted = raw.size;
	if ((size_t)(end - start) < raw.size)
		return JITDUMP_NEEDS_MORE;
	*record = (struct jitdump_record){.time_ns = raw.time};
	read_body(body, start + raw.size, raw.id, record);
	*at = start + raw.size;
	return JITDUMP_READ;
}

bool jitdump_next_line(struct jitdump_lines *lines, struct jitdump_line *line)
{
	/* In place of a name: the same as before. */
	static const char same[] = "\xff";
	struct debug_entry raw;
	const char *name, *nul;

	if (!lines->left || !take(&lines->at, lines->end, &raw, sizeof(raw)))
		return false;
	name = (const char *)lines->at;
	nul = memchr(name, '\0', lines->end - lines->at);
	if (!nul)
		return false;
	lines->at = (const uint8_t *)nul + 1;
	lines->left--;
	if (strcmp(name, same))
		lines->file = name;
	*line = (struct jitdump_line){
		.address = raw.address, .line = raw.line, .file = lines->file ? lines->file : ""};
	return true;
}
