/*
 * naming: gives every frame of a profile that has none its names.
 *
 * Frames are named once, module by module, so that at most one module's symbols are in memory.
 * Where nothing is known of an address the function is "[libz.so.1+0x1234]": the function's start
 * where call frame information bounds it, so that one stripped function is one row, else the
 * address itself.
 */
#pragma once

#include "elf/elf_file.h"
#include "model/profile.h"

struct naming {
	/* The file of a module, or NULL; borrowed from the callee. */
	struct elf_file *(*file)(void *context, module_id module);
	/* How far it is, now and then; NULL: nobody wants to know. */
	void (*progress)(void *context, size_t done, size_t total);
	void *context;
};

void naming_run(const struct naming *naming, struct profile *profile);
