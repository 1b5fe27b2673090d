/*
 * folded: a line per stack, for flamegraph.pl and all that read its input (FlameGraph's README):
 *
 *     segment;main;load;_read_[k] 412
 *
 * Root first. The first frame is the process's name. The number is the metric: microseconds of a
 * time, else a count; 999 Hz are about 1,001 a sample. Inlined calls end in _[i], kernel code in
 * _[k], code made at run time in _[j]. Semicolons and line breaks in names are replaced, since the
 * format has no way to quote them.
 */
#include "base/escape.h"
#include "viz/call_tree.h"

#include <inttypes.h>
#include <string.h>

static const char *annotation(const struct call_tree *tree, const struct call_node *node)
{
	module_id id = items_module(&tree->items, node->item);
	int kind = id ? modules_at(&tree->items.profile->modules, id)->kind : MODULE_SPECIAL;

	if (kind == MODULE_KERNEL)
		return "_[k]";
	if (node->is_inlined)
		return "_[i]";
	return kind == MODULE_JIT ? "_[j]" : "";
}

/* The process's name without its pid, so that equal programs fall together. */
static char *raw_name(const struct call_tree *tree, const struct call_node *node)
{
	const struct item *item = items_at(&tree->items, node->item);
	const struct profile *profile = tree->items.profile;

	if (item->kind != ITEM_PROCESS)
		return items_short_name(&tree->items, node->item);
	return alloc_string(
		strings_get(&profile->strings, threads_process(&profile->threads, item->id)->name));
}

static char *frame_text(const struct call_tree *tree, const struct call_node *node)
{
	char *raw = raw_name(tree, node), *safe = escape_text(raw), *text;

	for (char *c = safe; *c; c++)
		if (*c == ';')
			*c = ':';
	text = alloc_format("%s%s", safe, annotation(tree, node));
	free(raw);
	free(safe);
	return text;
}

typedef ARRAY(char) line_text;

static void append(line_text *line, const char *text)
{
	size_t length = strlen(text);

	array_reserve(line, line->count + length);
	memcpy(line->items + line->count, text, length);
	line->count += length;
}

struct path { /* the current stack as text; where the text of each of its nodes begins */
	line_text text;
	ARRAY(size_t) starts;
};

static void path_push(struct path *path, const char *frame)
{
	*array_add(&path->starts) = path->text.count;
	if (path->text.count)
		append(&path->text, ";");
	append(&path->text, frame);
}

static void path_pop(void *context, node_id id)
{
	struct path *path = context;

	(void)id;
	path->text.count = path->starts.items[--path->starts.count];
}

static uint64_t number_of(const struct measure *measure, uint64_t value)
{
	return measure_unit(measure) == UNIT_NS ? (value + 500) / 1000 : value;
}

static int folded_write(const struct profile *const profiles[], size_t profile_count,
	const struct view_options *options, FILE *out, struct error *err)
{
	enum view_by by = options->selection.by;
	struct call_tree_shape shape = {
		.by = by == VIEW_BY_LINE || by == VIEW_BY_MODULE ? by : VIEW_BY_FUNCTION,
		.below_process = true,
		.below_thread = by == VIEW_BY_THREAD};
	struct measure measure;
	struct call_tree tree;
	struct path path = {0};
	struct call_walk walk = {.tree = &tree, .leave = path_pop, .context = &path};

	(void)profile_count;
	if (measure_init(&measure, &options->selection, profiles[0], err) != 0)
		return -1;
	call_tree_build(&tree, &measure, &shape);
	for (node_id id = call_walk_first(&walk); id; id = call_walk_next(&walk, id, false)) {
		const struct call_node *node = call_tree_at(&tree, id);
		uint64_t number = number_of(&measure, node->cost.self);
		char *text = frame_text(&tree, node);

		path_push(&path, text);
		free(text);
		if (number) {
			fwrite(path.text.items, 1, path.text.count, out);
			fprintf(out, " %" PRIu64 "\n", number);
		}
	}
	array_release(&path.text);
	array_release(&path.starts);
	call_tree_release(&tree);
	return 0;
}

const struct exporter folded_exporter = {
	"folded", "a line per stack, for flamegraph.pl and its kin", "folded", folded_write};
