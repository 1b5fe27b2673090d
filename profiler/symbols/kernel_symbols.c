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

struct kernel_symbols {
	char *text; /* the whole file; names lie in it */
	ARRAY(struct kernel_line) lines;
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

static bool is_sorted(const struct kernel_symbols *symbols)
{
	for (size_t i = 1; i < symbols->lines.count; i++)
		if (symbols->lines.items[i - 1].address >= symbols->lines.items[i].address)
			return false;
	return true;
}

static void keep_preferred(struct kernel_symbols *symbols)
{
	size_t kept = 0;

	if (!is_sorted(symbols))
		qsort(symbols->lines.items, symbols->lines.count, sizeof(struct kernel_line),
			compare_lines);
	for (size_t i = 0; i < symbols->lines.count; i++) {
		const struct kernel_line *line = &symbols->lines.items[i];

		if (!kept || symbols->lines.items[kept - 1].address != line->address)
			symbols->lines.items[kept++] = *line;
	}
	symbols->lines.count = kept;
}

/* Takes the text over. NULL: it names no function; *hidden says how many lines had no address. */
static struct kernel_symbols *parse_text(char *text, size_t *hidden)
{
	struct kernel_symbols *symbols = alloc_zeroed(1, sizeof(*symbols));
	char *next;

	*hidden = 0;
	symbols->text = text;
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
			*array_add(&symbols->lines) = parsed;
	}
	if (symbols->lines.count) {
		keep_preferred(symbols);
		return symbols;
	}
	kernel_symbols_close(symbols);
	return NULL;
}

static struct kernel_symbols *open_text(const char *path, struct error *err)
{
	struct kernel_symbols *symbols;
	char *text = read_text(path, err);
	size_t hidden;

	if (!text)
		return NULL;
	symbols = parse_text(text, &hidden);
	if (!symbols)
		error_set(err,
			hidden ? "%s hides the kernel's addresses: run cprof as root, or `sudo "
				 "sysctl kernel.kptr_restrict=0`"
			       : "%s names no function of the kernel",
			path);
	return symbols;
}

static void write_cache(const struct kernel_symbols *symbols, const char *path)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	for (size_t i = 0; i < symbols->lines.count; i++) {
		const struct kernel_line *line = &symbols->lines.items[i];

		fprintf(out, "%llx %c %s%s%s%s\n", (unsigned long long)line->address, line->type,
			line->name, line->module ? "\t[" : "", line->module ? line->module : "",
			line->module ? "]" : "");
	}
	if (fclose(out) == 0)
		kernel_cache_write(path, text);
	free(text);
}

static struct kernel_symbols *open_running_kernel(struct error *err)
{
	char *path = kernel_cache_path(), *text = path ? kernel_cache_read(path) : NULL;
	struct kernel_symbols *symbols = NULL;
	size_t hidden;

	if (text)
		symbols = parse_text(text, &hidden);
	if (!symbols) {
		symbols = open_text("/proc/kallsyms", err);
		if (symbols && path)
			write_cache(symbols, path);
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
	array_release(&symbols->lines);
	free(symbols->text);
	free(symbols);
}

static bool same_module(const struct kernel_line *a, const struct kernel_line *b)
{
	return a->module == b->module || (a->module && b->module && !strcmp(a->module, b->module));
}

/* The line at or before the address; NULL: it lies below all of them. */
static const struct kernel_line *line_before(const struct kernel_symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->lines.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->lines.items[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols->lines.items[low - 1] : NULL;
}

bool kernel_symbols_resolve(
	const struct kernel_symbols *symbols, uint64_t address, struct kernel_symbol *symbol)
{
	const struct kernel_line *line = line_before(symbols, address);
	const struct kernel_line *end = symbols->lines.items + symbols->lines.count;

	if (!line)
		return false;
	if ((line + 1 == end || !same_module(line, line + 1)) &&
		address > (line->address | (PAGE - 1)))
		return false;
	*symbol = (struct kernel_symbol){line->name, line->module, line->address};
	return true;
}
