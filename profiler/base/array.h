/*
 * array: a growing array of any element type.
 *
 *     ARRAY(struct frame) frames = {0};
 *     *array_add(&frames) = (struct frame){...};
 *     for (size_t i = 0; i < frames.count; i++) use(&frames.items[i]);
 *     array_release(&frames);
 *
 * All zero is the empty array. Adding may move the items: keep indexes, not pointers.
 */
#pragma once

#include "base/alloc.h"

#include <stdlib.h>

#define ARRAY(type)                     \
	struct {                        \
		type *items;            \
		size_t count, capacity; \
	}

/* Makes room for at least `wanted` items in all. */
#define array_reserve(array, wanted)                                                         \
	do {                                                                                 \
		size_t array_wanted_ = (wanted);                                             \
		if ((array)->capacity < array_wanted_) {                                     \
			size_t array_twice_ = (array)->capacity * 2;                         \
			(array)->capacity = array_wanted_ < 8 ? 8 : array_wanted_;           \
			if ((array)->capacity < array_twice_)                                \
				(array)->capacity = array_twice_;                            \
			(array)->items = alloc_resized(                                      \
				(array)->items, (array)->capacity, sizeof(*(array)->items)); \
		}                                                                            \
	} while (0)

/* A pointer to one more item at the end, not initialised. */
#define array_add(array)                                  \
	({                                                \
		array_reserve(array, (array)->count + 1); \
		&(array)->items[(array)->count++];        \
	})

#define array_release(array)                            \
	do {                                            \
		free((array)->items);                   \
		(array)->items = NULL;                  \
		(array)->count = (array)->capacity = 0; \
	} while (0)
