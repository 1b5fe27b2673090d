/*
 * debug_info: what DWARF says about an address: the functions that it lies in, innermost inlined
 * one first, and the source line of each.
 *
 * Opening reads the address ranges of the compilation units and nothing else. A unit is indexed
 * (debug_unit.h) when an address of it is asked for. Names are looked up when they are first
 * needed, and once per function.
 */
#pragma once

#include "elf/elf_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debug_level {
	const char *function; /* demangled; NULL: unknown. Strings live as long as the debug_info */
	const char *file;     /* NULL: unknown */
	uint32_t line;	      /* 0: unknown */
	const char *decl_file; /* NULL: unknown */
	uint32_t decl_line;
	uint64_t entry; /* 0: inlined, or unknown */
	uint64_t copy; /* where an inlined function was compiled by itself as well; 0: nowhere known
			*/
	bool is_inlined;
	bool is_full_name; /* has scope and parameters, or needs none; else the symbol may know
			      better */
};

struct debug_info;

/*
 * The debug information in `file` (as elf_file_debug() gives it, referenced), for code between
 * these file_addrs: what lies elsewhere belongs to functions that the linker left out. NULL: there
 * is none that can be read.
 */
struct debug_info *debug_info_open(struct elf_file *file, uint64_t text_low, uint64_t text_high);
void debug_info_close(struct debug_info *info); /* accepts NULL */

/* The number of units that have code. */
size_t debug_info_unit_count(const struct debug_info *info);

/*
 * The levels at file_addr, innermost first, borrowed until the next call; 0: no unit has it. Code
 * outside of all functions (assembly) is one level with a line and no function.
 */
size_t debug_info_find(
	struct debug_info *info, uint64_t file_addr, const struct debug_level **levels);
