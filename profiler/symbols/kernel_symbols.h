/*
 * kernel_symbols: the kernel's functions by their addresses, from /proc/kallsyms (proc(5)):
 *
 *     ffffffff81e00b40 T entry_SYSCALL_64
 *     ffffffffc0a2f000 t ext4_readdir	[ext4]
 *
 * Lines have no sizes: a function ends where the next one starts, and the last of a module at the
 * end of its page. Ordinary users read zeros for addresses (kernel.kptr_restrict): that is an error
 * here.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct kernel_symbol {
	const char *function; /* lives as long as the table */
	const char *module;   /* "ext4"; NULL: the kernel proper */
	uint64_t entry;
};

struct kernel_symbols;

/* Reads the whole file; NULL: "/proc/kallsyms". */
struct kernel_symbols *kernel_symbols_open(const char *path, struct error *err);
void kernel_symbols_close(struct kernel_symbols *symbols); /* accepts NULL */

bool kernel_symbols_resolve(
	const struct kernel_symbols *symbols, uint64_t address, struct kernel_symbol *symbol);
