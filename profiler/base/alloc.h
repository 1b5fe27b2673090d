/*
 * alloc: memory that is there or the program ends.
 *
 * Out of memory is the one failure that no caller can mend: these functions say so on stderr and
 * abort, so that nothing above them has an error path for it. Sizes that were read from a file or
 * from another process must be checked by the reader before they come here.
 */
#pragma once

#include <stddef.h>

void *alloc_bytes(size_t size);		       /* uninitialised */
void *alloc_zeroed(size_t count, size_t size); /* count * size must not overflow: checked */
void *alloc_resized(void *old, size_t count, size_t size);
char *alloc_string(const char *text); /* a copy; caller frees */
char *alloc_string_n(const char *text, size_t length);
char *alloc_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
