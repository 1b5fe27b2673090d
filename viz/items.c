#include "viz/items.h"

#include <inttypes.h>
#include <string.h>

static bool same_item(const void *owner, uint32_t id, const void *key)
{
	const struct item *a = items_at(owner, id), *b = key;

	return a->id == b->id && a->kind == b->kind && a->line == b->line && a->file == b->file;
}

item_id items_intern(struct items *items, const struct item *item)
{
	uint64_t hash = hash_pair(
		(uint64_t)item->kind << 32 | item->id, (uint64_t)item->file << 32 | item->line);
	item_id id = hash_find(&items->table, hash, same_item, items, item);

	if (id)
		return id;
	*array_add(&items->all) = *item;
	id = items->all.count;
	hash_insert(&items->table, hash, id);
	return id;
}

const struct item *items_at(const struct items *items, item_id id)
{
	return &items->all.items[id - 1];
}

static item_id item_of_line(struct items *items, const struct line *line)
{
	struct item item = {.kind = ITEM_FUNCTION, .id = line->function};

	if (items->by == VIEW_BY_MODULE) {
		item.kind = ITEM_MODULE;
		item.id = functions_at(&items->profile->frames, line->function)->module;
	} else if (items->by == VIEW_BY_LINE) {
		item.kind = ITEM_LINE;
		item.file = line->file;
		item.line = line->line;
	}
	return items_intern(items, &item);
}

void items_init(struct items *items, const struct profile *profile, enum view_by by)
{
	const struct frames *frames = &profile->frames;

	*items = (struct items){.profile = profile, .by = by};
	if (by != VIEW_BY_FUNCTION && by != VIEW_BY_LINE && by != VIEW_BY_MODULE)
		return;
	items->of_line = alloc_zeroed(frames->lines.count + 1, sizeof(*items->of_line));
	for (size_t i = 0; i < frames->lines.count; i++)
		items->of_line[i] = item_of_line(items, &frames->lines.items[i]);
}

void items_release(struct items *items)
{
	array_release(&items->all);
	hash_release(&items->table);
	free(items->of_line);
	items->of_line = NULL;
}

item_id items_of_unnamed(struct items *items, frame_id frame)
{
	struct item item = {.kind = ITEM_ADDRESS, .id = frame};

	if (items->by == VIEW_BY_MODULE) {
		item.kind = ITEM_MODULE;
		item.id = frames_at(&items->profile->frames, frame)->module;
	}
	return items_intern(items, &item);
}

const char *items_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static const char *text_of(const struct items *items, string_id id)
{
	return strings_get(&items->profile->strings, id);
}

static const char *module_name(const struct items *items, module_id id)
{
	return id ? text_of(items, modules_at(&items->profile->modules, id)->name) : "";
}

static const struct function *function_of(const struct items *items, const struct item *item)
{
	return functions_at(&items->profile->frames, item->id);
}

static char *address_name(const struct items *items, frame_id id)
{
	const struct frame *frame = frames_at(&items->profile->frames, id);

	return alloc_format(
		"[%s+0x%" PRIx64 "]", module_name(items, frame->module), frame->file_addr);
}

static char *process_name(const struct items *items, process_id id)
{
	const struct process *process = threads_process(&items->profile->threads, id);

	return alloc_format("%s (%" PRIu32 ")", text_of(items, process->name), process->pid);
}

static char *thread_name(const struct items *items, thread_id id)
{
	const struct threads *threads = &items->profile->threads;
	const struct thread *thread = threads_thread(threads, id);

	return alloc_format("%s (%" PRIu32 "/%" PRIu32 ")", text_of(items, thread->name),
		threads_process(threads, thread->process)->pid, thread->tid);
}

static char *joined(char *left, char *right)
{
	char *both = right[0] ? alloc_format("%s;%s", left, right) : alloc_string(left);

	free(left);
	free(right);
	return both;
}

static char *lines_name(const struct items *items, frame_id frame)
{
	const struct frames *frames = &items->profile->frames;
	char *name = alloc_string("");
	size_t count;
	const struct line *lines = frames_lines(frames, frame, &count);

	if (count == 0) {
		free(name);
		return address_name(items, frame);
	}
	for (size_t i = 0; i < count; i++)
		name = joined(
			alloc_string(text_of(items, functions_at(frames, lines[i].function)->name)),
			name);
	return name;
}

static char *stack_name(const struct items *items, stack_id id)
{
	const struct stacks *stacks = &items->profile->stacks;
	char *name = alloc_string("");

	for (; id >= STACK_END_COUNT; id = stacks_at(stacks, id)->parent)
		name = joined(lines_name(items, stacks_at(stacks, id)->frame), name);
	if (id != STACK_ROOTED)
		name = joined(alloc_format("[%s]", stack_ends[id].name), name);
	return name;
}

char *items_short_name(const struct items *items, item_id id)
{
	const struct item *item = items_at(items, id);

	switch (item->kind) {
	case ITEM_FUNCTION:
	case ITEM_LINE:
		return alloc_string(text_of(items, function_of(items, item)->name));
	case ITEM_ADDRESS:
		return address_name(items, item->id);
	case ITEM_MODULE:
		return alloc_string(module_name(items, item->id));
	case ITEM_THREAD:
		return thread_name(items, item->id);
	case ITEM_PROCESS:
		return process_name(items, item->id);
	case ITEM_STACK:
		return stack_name(items, item->id);
	case ITEM_STACK_END:
		return alloc_format("[%s]", stack_ends[item->id].name);
	}
	return alloc_string("");
}

char *items_name(const struct items *items, item_id id)
{
	const struct item *item = items_at(items, id);
	const struct function *function;
	const char *file, *name;
	uint32_t line;

	if (item->kind != ITEM_FUNCTION && item->kind != ITEM_LINE)
		return items_short_name(items, id);
	function = function_of(items, item);
	name = text_of(items, function->name);
	file = items_source(items, id, &line);
	if (!items_has_symbol(items->profile, function) ||
		modules_at(&items->profile->modules, function->module)->kind == MODULE_SPECIAL)
		return alloc_string(name);
	if (!file[0])
		return alloc_format("{%s:%s}", module_name(items, function->module), name);
	return alloc_format("%s:%" PRIu32 "(%s)", items_base_name(file), line, name);
}

const char *items_source(const struct items *items, item_id id, uint32_t *line)
{
	const struct item *item = items_at(items, id);
	const struct function *function;

	*line = 0;
	if (item->kind != ITEM_FUNCTION && item->kind != ITEM_LINE)
		return "";
	function = function_of(items, item);
	if (item->kind == ITEM_LINE && item->file) {
		*line = item->line;
		return text_of(items, item->file);
	}
	*line = function->line;
	return text_of(items, function->file);
}

module_id items_module(const struct items *items, item_id id)
{
	const struct item *item = items_at(items, id);

	switch (item->kind) {
	case ITEM_FUNCTION:
	case ITEM_LINE:
		return function_of(items, item)->module;
	case ITEM_ADDRESS:
		return frames_at(&items->profile->frames, item->id)->module;
	case ITEM_MODULE:
		return item->id;
	default:
		return 0;
	}
}

const char *items_module_name(const struct items *items, item_id id)
{
	return module_name(items, items_module(items, id));
}

/* Names of addresses are "[module+0x1234]" (frames.h); those of MODULE_SPECIAL are real names. */
bool items_has_symbol(const struct profile *profile, const struct function *function)
{
	const char *name = strings_get(&profile->strings, function->name);

	return name[0] != '[' || !strstr(name, "+0x") ||
	       modules_at(&profile->modules, function->module)->kind == MODULE_SPECIAL;
}

bool items_know_program(const struct profile *profile)
{
	for (size_t i = 0; i < profile->modules.items.count; i++)
		if (profile->modules.items.items[i].flags & MODULE_IS_PROGRAM)
			return true;
	return false;
}
