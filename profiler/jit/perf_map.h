/*
 * perf_map: the text in which a program names the code that it makes as it runs, by convention
 * /tmp/perf-PID.map (the kernel's tools/perf/Documentation/jit-interface.txt):
 *
 *     3ffe4a1c2d00 1f8 LazyCompile:~fib /home/me/fib.js:1:13
 *     START        SIZE (both hexadecimal)  NAME (to the end of the line)
 *
 * The program appends a line when it has made a function; nothing says when one is gone. Anyone may
 * have written such a file: a line that is not like that is skipped, names are cut at
 * PERF_MAP_NAME_MAX bytes, and may hold any byte but NUL and the line feed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERF_MAP_NAME_MAX 1024

struct perf_map_line {
	uint64_t start, size; /* size > 0, and start + size does not wrap around */
	const char *name;     /* not terminated; borrowed from the text */
	size_t name_length;   /* 1 to PERF_MAP_NAME_MAX */
};

/*
 * The next good line of a text, which need not end with NUL. *at moves behind what was read; it
 * stays at a last line that has no line feed yet: there may be more of it later. False: there is no
 * further line.
 */
bool perf_map_next(const char **at, const char *end, struct perf_map_line *line);
