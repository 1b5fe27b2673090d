/*
 * elf_mutator: changes of ELF files where they matter to a reader, for the targets that read them.
 *
 * A file is mostly code and text that nobody looks at. So a third of the changes goes to the
 * headers of the file, its segments and sections, the others into the contents of sections that the
 * target names, and some anywhere.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The sections whose names begin so ("" : any), NULL at the end; for LLVMFuzzerCustomMutator(). */
size_t elf_mutate(
	uint8_t *data, size_t size, size_t max, unsigned int seed, const char *const *sections);
