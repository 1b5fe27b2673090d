#include "jit/jit_symbols.h"

/* Lines of one piece of code, and of all together; what comes then is left out. */
#define CODE_LINES_MAX (1u << 16)
#define LINES_MAX      (8u << 20)

void jit_symbols_release(struct jit_symbols *symbols)
{
	array_release(&symbols->codes);
	array_release(&symbols->lines);
	array_release(&symbols->texts);
	code_map_release(&symbols->map);
}

#define copy_array(to, from)                                                                      \
	do {                                                                                      \
		array_reserve(to, (from)->count);                                                 \
		(to)->count = (from)->count;                                                      \
		if ((from)->count)                                                                \
			memcpy((to)->items, (from)->items, (from)->count * sizeof(*(to)->items)); \
	} while (0)

void jit_symbols_copy(struct jit_symbols *to, const struct jit_symbols *from)
{
	copy_array(&to->codes, &from->codes);
	copy_array(&to->lines, &from->lines);
	copy_array(&to->texts, &from->texts);
	code_map_copy(&to->map, &from->map);
}

static size_t add_text(struct jit_symbols *symbols, const char *text, size_t length)
{
	size_t offset = symbols->texts.count;

	bytes_put(&symbols->texts, text, length);
	bytes_put(&symbols->texts, "", 1);
	return offset;
}

static void add_code(struct jit_symbols *symbols, uint64_t start, uint64_t size, const char *name,
	size_t name_length)
{
	struct jit_code code = {.start = start};

	if (symbols->codes.count >= JIT_CODES_MAX)
		return;
	code.name = add_text(symbols, name, name_length);
	if (symbols->lines_count && symbols->lines_address == start) {
		code.first_line = symbols->lines_first;
		code.line_count = symbols->lines_count;
	}
	symbols->lines_count = 0;
	*array_add(&symbols->codes) = code;
	code_map_put(&symbols->map, start, start + size, symbols->codes.count);
}

void jit_symbols_add(struct jit_symbols *symbols, const struct perf_map_line *line)
{
	add_code(symbols, line->start, line->size, line->name, line->name_length);
}

static void load(struct jit_symbols *symbols, const struct jitdump_record *record)
{
	add_code(symbols, record->address, record->size, record->name,
		strnlen(record->name, JITDUMP_NAME_MAX));
}

/* Only what is still there can move: its place may have been used again. */
static void move(struct jit_symbols *symbols, const struct jitdump_record *record)
{
	uint32_t number = code_map_find(&symbols->map, record->old_address);

	if (!number || symbols->codes.items[number - 1].start != record->old_address)
		return;
	code_map_put(&symbols->map, record->old_address, record->old_address + record->size, 0);
	symbols->codes.items[number - 1].start = record->address;
	code_map_put(&symbols->map, record->address, record->address + record->size, number);
}

/* Most lines are of the same file as the line before. */
static size_t file_text(struct jit_symbols *symbols, const char *file)
{
	size_t count = symbols->lines.count,
	       last = count ? symbols->lines.items[count - 1].file : 0;

	if (count && !strncmp((const char *)symbols->texts.items + last, file, JITDUMP_NAME_MAX))
		return last;
	return add_text(symbols, file, strnlen(file, JITDUMP_NAME_MAX));
}

static void keep_lines(struct jit_symbols *symbols, const struct jitdump_record *record)
{
	struct jitdump_lines lines = record->lines;
	struct jitdump_line line;

	symbols->lines_address = record->address;
	symbols->lines_first = symbols->lines.count;
	while (symbols->lines.count < LINES_MAX &&
		symbols->lines.count - symbols->lines_first < CODE_LINES_MAX &&
		jitdump_next_line(&lines, &line)) {
		size_t file = file_text(symbols, line.file);

		*array_add(&symbols->lines) =
			(struct jit_line){line.address - record->address, file, line.line};
	}
	symbols->lines_count = symbols->lines.count - symbols->lines_first;
}

void jit_symbols_apply(struct jit_symbols *symbols, const struct jitdump_record *record)
{
	static void (*const actions[])(struct jit_symbols *, const struct jitdump_record *) = {
		[JITDUMP_LOAD] = load, [JITDUMP_MOVE] = move, [JITDUMP_DEBUG] = keep_lines};

	if (record->kind <= JITDUMP_DEBUG)
		actions[record->kind](symbols, record);
}

/* The line with the highest offset that is not above; programs need not write them in order. */
static const struct jit_line *line_at(
	const struct jit_symbols *symbols, const struct jit_code *code, uint64_t offset)
{
	const struct jit_line *best = NULL;

	for (uint32_t i = 0; i < code->line_count; i++) {
		const struct jit_line *line = &symbols->lines.items[code->first_line + i];

		if (line->offset <= offset && (!best || line->offset >= best->offset))
			best = line;
	}
	return best;
}

bool jit_symbols_find(
	const struct jit_symbols *symbols, uint64_t address, struct jit_symbol *symbol)
{
	uint32_t number = code_map_find(&symbols->map, address);
	const char *texts = (const char *)symbols->texts.items;
	const struct jit_code *code;
	const struct jit_line *line;

	if (!number)
		return false;
	code = &symbols->codes.items[number - 1];
	line = line_at(symbols, code, address - code->start);
	*symbol = (struct jit_symbol){.name = texts + code->name, .start = code->start};
	if (line && texts[line->file]) {
		symbol->file = texts + line->file;
		symbol->line = line->line;
	}
	return true;
}
