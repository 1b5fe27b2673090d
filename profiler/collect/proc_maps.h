/*
 * proc_maps: /proc/PID/maps (proc(5)), the mappings of a process as lines of text
 *
 *     7f10a0428000-7f10a05b1000 r-xp 00028000 fe:01 1835  /usr/lib/x86_64-linux-gnu/libc.so.6
 *     7f10a07c3000-7f10a07c4000 r-xp 00000000 00:01 2051  /tmp/libgccjit-X3/fake.so (deleted)
 *     7ffd3c7fc000-7ffd3c7fe000 r-xp 00000000 00:00 0     [vdso]
 *     7f10a0a00000-7f10a0a01000 rwxp 00000000 00:00 0
 *
 * as struct event_mmap (event.h), as if each had just been mapped. A newline within a path is
 * written "\012" (a backslash is not escaped, so that a file that is really called "a\012b" is
 * taken for another); " (deleted)" behind one says that the file has no name any more. Memory of no
 * file has the path "//anon", as in perf's records. Nothing is read but text, and nothing in it is
 * trusted: what is not such a line is passed over.
 */
#pragma once

#include "collect/event.h"

#include <stdio.h>

/* Longer lines are cut; a path that was cut counts as deleted: it is nobody's name. */
#define PROC_MAPS_LINE_MAX 20000

/*
 * Reads one line, with or without its newline, in place: mapping->path points into it. False when
 * it is none. Gives every kind of mapping: see mapping->protection.
 */
bool proc_maps_parse(char *line, struct event_mmap *mapping);

/* Calls visit for each executable mapping of the stream; `mapping` lives as long as the call. */
void proc_maps_each(FILE *stream, void (*visit)(void *context, const struct event_mmap *mapping),
	void *context);

/* The same for a process, also for mappings that are not executable; false when its maps cannot be
 * opened. */
bool proc_maps_all_of(uint32_t pid, void (*visit)(void *context, const struct event_mmap *mapping),
	void *context);

/* The executable ones of a process. */
bool proc_maps_of(uint32_t pid, void (*visit)(void *context, const struct event_mmap *mapping),
	void *context);
