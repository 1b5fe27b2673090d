/*
 * kernel_cache: the kernel's code symbols kept on disk, since reading /proc/kallsyms takes a tenth
 * of a second and its text stays the same until the machine boots again or a kernel module comes or
 * goes.
 *
 *     $XDG_CACHE_HOME/cprof/kernel-BOOT_ID-MODULES     (default $HOME/.cache; MODULES is a hash)
 *
 * The file is the text that kernel_symbols.c searches. It tells addresses that the kernel hides
 * from ordinary users: it is 0600, and used only when it belongs to the user of the process. Under
 * sudo there is no cache: its directory may be another user's.
 */
#pragma once

#include <stddef.h>

/* Where the cache of the running kernel is, or would be; caller frees. NULL: there is none. */
char *kernel_cache_path(void);

/* The file in memory, at least one byte; NULL when it is not there or not ours. */
char *kernel_cache_map(const char *path, size_t *size);
void kernel_cache_unmap(char *text, size_t size);

/* Keeps the text; drops those of other boots. What fails is no error: the next run is as slow. */
void kernel_cache_write(const char *path, const char *text, size_t size);
