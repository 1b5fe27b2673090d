/*
 * elf_file: one ELF file, opened once and shared by unwinding and symbols, which never open files
 * themselves.
 *
 * An address that the file itself uses (symbol values, .eh_frame, DWARF) is a `file_addr`. A
 * process maps file offsets; elf_file_addr() turns the one into the other by the program headers.
 * The kernel maps whole pages, so an offset up to a page before a segment's start or after its end
 * still belongs to that segment.
 *
 * Reading is by libelf over a private mapping; everything found inside is bounded by the file's
 * size. One thread at a time may use a file. Everything "borrowed" lives until the last reference
 * is dropped.
 */
#pragma once

#include "base/error.h"
#include "model/build_id.h"

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_section {
	const uint8_t *bytes; /* contents, decompressed when SHF_COMPRESSED; NULL: not there or
				 SHT_NOBITS */
	size_t size;
	uint64_t file_addr; /* sh_addr */
	size_t index;
};

struct elf_file; /* heap, opaque; reference-counted */

/* Opens by path, never following anything but a regular file (a FIFO or a device is an error). */
struct elf_file *elf_file_open(const char *path, struct error *err);

/* The same over a descriptor, which stays the caller's; `name` is for messages. */
struct elf_file *elf_file_open_fd(int fd, const char *name, struct error *err);

/* An image in memory (the vdso); the bytes are copied. */
struct elf_file *elf_file_from_memory(
	const void *bytes, size_t size, const char *name, struct error *err);

struct elf_file *elf_file_reference(struct elf_file *file);
void elf_file_close(struct elf_file *file); /* drops one reference; accepts NULL */

const char *elf_file_name(const struct elf_file *file); /* as given at opening */
Elf *elf_file_handle(const struct elf_file *file);	/* libelf's; borrowed */
bool elf_file_is_64(const struct elf_file *file);
uint16_t elf_file_machine(const struct elf_file *file); /* EM_X86_64 ... */
const struct build_id *elf_file_build_id(const struct elf_file *file);

/* Section by name; false when it is not there. Contents are borrowed from the file. */
bool elf_file_section(const struct elf_file *file, const char *name, struct elf_section *section);

/*
 * The file_addr of the code that is mapped from `offset` in the file: where several segments reach
 * it, that of the executable one. False when no PT_LOAD does.
 */
bool elf_file_addr(const struct elf_file *file, uint64_t offset, uint64_t *file_addr);

/*
 * Copies `size` bytes of what the file's segments hold at file_addr; false when they do not hold
 * all of it. For code of a process that may be gone already.
 */
bool elf_file_read(const struct elf_file *file, uint64_t file_addr, void *bytes, size_t size);

/* The same where they lie, borrowed; NULL when the segments do not hold all of it. */
const uint8_t *elf_file_bytes(const struct elf_file *file, uint64_t file_addr, size_t size);

/* Lowest and highest file_addr (exclusive) of the executable PT_LOAD segments. */
void elf_file_text_range(const struct elf_file *file, uint64_t *low, uint64_t *high);

/*
 * The file that holds the debug information of `file`: itself when it has .debug_info, else by
 * build-id (/usr/lib/debug/.build-id/ab/cdef.debug) and .gnu_debuglink (checked by its CRC) beside
 * the file, in .debug/ and under /usr/lib/debug. A new reference, or NULL: there is none, which is
 * no error.
 */
struct elf_file *elf_file_debug(struct elf_file *file);

/*
 * The file that `debug`, a file with debug information, shares a part of it with: dwz(1) moves what
 * several files have in common into one, and leaves its name and build-id in .gnu_debugaltlink.
 * A new reference, or NULL: it names none, or that is not installed.
 */
struct elf_file *elf_file_alternate(const struct elf_file *debug);
