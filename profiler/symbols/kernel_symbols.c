#include "symbols/kernel_symbols.h"

#include "base/array.h"

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

/* Takes "ADDRESS TYPE NAME\t[MODULE]" apart in place. */
static bool parse_line(char *text, struct kernel_line *line)
{
	char *rest;

	line->address = strtoull(text, &rest, 16);
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

static void keep_preferred(struct kernel_symbols *symbols)
{
	size_t kept = 0;

	if (symbols->lines.count)
		qsort(symbols->lines.items, symbols->lines.count, sizeof(struct kernel_line),
			compare_lines);
	for (size_t i = 0; i < symbols->lines.count; i++) {
		const struct kernel_line *line = &symbols->lines.items[i];

		if (!kept || symbols->lines.items[kept - 1].address != line->address)
			symbols->lines.items[kept++] = *line;
	}
	symbols->lines.count = kept;
}

struct kernel_symbols *kernel_symbols_open(const char *path, struct error *err)
{
	struct kernel_symbols *symbols;
	char *text, *rest = NULL;
	size_t hidden = 0;

	if (!path)
		path = "/proc/kallsyms";
	text = read_text(path, err);
	if (!text)
		return NULL;
	symbols = alloc_zeroed(1, sizeof(*symbols));
	symbols->text = text;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct kernel_line parsed;

		if (!parse_line(line, &parsed))
			continue;
		if (!parsed.address)
			hidden++;
		else if (is_code(parsed.type))
			*array_add(&symbols->lines) = parsed;
	}
	if (!symbols->lines.count) {
		error_set(err,
			hidden ? "%s hides the kernel's addresses: run cprof as root, or `sudo "
				 "sysctl kernel.kptr_restrict=0`"
			       : "%s names no function of the kernel",
			path);
		kernel_symbols_close(symbols);
		return NULL;
	}
	keep_preferred(symbols);
	return symbols;
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
