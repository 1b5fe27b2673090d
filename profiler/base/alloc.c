#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

#define HUGE_PAGE ((uintptr_t)2 << 20)

/*
 * The first touch of a page can cost microseconds (in a virtual machine), and a large profile has
 * thousands of them. Of a block that spans several huge pages, the kernel may use these.
 */
static void advise_huge_pages(void *memory, size_t size)
{
	uintptr_t start = ((uintptr_t)memory + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	uintptr_t end = ((uintptr_t)memory + size) & ~(HUGE_PAGE - 1);

	if (start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}

void *alloc_resized(void *old, size_t count, size_t size)
{
	void *memory = checked(reallocarray(old, count, size), size);

	if (count * size >= 2 * HUGE_PAGE)
		advise_huge_pages(memory, count * size);
	return memory;
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
