#include "model/strings.h"

#include <string.h>

#define BLOCK_SIZE 65536

void strings_release(struct strings *strings)
{
	for (size_t i = 0; i < strings->blocks.count; i++)
		free(strings->blocks.items[i]);
	array_release(&strings->blocks);
	array_release(&strings->items);
	hash_release(&strings->table);
	*strings = (struct strings){0};
}

static bool same_text(const void *owner, uint32_t id, const void *key)
{
	const struct strings *strings = owner;
	const struct string_item *a = &strings->items.items[id - 1], *b = key;

	return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static char *store(struct strings *strings, const char *text, size_t length)
{
	char *copy;

	if (strings->block_size - strings->block_used < length + 1) {
		strings->block_size = length + 1 > BLOCK_SIZE ? length + 1 : BLOCK_SIZE;
		strings->block_used = 0;
		*array_add(&strings->blocks) = alloc_bytes(strings->block_size);
	}
	copy = strings->blocks.items[strings->blocks.count - 1] + strings->block_used;
	memcpy(copy, text, length);
	copy[length] = '\0';
	strings->block_used += length + 1;
	return copy;
}

string_id strings_intern_n(struct strings *strings, const char *text, size_t length)
{
	struct string_item key = {.text = text};
	uint64_t hash;
	string_id id;

	if (length == 0)
		return 0;
	key.length = strnlen(text, length); /* a zero byte ends a text, wherever it came from */
	hash = hash_bytes(text, key.length);
	id = hash_find(&strings->table, hash, same_text, strings, &key);
	if (id || key.length == 0)
		return id;
	*array_add(&strings->items) = (struct string_item){
		.text = store(strings, text, key.length), .length = key.length};
	id = strings->items.count;
	hash_insert(&strings->table, hash, id);
	return id;
}

string_id strings_intern(struct strings *strings, const char *text)
{
	return text ? strings_intern_n(strings, text, strlen(text)) : 0;
}

string_id strings_find(const struct strings *strings, const char *text)
{
	struct string_item key = {.text = text, .length = strlen(text)};

	return hash_find(&strings->table, hash_bytes(text, key.length), same_text, strings, &key);
}

const char *strings_get(const struct strings *strings, string_id id)
{
	return id ? strings->items.items[id - 1].text : "";
}
