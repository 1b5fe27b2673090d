#include "symbols/range_map.h"

void range_map_add(struct range_map *map, struct range range)
{
	if (range.low < range.high)
		*array_add(&map->ranges) = range;
}

/* Outer ranges first: by start, by depth, the longer one first. */
static int compare_ranges(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->high != b->high)
		return a->high > b->high ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

/* The ranges that are open at the place that the sweep has come to, innermost last. */
struct sweep {
	struct range_map *map;
	ARRAY(const struct range *) open;
};

static void start_value(struct range_map *map, uint64_t low, uint32_t value)
{
	struct range_start *last =
		map->starts.count ? &map->starts.items[map->starts.count - 1] : NULL;

	if (last && last->low == low)
		last->value = value;
	else if (last ? last->value != value : value != 0)
		*array_add(&map->starts) = (struct range_start){low, value};
}

/* Closes what ends at or before `limit`. A range may end before one that was opened inside it. */
static void close_until(struct sweep *sweep, uint64_t limit)
{
	while (sweep->open.count) {
		uint64_t end = sweep->open.items[sweep->open.count - 1]->high;

		if (end > limit)
			return;
		while (sweep->open.count && sweep->open.items[sweep->open.count - 1]->high <= end)
			sweep->open.count--;
		start_value(sweep->map, end,
			sweep->open.count ? sweep->open.items[sweep->open.count - 1]->value : 0);
	}
}

void range_map_seal(struct range_map *map)
{
	struct sweep sweep = {.map = map};

	if (map->ranges.count)
		qsort(map->ranges.items, map->ranges.count, sizeof(struct range), compare_ranges);
	for (size_t i = 0; i < map->ranges.count; i++) {
		const struct range *range = &map->ranges.items[i];

		close_until(&sweep, range->low);
		*array_add(&sweep.open) = range;
		start_value(map, range->low, range->value);
	}
	close_until(&sweep, UINT64_MAX);
	array_release(&sweep.open);
	array_release(&map->ranges);
}

void range_map_release(struct range_map *map)
{
	array_release(&map->ranges);
	array_release(&map->starts);
}

uint32_t range_map_find(const struct range_map *map, uint64_t address)
{
	size_t low = 0,
	       high = map->starts.count; /* the answer is the last start in front of `high` */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->starts.items[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? map->starts.items[low - 1].value : 0;
}
