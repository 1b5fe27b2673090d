/*
 * symbolizer: turns a file_addr of one ELF file into names: the function, its source line, and the
 * calls that the compiler inlined there.
 *
 *     0x1234  ->  { "std::vector<int>::push_back(int const&)", stl_vector.h:1281, is_inlined }
 *                 { "collect(int)",                             main.cc:17,       is_inlined }
 *                 { "main",                                     main.cc:30 }
 *
 * Sources, best first: DWARF (of the file or of its separate debug file) for inlined calls and
 * lines; .symtab and .dynsym; the stubs of the PLT ("memcpy@plt"); the call frame information,
 * which knows where the functions of a stripped file begin, if not what they are called.
 *
 * An index is built once per file; of the debug information only the units that are hit are read.
 * Addresses are taken as they are: who asks about a caller passes an address within its call
 * instruction. One thread at a time may use a module.
 */
#pragma once

#include "base/error.h"
#include "elf/elf_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One level, innermost inlined function first. Strings live as long as the module. */
struct symbol_line {
	const char
		*function; /* demangled, with parameters where the symbol has them; NULL: unknown */
	const char *file;  /* source file of the line, with its directory; NULL: unknown */
	uint32_t line;	   /* 0: unknown, or code that belongs to no line */
	const char *decl_file; /* where the function is declared; NULL: unknown */
	uint32_t decl_line;    /* 0: unknown */
	uint64_t entry;	 /* file_addr of the function's first instruction; 0: unknown, or inlined */
	bool is_inlined; /* this level was inlined into the next one */
};

/* What a module could be asked for; for the report's header. */
struct symbol_sources {
	size_t symtab_count, dynsym_count; /* functions named there; 0: the table is not there */
	size_t frame_count;		   /* functions bounded by call frame information */
	size_t unit_count;	/* compilation units with code in the debug information */
	const char *debug_path; /* the file that has the debug information; NULL: none */
};

struct symbol_module;

/*
 * The index of `file`, which it references. Never fails for want of symbols: a file that has none
 * resolves nothing. With DEBUGINFOD_URLS set, debug information that is not installed is asked for
 * there, which may take as long as the network does.
 */
struct symbol_module *symbol_module_open(struct elf_file *file);
void symbol_module_close(struct symbol_module *module); /* accepts NULL */

/*
 * The levels at file_addr, innermost first: *lines is borrowed until the next call. At least one
 * when anything is known, were it only the entry (function NULL); 0: nothing.
 */
size_t symbol_module_resolve(
	struct symbol_module *module, uint64_t file_addr, const struct symbol_line **lines);

struct symbol_sources symbol_module_sources(const struct symbol_module *module);
