#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t size)
{
	if (memory || size == 0)
		return memory;
	fprintf(stderr, "cprof: out of memory (%zu bytes wanted)\n", size);
	abort();
}

void *alloc_bytes(size_t size)
{
	return checked(malloc(size), size);
}

void *alloc_zeroed(size_t count, size_t size)
{
	return checked(calloc(count, size), size);
}

void *alloc_resized(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count, size), size);
}

char *alloc_string(const char *text)
{
	return alloc_string_n(text, strlen(text));
}

char *alloc_string_n(const char *text, size_t length)
{
	char *copy = alloc_bytes(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *alloc_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return checked(length < 0 ? NULL : text, 1);
}
