/*
 * plt: the stubs through which a program calls the functions of its libraries.
 *
 *     .plt.sec  0x1050: endbr64; jmp *0x2fc5(%rip)   ->  slot 0x4020
 *     .rela.plt         0x4020 R_X86_64_JUMP_SLOT    ->  "memcpy"
 *
 * Linkers lay stubs out in many ways (.plt, .plt.sec, .plt.got; lazy or not; with or without
 * endbr64), but each jumps through a slot, and a relocation says whose slot it is. x86-64 only:
 * elsewhere nothing is found.
 */
#pragma once

#include "base/array.h"
#include "elf/elf_file.h"

#include <stdint.h>

struct plt_stub {
	uint64_t low, high;
	const char *target; /* name of the function, lies in the file */
};

struct plt {
	ARRAY(struct plt_stub) stubs;
};

void plt_read(struct plt *plt, const struct elf_file *file);
void plt_release(struct plt *plt);
