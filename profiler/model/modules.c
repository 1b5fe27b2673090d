#include "model/modules.h"

void modules_release(struct modules *modules)
{
	array_release(&modules->items);
	hash_release(&modules->table);
}

static bool same_module(const void *owner, uint32_t id, const void *key)
{
	const struct module *a = modules_at(owner, id), *b = key;

	return a->path == b->path && a->kind == b->kind &&
	       build_id_equal(&a->build_id, &b->build_id);
}

static uint64_t module_hash(const struct module *module)
{
	return hash_pair(module->path,
		hash_bytes(module->build_id.bytes, module->build_id.length) + module->kind);
}

/* A loader fills `items` alone: most profiles that are read are never added to. */
static void index_loaded(struct modules *modules)
{
	for (size_t i = modules->table.count; i < modules->items.count; i++)
		hash_insert(&modules->table, module_hash(&modules->items.items[i]), i + 1);
}

module_id modules_intern(struct modules *modules, struct strings *strings, const char *path,
	enum module_kind kind, const struct build_id *build_id)
{
	const char *slash = kind == MODULE_FILE ? strrchr(path, '/') : NULL;
	struct module key = {.path = strings_intern(strings, path), .kind = kind};
	uint64_t hash;
	module_id id;

	if (build_id)
		key.build_id = *build_id;
	hash = module_hash(&key);
	index_loaded(modules);
	id = hash_find(&modules->table, hash, same_module, modules, &key);
	if (id)
		return id;
	key.name = strings_intern(strings, slash ? slash + 1 : path);
	*array_add(&modules->items) = key;
	id = modules->items.count;
	hash_insert(&modules->table, hash, id);
	return id;
}

struct module *modules_at(const struct modules *modules, module_id id)
{
	return &modules->items.items[id - 1];
}
