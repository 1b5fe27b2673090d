/*
 * escape: bytes that other people wrote (symbols, paths, command lines), made fit to be shown.
 *
 * Names come from files of any origin: they may hold control characters that a terminal would obey,
 * marks that reverse the reading direction, and bytes that are no UTF-8. For terminals these become
 * visible as "\x1b" or "\u202e"; other text is left as it is. Formats with rules of their own (dot,
 * XML) read characters with escape_next() and decide for themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A byte that belongs to no valid UTF-8 character: added to the byte's value by escape_next(). */
#define ESCAPE_INVALID UINT32_C(0x80000000)

/* The next character of *text, which moves behind it; 0 at the end. */
uint32_t escape_next(const char **text);

/* Whether the character (of escape_next()) can be shown as it is. */
bool escape_is_safe(uint32_t character);

/* Encodes a valid character as UTF-8, terminated; returns the number of bytes. */
size_t escape_encode(uint32_t character, char bytes[5]);

/* Writes text so that a terminal shows it and obeys nothing in it; backslashes stay as they are. */
void escape_write(FILE *out, const char *text);

/* The same as a string; caller frees. */
char *escape_text(const char *text);

/* The columns that safe text takes: its characters, each counted as one. */
size_t escape_width(const char *text);

/* A copy of safe text, cut to `width` columns and then ended by "…"; 0: any width. Caller frees. */
char *escape_fit(const char *text, size_t width);
