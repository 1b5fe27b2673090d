/*
 * debug_data: the symbols that a stripped file carries in its section .gnu_debugdata ("mini debug
 * info", by default in Fedora's packages): an ELF file of its own with nothing but .symtab,
 * compressed by xz. Its addresses are those of the file.
 */
#pragma once

#include "elf/elf_file.h"

/* More than this, decompressed, is not read: the largest programs' have a few dozen MiB. */
#define DEBUG_DATA_MAX (128u << 20)

/* The inner file; NULL: there is none, or it is damaged or too large. The caller closes it. */
struct elf_file *debug_data_open(const struct elf_file *file);
