/*
 * loaded_image: an ELF file put together from what a process has loaded of it, where the file
 * itself is gone or may not be opened.
 *
 * A process has the segments in its memory, at one distance ("bias") from their file_addrs, but not
 * the section headers. What is found through the program headers instead (PT_DYNAMIC and
 * PT_GNU_EH_FRAME; elf(5), and the LSB's .eh_frame_hdr) gets section headers again: .dynsym,
 * .dynstr, .eh_frame_hdr and .eh_frame. So exported functions have names, and all can be unwound.
 * Writable segments are left out, but for the dynamic section: they are not as they are in the
 * file.
 *
 * Memory of a process is nobody's word: everything is checked, and a file that claims more than
 * LOADED_IMAGE_MAX bytes is none.
 */
#pragma once

#include "elf/elf_file.h"

#define LOADED_IMAGE_MAX (512u << 20)

struct loaded_image {
	/* Copies memory; returns how many bytes are there. */
	size_t (*read)(void *context, uint64_t address, void *bytes, size_t size);
	void *context;
	uint64_t address; /* of the ELF header, where the file's start is mapped */
};

/* The file, or NULL with an error; `name` is for messages. 64-bit files of this byte order only. */
struct elf_file *loaded_image_open(
	const struct loaded_image *image, const char *name, struct error *err);
