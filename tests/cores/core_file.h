/*
 * core_file: a core dump of an x86-64 process (core(5)): its threads' registers, its memory and the
 * files that it had mapped, with their unwind rows. As a walk asks for them. For tests.
 *
 *     PT_LOAD      memory; what a file holds unchanged is usually left out
 *     NT_PRSTATUS  one for each thread: struct elf_prstatus with its registers
 *     NT_FILE      count, page size, count times {start, end, offset in pages}, then the paths
 */
#pragma once

#include "base/array.h"
#include "unwind/walk.h"

#include <libelf.h>

struct core_thread {
	int tid;
	struct walk_registers registers;
};

struct core_load {
	uint64_t low, high; /* of the bytes that the core holds */
	const uint8_t *bytes;
	bool is_code;
};

struct core_module {
	struct walk_module walk;
	struct elf_file *file; /* NULL: code that no file holds; borrowed */
};

struct core_image {
	char *path;
	struct elf_file *file;
	struct unwind_rows *rows;
};

struct core_file {
	int fd;
	Elf *elf;
	ARRAY(struct core_thread) threads;
	ARRAY(struct core_load) loads; /* in order of their addresses */
	ARRAY(struct core_module) modules;
	ARRAY(struct core_image) images;
};

/* Into an all-zero struct. The files are opened by the paths that the core names. */
int core_file_open(struct core_file *core, const char *path, struct error *err);
void core_file_close(struct core_file *core);

/* What the core holds from `address` on; NULL: nothing. */
const struct core_load *core_file_load(const struct core_file *core, uint64_t address);

/* For struct walk_source, whose context is the struct core_file. */
const struct walk_module *core_file_find(void *core, uint64_t ip);
bool core_file_read_word(void *core, uint64_t address, uint64_t *value);
