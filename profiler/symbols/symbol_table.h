/*
 * symbol_table: the functions that an ELF file names in .symtab (its own, its debug file's, or that
 * in .gnu_debugdata) and .dynsym, the stubs of its PLT, and, unnamed, the functions that only its
 * call frame information knows.
 *
 * Where several symbols lie on one address, a global one is preferred to a weak to a local one. A
 * symbol holds from its address for its size; one without a size (assembly) up to the next symbol.
 * "f.cold" is the part of f that the compiler moved out of the way: it answers with f's name
 * and f's entry, so that a function stays one function. Other suffixes (.part.0, .isra.0) are kept.
 */
#pragma once

#include "elf/elf_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbol {
	const char *name;	/* demangled; NULL: unknown. Lives as long as the table */
	const char *plain_name; /* the same without the compiler's " [clone .part.0]" */
	uint64_t entry;		/* file_addr of the function's first instruction */
	bool was_mangled;	/* the name says more than a C name: scope and parameters */
};

struct symbol_table;

/* Both files are referenced; `debug` may be NULL or equal to `file`. */
struct symbol_table *symbol_table_open(struct elf_file *file, struct elf_file *debug);
void symbol_table_close(struct symbol_table *table); /* accepts NULL */

/* What holds file_addr; false when nothing does. */
bool symbol_table_find(struct symbol_table *table, uint64_t file_addr, struct symbol *symbol);

/* How many functions each source gave. */
void symbol_table_counts(
	const struct symbol_table *table, size_t *symtab, size_t *dynsym, size_t *frames);
