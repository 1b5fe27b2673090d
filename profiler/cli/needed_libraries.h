/*
 * needed_libraries: the files that a program maps when it starts, as the dynamic loader finds them.
 *
 * The loader is asked for its list, as ldd(1) does it: it maps the program and its libraries, but
 * runs nothing of them. It is always the system's own, whatever loader the program names, and is
 * not asked about files of others than root and the user.
 *
 *     	libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f2d0a1c4000)
 *     	/lib64/ld-linux-x86-64.so.2 (0x00007f2d0a3f1000)
 *     	libmine.so => not found
 */
#pragma once

#include "base/array.h"
#include "base/error.h"

struct needed_libraries {
	ARRAY(char *) paths;
	ARRAY(char *) missing; /* names that the loader did not find */
};

/* `interpreter` is the loader that the program names. -1 with the reason: there is no list. */
int needed_libraries_find(struct needed_libraries *libraries, const char *path,
	const char *interpreter, struct error *err);
void needed_libraries_release(struct needed_libraries *libraries);
