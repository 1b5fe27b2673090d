#include "jit/code_map.h"

#include <string.h>

/* A place between ranges: before items[index] of the block; index may be the block's count. */
struct place {
	size_t block, index;
};

void code_map_release(struct code_map *map)
{
	for (size_t i = 0; i < map->blocks.count; i++)
		free(map->blocks.items[i].items);
	array_release(&map->blocks);
}

static struct code_range *block_memory(void)
{
	return alloc_bytes(CODE_BLOCK_MAX * sizeof(struct code_range));
}

void code_map_copy(struct code_map *to, const struct code_map *from)
{
	for (size_t i = 0; i < from->blocks.count; i++) {
		const struct code_block *block = &from->blocks.items[i];
		struct code_block copy = {block_memory(), block->count};

		memcpy(copy.items, block->items, block->count * sizeof(*block->items));
		*array_add(&to->blocks) = copy;
	}
}

static void insert_block(struct code_map *map, size_t at, struct code_block block)
{
	size_t behind = map->blocks.count - at;

	array_add(&map->blocks);
	memmove(map->blocks.items + at + 1, map->blocks.items + at, behind * sizeof(block));
	map->blocks.items[at] = block;
}

static void remove_block(struct code_map *map, size_t at)
{
	free(map->blocks.items[at].items);
	map->blocks.count--;
	memmove(map->blocks.items + at, map->blocks.items + at + 1,
		(map->blocks.count - at) * sizeof(*map->blocks.items));
}

/* Before the first range that ends above the address; in a block that is not there: at the end. */
static struct place first_above(const struct code_map *map, uint64_t address)
{
	size_t low = 0, high = map->blocks.count;
	struct place place;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct code_block *block = &map->blocks.items[middle];

		if (block->items[block->count - 1].high > address)
			high = middle;
		else
			low = middle + 1;
	}
	place = (struct place){low, 0};
	if (low == map->blocks.count)
		return place;
	high = map->blocks.items[low].count;
	for (low = 0; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (map->blocks.items[place.block].items[middle].high > address)
			high = middle;
		else
			low = middle + 1;
	}
	place.index = low;
	return place;
}

/* NULL: at the end. */
static struct code_range *range_at(const struct code_map *map, struct place place)
{
	return place.block < map->blocks.count ? &map->blocks.items[place.block].items[place.index]
					       : NULL;
}

static void split_block(struct code_map *map, size_t at)
{
	struct code_block *lower = &map->blocks.items[at];
	struct code_block upper = {block_memory(), lower->count / 2};

	lower->count -= upper.count;
	memcpy(upper.items, lower->items + lower->count, upper.count * sizeof(*upper.items));
	insert_block(map, at + 1, upper);
}

/* Where there is room for one more. The end belongs to the last block. */
static struct place make_room(struct code_map *map, struct place place)
{
	if (map->blocks.count == 0)
		insert_block(map, 0, (struct code_block){block_memory(), 0});
	if (place.block == map->blocks.count) {
		place.block--;
		place.index = map->blocks.items[place.block].count;
	}
	if (map->blocks.items[place.block].count == CODE_BLOCK_MAX) {
		size_t kept;

		split_block(map, place.block);
		kept = map->blocks.items[place.block].count;
		if (place.index > kept)
			place = (struct place){place.block + 1, place.index - kept};
	}
	return place;
}

static void insert(struct code_map *map, struct place place, struct code_range range)
{
	struct code_block *block;
	struct code_range *at;

	place = make_room(map, place);
	block = &map->blocks.items[place.block];
	at = block->items + place.index;
	memmove(at + 1, at, (block->count - place.index) * sizeof(range));
	*at = range;
	block->count++;
}

/* Returns the place of what followed. */
static struct place remove_range(struct code_map *map, struct place place)
{
	struct code_block *block = &map->blocks.items[place.block];
	struct code_range *at = block->items + place.index;

	block->count--;
	memmove(at, at + 1, (block->count - place.index) * sizeof(*at));
	if (block->count == 0)
		remove_block(map, place.block);
	else if (place.index == block->count)
		place = (struct place){place.block + 1, 0};
	return place;
}

/* Cuts what sticks out of low..high, splits what holds it, drops what it covers. */
static void carve(struct code_map *map, uint64_t low, uint64_t high)
{
	struct place place = first_above(map, low);
	struct code_range *range = range_at(map, place);

	if (range && range->low < low) {
		struct code_range upper = {high, range->high, range->code};

		range->high = low;
		if (upper.high > upper.low) {
			insert(map, (struct place){place.block, place.index + 1}, upper);
			return;
		}
		place = first_above(map, low);
		range = range_at(map, place);
	}
	while (range && range->high <= high) {
		place = remove_range(map, place);
		range = range_at(map, place);
	}
	if (range && range->low < high)
		range->low = high;
}

void code_map_put(struct code_map *map, uint64_t low, uint64_t high, uint32_t code)
{
	if (high <= low)
		return;
	carve(map, low, high);
	if (code)
		insert(map, first_above(map, low), (struct code_range){low, high, code});
}

uint32_t code_map_find(const struct code_map *map, uint64_t address)
{
	const struct code_range *range = range_at(map, first_above(map, address));

	return range && address >= range->low ? range->code : 0;
}
