/*
 * remote_memory: memory of a process that runs (process_vm_readv(2)). Needs the right to ptrace it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads up to `size` bytes; returns how many, ending before the first page that is not there. */
size_t remote_memory_read(uint32_t pid, uint64_t address, void *bytes, size_t size);
