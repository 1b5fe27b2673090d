/*
 * Memory that is there or the program ends: with one sentence and exit status 1.
 */
#ifndef TARGET_ALLOCATE_H
#define TARGET_ALLOCATE_H

#include <stddef.h>

/* `count` objects of `size_bytes` each, not initialised. The caller frees it with free(). */
void *allocate(size_t count, size_t size_bytes);

/* The same, all zero. */
void *allocate_zeroed(size_t count, size_t size_bytes);

/* Grows or shrinks what allocate returned; NULL starts a new block. */
void *reallocate(void *block, size_t count, size_t size_bytes);

#endif
