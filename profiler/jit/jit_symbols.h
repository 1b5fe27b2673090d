/*
 * jit_symbols: what one process's code that was made at run time is called, at one moment.
 *
 *     0x3ffe4a1c2d10  ->  { "LazyCompile:~fib fib.js:1:13", start 0x3ffe4a1c2d00 }
 *
 * Filled from a perf map or a jitdump in the order in which the program wrote it: what is told
 * later replaces what it covers. At most JIT_CODES_MAX pieces are kept; what comes then is left
 * out. All zero is empty.
 */
#pragma once

#include "base/bytes.h"
#include "jit/code_map.h"
#include "jit/jitdump.h"
#include "jit/perf_map.h"

#define JIT_CODES_MAX (1u << 20)

struct jit_code {
	uint64_t start;
	size_t name; /* offset in texts */
	uint32_t first_line, line_count;
};

struct jit_line {
	uint64_t offset; /* from the code's start */
	size_t file;	 /* offset in texts */
	uint32_t line;
};

struct jit_symbols {
	ARRAY(struct jit_code) codes;
	ARRAY(struct jit_line) lines;
	struct bytes texts;  /* one behind the other, each ended by NUL */
	struct code_map map; /* -> number in codes + 1 */

	/* Lines that were told before their code. */
	uint64_t lines_address;
	uint32_t lines_first, lines_count;
};

struct jit_symbol { /* texts are borrowed until something is added */
	const char *name;
	uint64_t start;
	const char *file; /* NULL: not known */
	uint32_t line;
};

void jit_symbols_release(struct jit_symbols *symbols);

/* An independent copy; `to` is empty before. */
void jit_symbols_copy(struct jit_symbols *to, const struct jit_symbols *from);

void jit_symbols_add(struct jit_symbols *symbols, const struct perf_map_line *line);

/* LOAD, MOVE and DEBUG records; others change nothing. */
void jit_symbols_apply(struct jit_symbols *symbols, const struct jitdump_record *record);

/* False: nothing is known about the address. */
bool jit_symbols_find(
	const struct jit_symbols *symbols, uint64_t address, struct jit_symbol *symbol);
