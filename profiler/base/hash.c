#include "base/hash.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <xxhash.h>

/* The upper half of a hash is kept and picks the slot: up to 2^32 items, enough for 32-bit ids. */
static size_t home_slot(const struct hash *table, uint32_t tag)
{
	return tag & (table->capacity - 1);
}

uint32_t hash_find(
	const struct hash *table, uint64_t hash, hash_same same, const void *owner, const void *key)
{
	uint32_t tag = hash >> 32;

	if (table->capacity == 0)
		return 0;
	for (size_t i = home_slot(table, tag);; i = (i + 1) & (table->capacity - 1)) {
		const struct hash_slot *slot = &table->slots[i];

		if (slot->id == 0)
			return 0;
		if (slot->tag == tag && same(owner, slot->id, key))
			return slot->id;
	}
}

static void place(struct hash *table, struct hash_slot item)
{
	size_t i = home_slot(table, item.tag);

	while (table->slots[i].id != 0)
		i = (i + 1) & (table->capacity - 1);
	table->slots[i] = item;
}

/* The tag alone decides a slot, so a table can grow without asking its owner for the hashes again.
 */
static void grow(struct hash *table, size_t capacity)
{
	struct hash old = *table;

	table->slots = alloc_zeroed(capacity, sizeof(*table->slots));
	table->capacity = capacity;
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].id != 0)
			place(table, old.slots[i]);
	free(old.slots);
}

void hash_reserve(struct hash *table, size_t count)
{
	size_t capacity = 64;

	while (capacity * 3 < count * 4)
		capacity *= 2;
	if (capacity > table->capacity)
		grow(table, capacity);
}

void hash_insert(struct hash *table, uint64_t hash, uint32_t id)
{
	if ((table->count + 1) * 4 > table->capacity * 3)
		grow(table, table->capacity ? table->capacity * 2 : 64);
	place(table, (struct hash_slot){.id = id, .tag = hash >> 32});
	table->count++;
}

void hash_release(struct hash *table)
{
	free(table->slots);
	*table = (struct hash){0};
}

uint64_t hash_bytes(const void *bytes, size_t length)
{
	return XXH3_64bits(bytes, length);
}
