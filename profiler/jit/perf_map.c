#include "jit/perf_map.h"

#include <ctype.h>
#include <string.h>

static int digit_of(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 'a' ^ 'A';
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* A number and the blank behind it; some programs write 0x before it. */
static bool take_number(const char **at, const char *end, uint64_t *number)
{
	const char *first;

	if (end - *at > 2 && (*at)[0] == '0' && ((*at)[1] | 0x20) == 'x')
		*at += 2;
	*number = 0;
	for (first = *at; *at < end && digit_of(**at) >= 0; ++*at) {
		if (*number >> 60)
			return false;
		*number = *number << 4 | digit_of(**at);
	}
	if (*at == first || *at == end || **at != ' ')
		return false;
	while (*at < end && **at == ' ')
		++*at;
	return true;
}

static bool parse(const char *at, const char *end, struct perf_map_line *line)
{
	const char *nul;

	if (!take_number(&at, end, &line->start) || !take_number(&at, end, &line->size))
		return false;
	nul = memchr(at, '\0', end - at);
	if (nul)
		end = nul;
	while (end > at && isspace((unsigned char)end[-1]))
		end--;
	line->name = at;
	line->name_length = end - at < PERF_MAP_NAME_MAX ? end - at : PERF_MAP_NAME_MAX;
	return line->name_length && line->size && line->start + line->size > line->start;
}

bool perf_map_next(const char **at, const char *end, struct perf_map_line *line)
{
	const char *feed;

	while (*at < end && (feed = memchr(*at, '\n', end - *at))) {
		const char *start = *at;

		*at = feed + 1;
		if (parse(start, feed, line))
			return true;
	}
	return false;
}
