#include "model/frames.h"

void frames_release(struct frames *frames)
{
	array_release(&frames->items);
	array_release(&frames->functions);
	array_release(&frames->lines);
	hash_release(&frames->frame_table);
	hash_release(&frames->function_table);
}

static bool same_frame(const void *owner, uint32_t id, const void *key)
{
	const struct frame *a = frames_at(owner, id), *b = key;

	return a->file_addr == b->file_addr && a->module == b->module;
}

static uint64_t frame_hash(const struct frame *frame)
{
	return hash_pair(frame->module, frame->file_addr);
}

/* A loader fills `items` alone: most profiles that are read are never added to. */
static void index_loaded_frames(struct frames *frames)
{
	if (frames->frame_table.count >= frames->items.count)
		return;
	hash_reserve(&frames->frame_table, frames->items.count);
	for (size_t i = frames->frame_table.count; i < frames->items.count; i++)
		hash_insert(&frames->frame_table, frame_hash(&frames->items.items[i]), i + 1);
}

frame_id frames_intern(struct frames *frames, module_id module, uint64_t file_addr)
{
	struct frame key = {.module = module, .file_addr = file_addr};
	uint64_t hash = frame_hash(&key);
	frame_id id;

	index_loaded_frames(frames);
	id = hash_find(&frames->frame_table, hash, same_frame, frames, &key);
	if (id)
		return id;
	*array_add(&frames->items) = key;
	id = frames->items.count;
	hash_insert(&frames->frame_table, hash, id);
	return id;
}

/* Of two functions with the same name and no file the entry tells whether they are one. */
static uint64_t distinguishing_entry(const struct function *function)
{
	return function->file ? 0 : function->entry;
}

static bool same_function(const void *owner, uint32_t id, const void *key)
{
	const struct function *a = functions_at(owner, id), *b = key;

	return a->name == b->name && a->module == b->module && a->file == b->file &&
	       a->line == b->line && distinguishing_entry(a) == distinguishing_entry(b);
}

static uint64_t function_hash(const struct function *function)
{
	uint64_t place = hash_pair(
		(uint64_t)function->file << 32 | function->line, distinguishing_entry(function));

	return hash_pair((uint64_t)function->name << 32 | function->module, place);
}

static void index_loaded_functions(struct frames *frames)
{
	const struct function *functions = frames->functions.items;

	if (frames->function_table.count >= frames->functions.count)
		return;
	hash_reserve(&frames->function_table, frames->functions.count);
	for (size_t i = frames->function_table.count; i < frames->functions.count; i++)
		hash_insert(&frames->function_table, function_hash(&functions[i]), i + 1);
}

function_id functions_intern(struct frames *frames, const struct function *function)
{
	uint64_t hash = function_hash(function);
	function_id id;

	index_loaded_functions(frames);
	id = hash_find(&frames->function_table, hash, same_function, frames, function);
	if (id)
		return id;
	*array_add(&frames->functions) = *function;
	id = frames->functions.count;
	hash_insert(&frames->function_table, hash, id);
	return id;
}

void frames_name(struct frames *frames, frame_id id, const struct line *lines, size_t count)
{
	struct frame *frame = frames_at(frames, id);

	frame->first_line = frames->lines.count;
	frame->line_count = count;
	for (size_t i = 0; i < count; i++)
		*array_add(&frames->lines) = lines[i];
}

struct frame *frames_at(const struct frames *frames, frame_id id)
{
	return &frames->items.items[id - 1];
}

const struct function *functions_at(const struct frames *frames, function_id id)
{
	return &frames->functions.items[id - 1];
}

const struct line *frames_lines(const struct frames *frames, frame_id id, size_t *count)
{
	const struct frame *frame = frames_at(frames, id);

	*count = frame->line_count;
	return frames->lines.items + frame->first_line;
}
