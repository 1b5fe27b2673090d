/*
 * line_table: which source line each address of a compilation unit belongs to, decoded from
 * .debug_line (DWARF 2 to 5, section 6.2).
 *
 * A unit's table is a program whose rows come in sequences, one for each stretch of code. The
 * linker leaves the sequences of functions that it dropped, at address 0: they are left out here,
 * which is why libdw, that sorts all rows into one list, is not asked. Of the rows of one address
 * the last one counts.
 */
#pragma once

#include "base/array.h"
#include "elf/elf_file.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the tables lie and what they refer to; borrowed from the file. */
struct line_sections {
	struct elf_section line, line_strings, strings;
};

struct line_file {
	const char *name; /* lies in a section */
	uint64_t directory;
	char *path; /* owned; NULL until it is asked for */
};

/* The files and directories that a table numbers; the unit's attributes use the same numbers. */
struct line_files {
	ARRAY(struct line_file) files;
	ARRAY(const char *) directories;
	const char *unit_directory; /* DW_AT_comp_dir; NULL: unknown */
	bool starts_at_0;	    /* DWARF 5; before it file 1 was the first, and 0 none */
};

struct line_row {
	uint64_t low;  /* holds from here to the next row */
	uint32_t file; /* LINE_ROW_END: nothing holds from here on */
	uint32_t line; /* 0: code that belongs to no line */
};

#define LINE_ROW_END UINT32_MAX

struct line_table {
	struct line_files files;
	ARRAY(struct line_row) rows; /* sorted by address */
};

void line_sections_find(struct line_sections *sections, const struct elf_file *debug);

/* The files of the table at `offset` of .debug_line; as many as could be read. */
void line_files_read(struct line_files *files, const struct line_sections *sections,
	uint64_t offset, const char *unit_directory);
void line_files_release(struct line_files *files);

/* The path of a file, absolute where the debug information knows; NULL: there is no such number. */
const char *line_files_path(struct line_files *files, uint64_t number);

/* The whole table, of code between the two addresses. */
void line_table_read(struct line_table *table, const struct line_sections *sections,
	uint64_t offset, const char *unit_directory, uint64_t text_low, uint64_t text_high);
void line_table_release(struct line_table *table);

/* The row that holds the address; NULL: none does. */
const struct line_row *line_table_find(const struct line_table *table, uint64_t file_addr);
