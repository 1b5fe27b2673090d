/*
 * address_space: the executable mappings of a process, as its mappings were seen to come.
 *
 *     7f10a0428000-7f10a05b1000  offset 28000  libc.so.6      (a line of /proc/PID/maps)
 *
 * Sorted by address and without overlaps: a new mapping replaces what it covers. Unmapping is not
 * reported by the kernel, so old mappings stay until something covers them. A forked child has a
 * copy; exec starts afresh.
 *
 * ip - walk.bias is the address that the module uses: a file_addr, where the file could not be
 * opened the offset in the file, and in memory without a file the address itself.
 */
#pragma once

#include "collect/images.h"
#include "collect/jit_names.h"
#include "unwind/walk.h"

struct mapping {
	struct walk_module walk; /* first: low, high, bias, rows */
	module_id module;
	struct image *image;
	bool has_file; /* its bytes can be read from the image */
};

struct address_space {
	ARRAY(struct mapping) mappings;
	struct jit_names *jit; /* owned; NULL until the process maps memory for such code */
	struct walk_cache cache;
	struct walk_cache_entry *cache_entries;
	size_t last; /* where the last look-up found something */
};

struct address_space *address_space_new(void);
struct address_space *address_space_copy(const struct address_space *from);
void address_space_free(struct address_space *space); /* accepts NULL */
void address_space_clear(struct address_space *space);

void address_space_map(
	struct address_space *space, const struct event_mmap *mapping, struct image *image);

/* The mapping that holds ip, or NULL. Borrowed until the space changes. */
const struct mapping *address_space_find(struct address_space *space, uint64_t ip);

/* The same for a walk: with the unwind rows of its image. */
const struct walk_module *address_space_walk_module(struct address_space *space, uint64_t ip);
