#include "collect/proc_maps.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Hexadecimal digits, at most as many as 64 bits have, then `end`; moves behind that. */
static bool take_hex(char **at, char end, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	char *start = *at;

	for (*value = 0; **at && strchr(digits, **at); (*at)++) {
		if (*at - start == 16)
			return false;
		*value = *value << 4 | (uint64_t)(strchr(digits, **at) - digits);
	}
	if (*at == start || **at != end)
		return false;
	(*at)++;
	return true;
}

/* "r-xp " */
static bool take_protection(char **at, uint32_t *protection)
{
	char *text = *at;

	if (strnlen(text, 5) < 5 || text[4] != ' ' || !strchr("r-", text[0]) ||
		!strchr("w-", text[1]) || !strchr("x-", text[2]))
		return false;
	*protection = (text[0] == 'r' ? PROT_READ : 0) | (text[1] == 'w' ? PROT_WRITE : 0) |
		      (text[2] == 'x' ? PROT_EXEC : 0);
	*at += 5;
	return true;
}

/* "fe:01 1835   "; the path, if any, follows. */
static bool skip_file_number(char **at)
{
	uint64_t ignored;

	if (!take_hex(at, ':', &ignored) || !take_hex(at, ' ', &ignored))
		return false;
	*at += strspn(*at, "0123456789");
	*at += strspn(*at, " ");
	return true;
}

static void unescape_newlines(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		bool is_newline = strncmp(from, "\\012", 4) == 0;

		*to = is_newline ? '\n' : *from;
		from += is_newline ? 4 : 1;
	}
	*to = '\0';
}

/* Takes " (deleted)" off. */
static bool cut_deleted(char *path)
{
	static const char suffix[] = " (deleted)";
	size_t length = strlen(path), suffix_length = sizeof(suffix) - 1;

	if (path[0] != '/' || length <= suffix_length ||
		strcmp(path + length - suffix_length, suffix) != 0)
		return false;
	path[length - suffix_length] = '\0';
	return true;
}

bool proc_maps_parse(char *line, struct event_mmap *mapping)
{
	uint64_t high;

	*mapping = (struct event_mmap){0};
	if (!take_hex(&line, '-', &mapping->address) || !take_hex(&line, ' ', &high) ||
		high <= mapping->address || !take_protection(&line, &mapping->protection) ||
		!take_hex(&line, ' ', &mapping->offset) || !skip_file_number(&line))
		return false;
	mapping->length = high - mapping->address;
	line[strcspn(line, "\n")] = '\0';
	mapping->is_deleted = cut_deleted(line);
	unescape_newlines(line);
	mapping->path = *line ? line : "//anon";
	return true;
}

static void skip_line(FILE *stream)
{
	int c;

	do
		c = getc(stream);
	while (c != '\n' && c != EOF);
}

typedef void (*visitor)(void *context, const struct event_mmap *mapping);

/* Those that have all of this protection. */
static void visit_lines(FILE *stream, uint32_t protection, visitor visit, void *context)
{
	char *line = alloc_bytes(PROC_MAPS_LINE_MAX);
	struct event_mmap mapping;

	while (fgets(line, PROC_MAPS_LINE_MAX, stream)) {
		bool is_cut = !strchr(line, '\n') && !feof(stream);

		if (is_cut)
			skip_line(stream);
		if (!proc_maps_parse(line, &mapping) ||
			(mapping.protection & protection) != protection)
			continue;
		mapping.is_deleted |= is_cut;
		visit(context, &mapping);
	}
	free(line);
}

void proc_maps_each(FILE *stream, visitor visit, void *context)
{
	visit_lines(stream, PROT_EXEC, visit, context);
}

static bool visit_process(uint32_t pid, uint32_t protection, visitor visit, void *context)
{
	char path[32];
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	stream = fopen(path, "re");
	if (!stream)
		return false;
	visit_lines(stream, protection, visit, context);
	fclose(stream);
	return true;
}

bool proc_maps_all_of(uint32_t pid, visitor visit, void *context)
{
	return visit_process(pid, 0, visit, context);
}

bool proc_maps_of(uint32_t pid, visitor visit, void *context)
{
	return visit_process(pid, PROT_EXEC, visit, context);
}
