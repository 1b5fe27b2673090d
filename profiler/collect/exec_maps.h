/*
 * exec_maps: which executable mappings of a process have been told already, where the kernel does
 * not tell of each as it comes: /proc/PID/maps is read again, and what is new is told.
 */
#pragma once

#include "base/array.h"
#include "collect/event.h"

struct exec_map {
	uint64_t address, length, offset, path_hash;
};

struct exec_maps {
	ARRAY(struct exec_map) items; /* as read last: by address */
	uint64_t due_ns;	      /* not to be read again before; a look costs */
	unsigned misses;	      /* times in a row that nothing new was found */
	uint64_t begin_ns;	      /* when they were read first */
	uint64_t stale_ns; /* to be read again after, whether or not something is amiss */
};

typedef void exec_maps_visit(void *context, const struct event_mmap *mapping);

/* Forgets everything: the process runs another program. */
void exec_maps_clear(struct exec_maps *maps);
void exec_maps_copy(struct exec_maps *to, const struct exec_maps *from); /* a fork */
void exec_maps_release(struct exec_maps *maps);

/* Whether the mappings must be read, now that the process was seen at ip. */
bool exec_maps_is_due(const struct exec_maps *maps, uint64_t ip, uint64_t now_ns);

/* An address that is in none of them was on a stack. */
void exec_maps_suspect(struct exec_maps *maps);

/* Reads the mappings and calls visit for each that is new, the program's own file first. */
void exec_maps_read(struct exec_maps *maps, uint32_t pid, exec_maps_visit *visit, void *context);
