/*
 * code_map: which piece of code an address belongs to at present, where pieces come and go.
 *
 *     put [10,50) -> 1    put [20,30) -> 2        15 -> 1, 25 -> 2, 40 -> 1, 60 -> 0
 *
 * What is put later replaces what it covers: memory of code is used again. Ranges lie sorted in
 * blocks of bounded size, so that putting one among a million moves a few KiB. All zero is the
 * empty map.
 */
#pragma once

#include "base/array.h"

#include <stdint.h>

#define CODE_BLOCK_MAX 256

struct code_range {
	uint64_t low, high; /* high is exclusive */
	uint32_t code;	    /* not 0 */
};

struct code_block {
	struct code_range *items; /* CODE_BLOCK_MAX of room */
	size_t count;		  /* not 0 */
};

struct code_map {
	ARRAY(struct code_block) blocks;
};

void code_map_release(struct code_map *map);

/* An independent copy. `to` is empty before. */
void code_map_copy(struct code_map *to, const struct code_map *from);

/* The addresses belong to `code` from now on; 0: to none. An empty range changes nothing. */
void code_map_put(struct code_map *map, uint64_t low, uint64_t high, uint32_t code);

/* The code that holds the address; 0: none does. */
uint32_t code_map_find(const struct code_map *map, uint64_t address);
