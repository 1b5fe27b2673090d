/*
 * range_map: finds the innermost of many nested address ranges that holds an address.
 *
 *     add [10,50) -> 1   add [20,30) -> 2      15 -> 1, 25 -> 2, 40 -> 1, 60 -> 0
 *
 * Ranges are collected, then sealed into sorted starts, each with the value that holds from there
 * to the next one: a lookup is one binary search, and any number of ranges may overlap in any way.
 * All zero is the empty map.
 */
#pragma once

#include "base/array.h"

#include <stdint.h>

struct range {
	uint64_t low, high; /* high is exclusive */
	uint32_t value;	    /* not 0 */
	uint32_t depth;	    /* where two ranges start together, the deeper one is inside */
};

struct range_start {
	uint64_t low;
	uint32_t value; /* 0: nothing holds from here on */
};

struct range_map {
	ARRAY(struct range) ranges; /* until it is sealed */
	ARRAY(struct range_start) starts;
};

/* Empty and reversed ranges are left out. */
void range_map_add(struct range_map *map, struct range range);
void range_map_seal(struct range_map *map);
void range_map_release(struct range_map *map);

/* The value of the innermost range that holds the address; 0: none does. Of a sealed map. */
uint32_t range_map_find(const struct range_map *map, uint64_t address);
