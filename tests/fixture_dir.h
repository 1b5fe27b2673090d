/*
 * fixture_dir: a temporary directory in which a test compiles the programs that it looks at, with
 * the tools that built cprof. For tests only: what goes wrong fails the test that asked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Makes the directory; its path, which the caller frees with fixture_dir_remove(). */
char *fixture_dir_make(void);
void fixture_dir_remove(char *directory);

/* The path of a file in it: valid until the next but three calls. */
const char *fixture_path(const char *directory, const char *name);

void fixture_write(const char *directory, const char *name, const char *text);

/* The contents of a file, which the caller frees. */
char *fixture_bytes(const char *directory, const char *name, size_t *size);

/* Runs a shell command in the directory; it must succeed. */
void fixture_run(const char *directory, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same; what it printed, which the caller frees. */
char *fixture_output(const char *directory, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The value of a symbol as nm prints it for this program of the directory; 0: it has none. */
uint64_t fixture_symbol(const char *directory, const char *program, const char *symbol);

/* A fixed sequence of numbers that look random: the next one. */
uint32_t fixture_random(uint32_t *state);
