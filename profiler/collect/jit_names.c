#include "collect/jit_names.h"

#include "base/clock.h"
#include "collect/growing_file.h"
#include "collect/process_file.h"
#include "jit/jit_symbols.h"

#include <stdio.h>
#include <string.h>

/* How often the files are looked at. */
#define LOOK_EVERY_NS 20000000u

/* A map's line is no longer than this; more is skipped up to the next line feed. */
#define LINE_MAX_BYTES (64u << 10)

/* What is read of a map at a time, and altogether: nobody's program has more to tell. */
#define LOOK_BYTES (16u << 20)
#define MAP_BYTES  (1u << 30)

/* More of each for one process are left alone. */
#define DUMPS_MAX	16
#define GENERATIONS_MAX 64

struct dump {
	struct growing_file file;
	bool has_header, is_over;
	bool has_times; /* else its records hold from when they are read */
};

struct waiting {
	frame_id frame;
	uint64_t time_ns; /* of its first sample */
};

struct jit_names {
	struct process_view view;
	ARRAY(module_id) modules; /* one per generation */
	struct jit_symbols symbols;
	struct growing_file map;
	ARRAY(struct dump) dumps;
	ARRAY(struct waiting) waiting; /* by time */
	uint64_t looked_ns;
};

struct jit_names *jit_names_new(uint32_t pid)
{
	struct jit_names *names = alloc_zeroed(1, sizeof(*names));

	names->view = process_view_of(pid);
	growing_file_init(&names->map, -1);
	return names;
}

struct jit_names *jit_names_copy(const struct jit_names *from, uint32_t pid)
{
	struct jit_names *names = jit_names_new(pid);

	jit_symbols_copy(&names->symbols, &from->symbols);
	return names;
}

void jit_names_free(struct jit_names *names)
{
	if (!names)
		return;
	growing_file_release(&names->map);
	for (size_t i = 0; i < names->dumps.count; i++)
		growing_file_release(&names->dumps.items[i].file);
	array_release(&names->dumps);
	array_release(&names->modules);
	array_release(&names->waiting);
	jit_symbols_release(&names->symbols);
	free(names);
}

/* --- the perf map ----------------------------------------------------------------------------- */

static void open_map(struct jit_names *names)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", names->view.inner_pid);
	growing_file_init(&names->map, process_file_open(&names->view, path));
}

static void take_lines(struct jit_names *names)
{
	struct growing_file *map = &names->map;
	const char *start = (const char *)map->bytes.items, *at = start + map->taken;
	struct perf_map_line line;

	while (perf_map_next(&at, start + map->bytes.count, &line))
		jit_symbols_add(&names->symbols, &line);
	map->taken = at - start;
	if (map->bytes.count - map->taken > LINE_MAX_BYTES)
		map->taken = map->bytes.count;
}

static void read_map(struct jit_names *names)
{
	uint64_t limit;

	if (names->map.fd >= 0 && growing_file_was_replaced(&names->map)) {
		while (names->map.offset < MAP_BYTES && growing_file_read(&names->map, 1))
			take_lines(names);
		growing_file_release(&names->map);
	}
	if (names->map.fd < 0)
		open_map(names);
	limit = names->map.offset + LOOK_BYTES;
	if (limit > MAP_BYTES)
		limit = MAP_BYTES;
	while (names->map.offset < limit && growing_file_read(&names->map, 1))
		take_lines(names);
}

/* --- jitdumps --------------------------------------------------------------------------------- */

bool jit_names_is_dump(const char *path)
{
	const char *slash = strrchr(path, '/');
	unsigned pid;
	int end = 0;

	return slash && sscanf(slash, "/jit-%u.dump%n", &pid, &end) == 1 && end && !slash[end];
}

void jit_names_add_dump(struct jit_names *names, const char *path)
{
	struct dump dump = {0};
	int fd;

	if (names->dumps.count >= DUMPS_MAX)
		return;
	fd = process_file_open(&names->view, path);
	if (fd < 0)
		return;
	growing_file_init(&dump.file, fd);
	*array_add(&names->dumps) = dump;
}

/* False: the header is not there yet, or what is there is none. */
static bool read_dump_header(struct dump *dump)
{
	struct jitdump_header header;
	enum jitdump_state state;

	do
		state = jitdump_header_read(
			dump->file.bytes.items, dump->file.bytes.count, &header);
	while (state == JITDUMP_NEEDS_MORE && growing_file_read(&dump->file, 1));
	dump->is_over = state == JITDUMP_DAMAGED;
	if (state != JITDUMP_READ)
		return false;
	while (dump->file.bytes.count < header.size)
		if (!growing_file_read(&dump->file, header.size))
			return false;
	dump->file.taken = header.size;
	dump->has_times = !header.has_foreign_times;
	dump->has_header = true;
	return true;
}

/* The record at hand and the place behind it; more is read only when `more` says so. */
static bool next_record(struct dump *dump, bool more, struct jitdump_record *record, size_t *behind)
{
	const uint8_t *at;
	enum jitdump_state state;
	size_t wanted;

	do {
		at = dump->file.bytes.items + dump->file.taken;
		state = jitdump_next(
			&at, dump->file.bytes.items + dump->file.bytes.count, record, &wanted);
	} while (state == JITDUMP_NEEDS_MORE && more && growing_file_read(&dump->file, wanted));
	dump->is_over = state == JITDUMP_DAMAGED;
	*behind = at - dump->file.bytes.items;
	return state == JITDUMP_READ;
}

/* Applies what the dump tells of the time up to time_ns. */
static void advance_dump(struct jit_names *names, struct dump *dump, uint64_t time_ns, bool more)
{
	struct jitdump_record record;
	size_t behind;

	if (dump->is_over || (!dump->has_header && (!more || !read_dump_header(dump))))
		return;
	while (next_record(dump, more, &record, &behind)) {
		if (dump->has_times && record.time_ns > time_ns)
			break;
		jit_symbols_apply(&names->symbols, &record);
		dump->file.taken = behind;
	}
}

static void advance_dumps(struct jit_names *names, uint64_t time_ns, bool more)
{
	for (size_t i = 0; i < names->dumps.count; i++)
		advance_dump(names, &names->dumps.items[i], time_ns, more);
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Modules of processes whose pid was used before must differ too. */
static module_id new_module(struct jit_names *names, struct profile *profile)
{
	char path[64];
	unsigned count = 1;
	module_id module;
	size_t before;

	snprintf(path, sizeof(path), "[jit:%u]", names->view.pid);
	do {
		before = profile->modules.items.count;
		module = modules_intern(
			&profile->modules, &profile->strings, path, MODULE_JIT, NULL);
		snprintf(path, sizeof(path), "[jit:%u]/%u", names->view.pid, ++count);
	} while (profile->modules.items.count == before);
	modules_at(&profile->modules, module)->name = strings_intern(&profile->strings, "[jit]");
	return module;
}

static frame_id frame_at(
	struct jit_names *names, struct profile *profile, size_t generation, uint64_t ip)
{
	if (generation >= names->modules.count)
		*array_add(&names->modules) = new_module(names, profile);
	return frames_intern(&profile->frames, names->modules.items[generation], ip);
}

static function_id function_of(struct profile *profile, const char *name)
{
	struct function function = {.name = strings_intern(&profile->strings, name),
		.module = modules_intern(
			&profile->modules, &profile->strings, "[jit]", MODULE_JIT, NULL)};

	return functions_intern(&profile->frames, &function);
}

static void name_frame(struct profile *profile, frame_id frame, const struct jit_symbol *symbol)
{
	struct line line = {.function = function_of(profile, symbol->name),
		.file = symbol->file ? strings_intern(&profile->strings, symbol->file) : 0,
		.line = symbol->line};

	frames_name(&profile->frames, frame, &line, 1);
}

/* Those whose code is told now get their names; with at_last set, the others too. */
static void name_waiting(struct jit_names *names, struct profile *profile, bool at_last)
{
	static const struct jit_symbol unknown = {.name = "[jit]"};
	size_t kept = 0;

	for (size_t i = 0; i < names->waiting.count; i++) {
		struct waiting waiting = names->waiting.items[i];
		uint64_t ip = frames_at(&profile->frames, waiting.frame)->file_addr;
		struct jit_symbol symbol;

		if (frames_at(&profile->frames, waiting.frame)->line_count)
			continue; /* a later sample knew */
		advance_dumps(names, waiting.time_ns, true);
		if (jit_symbols_find(&names->symbols, ip, &symbol))
			name_frame(profile, waiting.frame, &symbol);
		else if (at_last)
			name_frame(profile, waiting.frame, &unknown);
		else
			names->waiting.items[kept++] = waiting;
	}
	names->waiting.count = kept;
}

/* What the program had told by the time of this sample. */
static void look(struct jit_names *names, struct profile *profile, uint64_t time_ns)
{
	uint64_t now_ns = clock_now_ns();

	if (time_ns > names->looked_ns && now_ns - names->looked_ns >= LOOK_EVERY_NS) {
		names->looked_ns = now_ns;
		read_map(names);
		name_waiting(names, profile, false);
		advance_dumps(names, time_ns, true);
	} else
		advance_dumps(names, time_ns, false);
}

static frame_id unnamed_frame(
	struct jit_names *names, struct profile *profile, uint64_t ip, uint64_t time_ns)
{
	size_t before = profile->frames.items.count;
	frame_id frame = frame_at(names, profile, 0, ip);

	if (profile->frames.items.count > before)
		*array_add(&names->waiting) = (struct waiting){frame, time_ns};
	return frame;
}

static frame_id named_frame(struct jit_names *names, struct profile *profile, uint64_t ip,
	const struct jit_symbol *symbol)
{
	function_id function = function_of(profile, symbol->name);
	frame_id frame = 0;

	for (size_t i = 0; i < GENERATIONS_MAX; i++) {
		const struct line *lines;
		size_t count;

		frame = frame_at(names, profile, i, ip);
		lines = frames_lines(&profile->frames, frame, &count);
		if (count && lines[0].function == function)
			return frame;
		if (!count) {
			name_frame(profile, frame, symbol);
			return frame;
		}
	}
	return frame;
}

frame_id jit_names_frame(
	struct jit_names *names, struct profile *profile, uint64_t ip, uint64_t time_ns)
{
	struct jit_symbol symbol;

	look(names, profile, time_ns);
	return jit_symbols_find(&names->symbols, ip, &symbol)
		       ? named_frame(names, profile, ip, &symbol)
		       : unnamed_frame(names, profile, ip, time_ns);
}

bool jit_names_know(struct jit_names *names, struct profile *profile, uint64_t ip, uint64_t time_ns)
{
	struct jit_symbol symbol;

	look(names, profile, time_ns);
	return jit_symbols_find(&names->symbols, ip, &symbol);
}

void jit_names_finish(struct jit_names *names, struct profile *profile)
{
	if (!names->waiting.count)
		return;
	read_map(names);
	name_waiting(names, profile, false);
	advance_dumps(names, UINT64_MAX, true);
	name_waiting(names, profile, true);
}
