/*
 * build_id: the linker's fingerprint of an ELF file (note NT_GNU_BUILD_ID), which stays the same
 * when the file is stripped, moved or installed elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BUILD_ID_MAX 32

struct build_id {
	uint8_t bytes[BUILD_ID_MAX]; /* zero behind `length`, so that ids compare and hash whole */
	uint8_t length;		     /* 0: the file has none */
};

static inline bool build_id_equal(const struct build_id *a, const struct build_id *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

#define BUILD_ID_TEXT_SIZE (2 * BUILD_ID_MAX + 1)

/* Writes the id in hexadecimal ("" for none) into text and returns it. */
const char *build_id_text(const struct build_id *id, char text[BUILD_ID_TEXT_SIZE]);
