#include "symbols/kernel_symbols.h"

#include "base/array.h"
#include "symbols/kernel_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

struct kernel_line {
	uint64_t address;
	const char *name;
	const char *module; /* NULL: none */
	char type;
};

/*
 * The functions as one text in order of address, which is searched as it is and kept on disk so:
 *
 *     "\n" "ffffffff81e00b40" " " "entry_SYSCALL_64" "\0" "" "\0"
 *     "\n" "ffffffffc0a2f000" " " "ext4_readdir"     "\0" "ext4" "\0"
 */
struct kernel_symbols {
	char *text;
	size_t size;
	bool is_mapped; /* the kept file, else allocated */
};

struct kernel_lines {
	ARRAY(struct kernel_line) items;
};

/* A file of /proc has no size: read until it ends. */
static char *read_text(const char *path, struct error *err)
{
	FILE *file = fopen(path, "re");
	ARRAY(char) text = {0};
	size_t got;

	if (!file) {
		error_set_errno(err, "cannot read the kernel's symbols from %s", path);
		return NULL;
	}
	do {
		array_reserve(&text, text.count + 65536);
		got = fread(text.items + text.count, 1, 65535, file);
		text.count += got;
	} while (got);
	if (ferror(file)) {
		error_set_errno(err, "cannot read the kernel's symbols from %s", path);
		array_release(&text);
	} else {
		text.items[text.count] = '\0';
	}
	fclose(file);
	return text.items;
}

/* Code, not data ('d', 'b', 'r'), nor absolute ('a': per-cpu offsets and sizes). */
static bool is_code(char type)
{
	return type && strchr("tTwWiu", type);
}

/* strtoull() minds locales and signs, and is called for each of 100,000 lines. */
static uint64_t parse_hexadecimal(char *text, char **rest)
{
	uint64_t value = 0;

	for (;; text++) {
		unsigned digit = (unsigned char)*text;

		if (digit - '0' < 10)
			digit -= '0';
		else if ((digit | 0x20) - 'a' < 6)
			digit = (digit | 0x20) - 'a' + 10;
		else
			break;
		value = value << 4 | digit;
	}
	*rest = text;
	return value;
}

/* Takes "ADDRESS TYPE NAME\t[MODULE]" apart in place. */
static bool parse_line(char *text, struct kernel_line *line)
{
	char *rest;

	line->address = parse_hexadecimal(text, &rest);
	if (rest == text || rest[0] != ' ' || !rest[1] || rest[2] != ' ')
		return false;
	line->type = rest[1];
	line->name = rest + 3;
	line->module = NULL;
	rest = strchr(rest + 3, '\t');
	if (rest) {
		*rest = '\0';
		if (rest[1] == '[') {
			line->module = rest + 2;
			rest[2 + strcspn(rest + 2, "]")] = '\0';
		}
	}
	return *line->name;
}

static int rank(char type)
{
	return type == 'T' ? 0 : type == 'W' || type == 'w' ? 1 : 2;
}

/* By address; there the global one first, then the weak one, then the name with fewer underscores.
 */
static int compare_lines(const void *left, const void *right)
{
	const struct kernel_line *a = left, *b = right;
	size_t a_underscores, b_underscores;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (rank(a->type) != rank(b->type))
		return rank(a->type) - rank(b->type);
	a_underscores = strspn(a->name, "_");
	b_underscores = strspn(b->name, "_");
	if (a_underscores != b_underscores)
		return a_underscores < b_underscores ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool is_sorted(const struct kernel_lines *lines)
{
	for (size_t i = 1; i < lines->items.count; i++)
		if (lines->items.items[i - 1].address >= lines->items.items[i].address)
			return false;
	return true;
}

static void keep_preferred(struct kernel_lines *lines)
{
	size_t kept = 0;

	if (!is_sorted(lines))
		qsort(lines->items.items, lines->items.count, sizeof(struct kernel_line),
			compare_lines);
	for (size_t i = 0; i < lines->items.count; i++) {
		const struct kernel_line *line = &lines->items.items[i];

		if (!kept || lines->items.items[kept - 1].address != line->address)
			lines->items.items[kept++] = *line;
	}
	lines->items.count = kept;
}

/* The functions that a text like /proc/kallsyms names; *hidden: how many lines had no address. */
static void parse_text(char *text, struct kernel_lines *lines, size_t *hidden)
{
	char *next;

	*hidden = 0;
	for (char *line = text; *line; line = next) {
		struct kernel_line parsed;
		char *end = strchrnul(line, '\n');

		next = *end ? end + 1 : end;
		*end = '\0';
		if (!parse_line(line, &parsed))
			continue;
		if (!parsed.address)
			++*hidden;
		else if (is_code(parsed.type))
			*array_add(&lines->items) = parsed;
	}
	keep_preferred(lines);
}

static struct kernel_symbols *from_lines(const struct kernel_lines *lines)
{
	struct kernel_symbols *symbols = alloc_zeroed(1, sizeof(*symbols));
	FILE *out = open_memstream(&symbols->text, &symbols->size);

	if (!out)
		abort();
	for (size_t i = 0; i < lines->items.count; i++) {
		const struct kernel_line *line = &lines->items.items[i];

		fprintf(out, "\n%016llx %s%c%s%c", (unsigned long long)line->address, line->name, 0,
			line->module ? line->module : "", 0);
	}
	fclose(out);
	return symbols;
}

static struct kernel_symbols *open_text(const char *path, struct error *err)
{
	struct kernel_symbols *symbols = NULL;
	struct kernel_lines lines = {0};
	char *text = read_text(path, err);
	size_t hidden;

	if (!text)
		return NULL;
	parse_text(text, &lines, &hidden);
	if (lines.items.count)
		symbols = from_lines(&lines);
	else
		error_set(err,
			hidden ? "%s hides the kernel's addresses: run cprof as root, or `sudo "
				 "sysctl kernel.kptr_restrict=0`"
			       : "%s names no function of the kernel",
			path);
	array_release(&lines.items);
	free(text);
	return symbols;
}

static struct kernel_symbols *open_kept(const char *path)
{
	struct kernel_symbols *symbols;
	size_t size;
	char *text = kernel_cache_map(path, &size);

	if (!text)
		return NULL;
	if (text[0] != '\n' || text[size - 1] != '\0') {
		kernel_cache_unmap(text, size);
		return NULL;
	}
	symbols = alloc_zeroed(1, sizeof(*symbols));
	*symbols = (struct kernel_symbols){.text = text, .size = size, .is_mapped = true};
	return symbols;
}

static struct kernel_symbols *open_running_kernel(struct error *err)
{
	char *path = kernel_cache_path();
	struct kernel_symbols *symbols = path ? open_kept(path) : NULL;

	if (!symbols) {
		symbols = open_text("/proc/kallsyms", err);
		if (symbols && path)
			kernel_cache_write(path, symbols->text, symbols->size);
	}
	free(path);
	return symbols;
}

struct kernel_symbols *kernel_symbols_open(const char *path, struct error *err)
{
	return path ? open_text(path, err) : open_running_kernel(err);
}

void kernel_symbols_close(struct kernel_symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->is_mapped)
		kernel_cache_unmap(symbols->text, symbols->size);
	else
		free(symbols->text);
	free(symbols);
}

/* One function of the text. `at` is its newline; the text ends in a zero byte. */
struct entry {
	size_t at, next; /* next: the following one's newline, or the text's size */
	uint64_t address;
	const char *name, *module;
};

static struct entry entry_at(const struct kernel_symbols *symbols, size_t at)
{
	const char *end = symbols->text + symbols->size;
	char *rest;
	struct entry entry = {.at = at};

	entry.address = parse_hexadecimal(symbols->text + at + 1, &rest);
	entry.name = rest + (*rest == ' ');
	entry.module = entry.name + strlen(entry.name) + 1;
	if (entry.module >= end)
		entry.module = end - 1;
	entry.next = (size_t)(entry.module + strlen(entry.module) + 1 - symbols->text);
	if (entry.next < symbols->size && symbols->text[entry.next] != '\n')
		entry.next = symbols->size; /* not what we wrote: the rest is left alone */
	return entry;
}

/* The last function at or below the address; false: it lies below all of them. */
static bool entry_before(
	const struct kernel_symbols *symbols, uint64_t address, struct entry *found)
{
	size_t low = 0, high = symbols->size; /* the newline sought lies in [low, high) */

	*found = entry_at(symbols, 0);
	if (found->address > address)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *newline = memrchr(symbols->text + low, '\n', middle - low + 1);
		struct entry entry;

		if (!newline)
			break;
		entry = entry_at(symbols, newline - symbols->text);
		if (entry.address > address) {
			high = entry.at;
			continue;
		}
		*found = entry;
		low = entry.next;
	}
	return true;
}

bool kernel_symbols_resolve(
	const struct kernel_symbols *symbols, uint64_t address, struct kernel_symbol *symbol)
{
	struct entry entry;
	bool is_last;

	if (!entry_before(symbols, address, &entry))
		return false;
	is_last = entry.next >= symbols->size ||
		  strcmp(entry_at(symbols, entry.next).module, entry.module) != 0;
	if (is_last && address > (entry.address | (PAGE - 1)))
		return false;
	*symbol = (struct kernel_symbol){
		entry.name, *entry.module ? entry.module : NULL, entry.address};
	return true;
}
