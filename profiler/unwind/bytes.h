/*
 * bytes: a cursor over bytes that we did not write. Reading beyond the end gives 0 and sets `bad`,
 * so a parser asks once after a group of reads. Used by the CFI parser and by the expressions that
 * a walk evaluates, hence without any libc but memcpy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *at, *end;
	bool bad;
};

static inline size_t bytes_left(const struct bytes *bytes)
{
	return (size_t)(bytes->end - bytes->at);
}

/* The next `size` bytes (at most 8) as a little-endian number. */
static inline uint64_t bytes_fixed(struct bytes *bytes, size_t size)
{
	uint64_t value = 0;

	if (bytes_left(bytes) < size) {
		bytes->bad = true;
		bytes->at = bytes->end;
		return 0;
	}
	memcpy(&value, bytes->at, size);
	bytes->at += size;
	return value;
}

static inline uint8_t bytes_u8(struct bytes *bytes)
{
	if (bytes->at == bytes->end) {
		bytes->bad = true;
		return 0;
	}
	return *bytes->at++;
}

/* The same as a signed number. */
static inline int64_t bytes_signed(struct bytes *bytes, size_t size)
{
	unsigned shift = 64 - 8 * (unsigned)size;

	return (int64_t)(bytes_fixed(bytes, size) << shift) >> shift;
}

/* LEB128; bits beyond 64 are lost. */
static inline uint64_t bytes_leb(struct bytes *bytes, unsigned *bits)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = bytes_u8(bytes);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	*bits = shift;
	return value;
}

static inline uint64_t bytes_uleb(struct bytes *bytes)
{
	unsigned bits;

	return bytes_leb(bytes, &bits);
}

static inline int64_t bytes_sleb(struct bytes *bytes)
{
	unsigned bits;
	uint64_t value = bytes_leb(bytes, &bits);

	if (bits < 64 && value >> (bits - 1) & 1)
		value |= ~(uint64_t)0 << bits;
	return (int64_t)value;
}

/* Passes over `count` bytes. */
static inline void bytes_skip(struct bytes *bytes, uint64_t count)
{
	if (bytes_left(bytes) < count) {
		bytes->bad = true;
		bytes->at = bytes->end;
	} else {
		bytes->at += count;
	}
}
