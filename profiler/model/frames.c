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

frame_id frames_intern(struct frames *frames, module_id module, uint64_t file_addr)
{
	struct frame key = {.module = module, .file_addr = file_addr};
	uint64_t hash = hash_pair(module, file_addr);
	frame_id id = hash_find(&frames->frame_table, hash, same_frame, frames, &key);

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

function_id functions_intern(struct frames *frames, const struct function *function)
{
	uint64_t place = hash_pair(
		(uint64_t)function->file << 32 | function->line, distinguishing_entry(function));
	uint64_t hash = hash_pair((uint64_t)function->name << 32 | function->module, place);
	function_id id = hash_find(&frames->function_table, hash, same_function, frames, function);

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
