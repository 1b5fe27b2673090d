/*
 * hash: finds the number of an item by its content.
 *
 * The items live in an array of their owner and are numbered from 1 (0 is "none"); the table holds
 * only numbers and the hashes' upper halves, in open addressing with linear probing. The owner says
 * whether item `id` equals the key that is looked for:
 *
 *     id = hash_find(&table, hash, same_frame, frames, &key);
 *     if (!id) { add the item as number id = count + 1; hash_insert(&table, hash, id); }
 *
 * All zero is the empty table. Hash functions are xxHash's XXH3 (libxxhash).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
	uint32_t id;  /* 0: free */
	uint32_t tag; /* upper half of the hash: picks the slot and spares most comparisons */
};

struct hash {
	struct hash_slot *slots;
	size_t capacity; /* 0 or a power of two */
	size_t count;
};

typedef bool (*hash_same)(const void *owner, uint32_t id, const void *key);

/* The number of the item equal to key, or 0. */
uint32_t hash_find(const struct hash *table, uint64_t hash, hash_same same, const void *owner,
	const void *key);

/* Remembers `id` under `hash`; the caller has made sure that it is not there yet. */
void hash_insert(struct hash *table, uint64_t hash, uint32_t id);

/* Makes room for `count` items in all, so that a loader grows the table once. */
void hash_reserve(struct hash *table, size_t count);

void hash_release(struct hash *table);

uint64_t hash_bytes(const void *bytes, size_t length);

/* Mixes two words into a hash; for keys of up to 16 bytes. */
static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
	unsigned __int128 product =
		(unsigned __int128)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD1B54A32D192ED03u);

	product += (uint64_t)(product >> 64);
	uint64_t mixed = ((uint64_t)product ^ a) * 0xFF51AFD7ED558CCDu;

	return mixed ^ (mixed >> 32);
}
