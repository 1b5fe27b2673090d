/*
 * strings: every text of a profile once, by number.
 *
 * Texts are kept in blocks that never move, so a pointer from strings_get() lives as long as the
 * profile. Number 0 is "none" and reads as "". Bytes are kept as they came (paths and symbols of
 * other people's programs): whoever prints escapes.
 */
#pragma once

#include "base/array.h"
#include "base/hash.h"

#include <stddef.h>
#include <stdint.h>

typedef uint32_t string_id;

struct string_item {
	const char *text; /* terminated by a zero byte, and holds none */
	uint32_t length;
};

struct strings {
	ARRAY(struct string_item) items; /* items[id - 1] */
	ARRAY(char *) blocks;
	size_t block_used, block_size;
	struct hash table;
};

void strings_release(struct strings *strings);

/* The number of this text, added when it is new; "" and NULL are 0. */
string_id strings_intern(struct strings *strings, const char *text);
string_id strings_intern_n(struct strings *strings, const char *text, size_t length);

/* The number of this text, or 0 when no string equals it. */
string_id strings_find(const struct strings *strings, const char *text);

/* The text; "" for 0. */
const char *strings_get(const struct strings *strings, string_id id);
