/*
 * bytes: numbers as variable-length bytes, written and read.
 *
 * An unsigned number takes 7 bits a byte, lowest first, with the top bit set on all but the last
 * byte (LEB128; at most 10 bytes for 64 bits). A signed one is folded first, so that small numbers
 * of either sign are short: 0, -1, 1, -2 become 0, 1, 2, 3 ("zigzag").
 *
 *     300  ->  ac 02          -3  ->  5  ->  05
 *
 * A cursor reads bytes that nobody vouches for. The first thing that cannot be read moves it to the
 * end and sets `damaged`; everything read after that is 0, so a caller may check once, at the end.
 */
#pragma once

#include "base/array.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bytes { /* an ARRAY(uint8_t) with a name */
	uint8_t *items;
	size_t count, capacity;
};

#define VARINT_MAX 10 /* bytes of the longest number */

static inline void bytes_put(struct bytes *bytes, const void *from, size_t length)
{
	array_reserve(bytes, bytes->count + length);
	if (length)
		memcpy(bytes->items + bytes->count, from, length);
	bytes->count += length;
}

static inline void bytes_put_number(struct bytes *bytes, uint64_t number)
{
	uint8_t *at;

	array_reserve(bytes, bytes->count + VARINT_MAX);
	at = bytes->items + bytes->count;
	while (number >= 0x80) {
		*at++ = number | 0x80;
		number >>= 7;
	}
	*at++ = number;
	bytes->count = at - bytes->items;
}

static inline void bytes_put_signed(struct bytes *bytes, int64_t number)
{
	bytes_put_number(bytes, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
}

struct cursor {
	const uint8_t *at, *end; /* what is left to read */
	bool damaged;
};

static inline size_t cursor_left(const struct cursor *cursor)
{
	return cursor->end - cursor->at;
}

static inline void cursor_fail(struct cursor *cursor)
{
	cursor->damaged = true;
	cursor->at = cursor->end;
}

/* The next `length` bytes, borrowed; NULL when fewer are left. */
static inline const uint8_t *cursor_take(struct cursor *cursor, size_t length)
{
	const uint8_t *from = cursor->at;

	if (length > cursor_left(cursor)) {
		cursor_fail(cursor);
		return NULL;
	}
	cursor->at += length;
	return from;
}

static inline uint64_t cursor_number(struct cursor *cursor)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
		uint8_t byte = *cursor->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	cursor_fail(cursor);
	return 0;
}

static inline int64_t cursor_signed(struct cursor *cursor)
{
	uint64_t number = cursor_number(cursor);

	return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}
