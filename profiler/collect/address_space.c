#include "collect/address_space.h"

#include <stdlib.h>
#include <string.h>

#define CACHE_ENTRIES 1024

struct address_space *address_space_new(void)
{
	struct address_space *space = alloc_zeroed(1, sizeof(*space));

	space->cache_entries = alloc_zeroed(CACHE_ENTRIES, sizeof(*space->cache_entries));
	walk_cache_init(&space->cache, space->cache_entries, CACHE_ENTRIES);
	return space;
}

struct address_space *address_space_copy(const struct address_space *from)
{
	struct address_space *space = address_space_new();

	array_reserve(&space->mappings, from->mappings.count);
	memcpy(space->mappings.items, from->mappings.items,
		from->mappings.count * sizeof(*from->mappings.items));
	space->mappings.count = from->mappings.count;
	return space;
}

void address_space_free(struct address_space *space)
{
	if (!space)
		return;
	array_release(&space->mappings);
	jit_names_free(space->jit);
	free(space->cache_entries);
	free(space);
}

void address_space_clear(struct address_space *space)
{
	space->mappings.count = 0;
	jit_names_free(space->jit);
	space->jit = NULL;
	space->last = 0;
	walk_cache_clear(&space->cache);
}

/* The first mapping that ends above `address`. */
static size_t first_above(const struct address_space *space, uint64_t address)
{
	size_t low = 0, high = space->mappings.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->mappings.items[middle].walk.high > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void insert_at(struct address_space *space, size_t index, struct mapping mapping)
{
	size_t behind = space->mappings.count - index;

	array_add(&space->mappings);
	memmove(space->mappings.items + index + 1, space->mappings.items + index,
		behind * sizeof(mapping));
	space->mappings.items[index] = mapping;
}

static void remove_at(struct address_space *space, size_t index)
{
	space->mappings.count--;
	memmove(space->mappings.items + index, space->mappings.items + index + 1,
		(space->mappings.count - index) * sizeof(*space->mappings.items));
}

/* Makes room for low..high: cuts what sticks out, splits what holds it, drops what it covers. */
static size_t carve(struct address_space *space, uint64_t low, uint64_t high)
{
	size_t i = first_above(space, low);

	if (i < space->mappings.count && space->mappings.items[i].walk.low < low) {
		struct mapping upper = space->mappings.items[i];

		space->mappings.items[i++].walk.high = low;
		if (upper.walk.high > high) {
			upper.walk.low = high;
			insert_at(space, i, upper);
			return i;
		}
	}
	while (i < space->mappings.count && space->mappings.items[i].walk.high <= high)
		remove_at(space, i);
	if (i < space->mappings.count && space->mappings.items[i].walk.low < high)
		space->mappings.items[i].walk.low = high;
	return i;
}

void address_space_map(
	struct address_space *space, const struct event_mmap *mapping, struct image *image)
{
	uint64_t high = mapping->address + mapping->length, file_addr;
	struct mapping new = {.walk = {.low = mapping->address, .high = high},
		.module = image->module,
		.image = image};

	if (high <= mapping->address)
		return;
	new.has_file = image->file &&elf_file_addr(image->file, mapping->offset, &file_addr);
	if (new.has_file)
		new.walk.bias = mapping->address - file_addr;
	else if (!image->is_jit)
		new.walk.bias = mapping->address - mapping->offset;
	insert_at(space, carve(space, mapping->address, high), new);
	space->last = 0;
	walk_cache_clear(&space->cache);
}

const struct mapping *address_space_find(struct address_space *space, uint64_t ip)
{
	const struct mapping *mapping = space->mappings.items + space->last;

	if (space->last < space->mappings.count && ip >= mapping->walk.low &&
		ip < mapping->walk.high)
		return mapping;
	space->last = first_above(space, ip);
	mapping = space->mappings.items + space->last;
	return space->last < space->mappings.count && ip >= mapping->walk.low ? mapping : NULL;
}

const struct walk_module *address_space_walk_module(struct address_space *space, uint64_t ip)
{
	struct mapping *mapping = (struct mapping *)address_space_find(space, ip);

	if (!mapping)
		return NULL;
	if (!mapping->walk.rows && mapping->has_file)
		mapping->walk.rows = image_rows(mapping->image);
	return &mapping->walk;
}
