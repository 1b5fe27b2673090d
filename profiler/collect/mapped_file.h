/*
 * mapped_file: the ELF file behind a mapping of a process.
 *
 * Looked for, best first, through /proc/PID/map_files (root only; right even for deleted files and
 * in other mount namespaces), below /proc/PID/root, by its path, and at last in the memory of the
 * process itself: what is loaded of a file that is gone (elf/loaded_image.h). A file that was found
 * by a name must be the one that is mapped: it has the build-id that the kernel told, or, where it
 * told none, the same code.
 */
#pragma once

#include "collect/event.h"
#include "elf/elf_file.h"

/* NULL: there is none that can be opened, or it is not an ELF file. */
struct elf_file *mapped_file_open(uint32_t pid, const struct event_mmap *mapping);

/* Whether the file is the one that is mapped, as far as can be told. */
bool mapped_file_is(const struct elf_file *file, uint32_t pid, const struct event_mmap *mapping);

/* The vdso, which has no file. */
struct elf_file *mapped_file_open_vdso(uint32_t pid, const struct event_mmap *mapping);
