/*
 * program_maps: the executable mappings of a live process with their unwind rows, and its memory,
 * as a walk asks for them. For tests and benchmarks.
 */
#pragma once

#include "base/array.h"
#include "unwind/walk.h"

#include <sys/types.h>
#include <sys/user.h>

struct program_file {
	char *path;
	struct elf_file *elf;
	struct unwind_rows *rows; /* NULL: not an ELF file that can be unwound */
};

struct program_maps {
	pid_t pid;
	ARRAY(struct program_file) files;
	ARRAY(struct walk_module) modules; /* in order of their addresses */
	uint64_t stack_low, stack_high;	   /* the main thread's [stack] */
};

/*
 * Reads /proc/PID/maps and compiles the rows of every file mapped there, the vdso's too. The struct
 * is all zero, or from an earlier reading of the same process: files that it knows are kept.
 */
void program_maps_read(struct program_maps *maps, pid_t pid);
void program_maps_release(struct program_maps *maps);

/* For struct walk_source, whose context is the struct program_maps. */
const struct walk_module *program_maps_find(void *maps, uint64_t ip);
bool program_maps_read_word(void *maps, uint64_t address, uint64_t *value);

/* Copies up to size bytes of the process; returns how many could be read. */
size_t program_maps_copy(const struct program_maps *maps, uint64_t address, void *to, size_t size);

/* A walk's registers from ptrace's and from a signal handler's or getcontext's. */
void program_registers_from_ptrace(struct walk_registers *to, const struct user_regs_struct *from);
void program_registers_from_context(struct walk_registers *to, const void *ucontext);
