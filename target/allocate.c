#include "allocate.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *checked(void *block, size_t count, size_t size_bytes)
{
	if (!block && count && size_bytes) {
		fprintf(stderr,
			"segment: out of memory: %zu objects of %zu bytes do not fit; "
			"use a smaller size or a stage that works in chunks (v4, v7)\n",
			count, size_bytes);
		exit(1);
	}
	return block;
}

void *allocate(size_t count, size_t size_bytes)
{
	size_t total;

	if (__builtin_mul_overflow(count, size_bytes, &total))
		return checked(NULL, count, size_bytes);
	return checked(malloc(total), count, size_bytes);
}

void *allocate_zeroed(size_t count, size_t size_bytes)
{
	return checked(calloc(count, size_bytes), count, size_bytes);
}

void *reallocate(void *block, size_t count, size_t size_bytes)
{
	return checked(reallocarray(block, count, size_bytes), count, size_bytes);
}
