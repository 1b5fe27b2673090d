/*
 * tree: the call tree as pyinstrument prints it.
 *
 *     0.532 segment (4711)
 *     └─ 0.530 main  segment.c:100
 *        ├─ 0.401 load  load.c:12
 *        │     [3 frames hidden]  libc.so.6, kernel
 *        └─ 0.129 color  color.c:7
 *
 * Frames of libraries and of the kernel that follow each other are a group: shown are its first
 * frame, those that call back into the program, and those of great cost; the others are counted in
 * "[3 frames hidden]". What is below 1 % of the whole is left out.
 */
#include "base/escape.h"
#include "viz/header.h"
#include "viz/totals.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_SELF_SHARE  0.2	/* of the whole: a grouped frame's own cost that is shown anyway */
#define FLAT_THRESHOLD	  0.001 /* of the whole */
#define GROUP_NAMES_WIDTH 40
#define DEEPEST		  256 /* levels that are printed */

/* What the view knows about a node beyond its cost. */
struct role {
	node_id group; /* first node of the group of library frames that it is in; 0: none */
	node_id first_child, next_sibling; /* of the tree that is shown */
	bool is_kept;			   /* not below the threshold */
	bool is_shown;			   /* has a line of its own */
	size_t hidden; /* of a group's first node: how many of the group have no line */
};

struct tree_view {
	const struct measure *measure;
	const struct view_options *options;
	struct call_tree tree;
	struct role *roles; /* by node_id */
	node_id first_root; /* of the tree that is shown */
	bool knows_program; /* some module is known as the recorded program */
	uint64_t threshold; /* cost below which a node is left out */
	size_t left_out;
	uint64_t too_deep; /* cost of what is deeper than DEEPEST */
	char indent[DEEPEST * 8];
	FILE *out;
};

/* --- what is shown ------------------------------------------------------------------------------
 */

static bool matches(const char *pattern, const struct items *items, item_id item)
{
	const struct profile *profile = items->profile;
	module_id module = items_module(items, item);
	uint32_t line;
	const char *path;

	if (!pattern)
		return false;
	if (fnmatch(pattern, items_source(items, item, &line), 0) == 0)
		return true;
	path = module ? strings_get(&profile->strings, modules_at(&profile->modules, module)->path)
		      : "";
	return fnmatch(pattern, path, 0) == 0 || fnmatch(pattern, items_base_name(path), 0) == 0;
}

/* Libraries are files other than the program's own; what no user wrote into it. */
static bool is_library(const struct tree_view *view, item_id item)
{
	const struct items *items = &view->tree.items;
	const struct tree_options *options = &view->options->tree;
	module_id id = items_module(items, item);
	const struct module *module;

	if (options->show_all || id == 0 || matches(options->show, items, item))
		return false;
	if (matches(options->hide, items, item))
		return true;
	module = modules_at(&items->profile->modules, id);
	if (module->kind == MODULE_KERNEL || module->kind == MODULE_VDSO)
		return true;
	return module->kind == MODULE_FILE && view->knows_program &&
	       !(module->flags & MODULE_IS_PROGRAM);
}

/* Parents come first: a node is kept, and in a group, depending on its parent. */
static void assign_groups(struct tree_view *view)
{
	for (node_id id = 1; id <= view->tree.nodes.count; id++) {
		const struct call_node *node = call_tree_at(&view->tree, id);
		struct role *role = &view->roles[id], *parent = &view->roles[node->parent];
		bool has_kept_parent = node->parent == 0 || parent->is_kept;

		role->is_kept =
			has_kept_parent && node->cost.total > 0 &&
			(view->options->tree.show_all || node->cost.total >= view->threshold);
		view->left_out += has_kept_parent && !role->is_kept && node->cost.total > 0;
		if (role->is_kept && is_library(view, node->item))
			role->group = node->parent && parent->group ? parent->group : id;
	}
}

/* Children come first: a grouped node that calls back into other code is shown. */
static void choose_lines(struct tree_view *view)
{
	double great_cost = SHOWN_SELF_SHARE * (double)view->tree.all.total;

	for (node_id id = view->tree.nodes.count; id > 0; id--) {
		const struct call_node *node = call_tree_at(&view->tree, id);
		struct role *role = &view->roles[id];

		if (!role->is_kept)
			continue;
		if (!role->group || role->group == id || (double)node->cost.self > great_cost)
			role->is_shown = true;
		if (!role->is_shown)
			view->roles[role->group].hidden++;
		if (node->parent && !role->group && view->roles[node->parent].group &&
			!view->roles[node->parent].is_shown)
			view->roles[node->parent].is_shown = true;
	}
	for (node_id id = 1; id <= view->tree.nodes.count; id++) {
		struct role *role = &view->roles[id];

		if (role->is_kept && !role->is_shown && view->roles[role->group].hidden < 2)
			role->is_shown = true;
		if (role->is_kept && role->group == id && role->hidden < 2)
			role->hidden = 0;
	}
}

struct shown { /* a line and the one that it hangs below */
	node_id id, parent;
	uint64_t total;
};

static int compare_shown(const void *a, const void *b)
{
	const struct shown *left = a, *right = b;

	if (left->parent != right->parent)
		return left->parent < right->parent ? -1 : 1;
	if (left->total != right->total)
		return left->total > right->total ? -1 : 1;
	return left->id < right->id ? -1 : left->id > right->id;
}

/* Links the shown nodes below their nearest shown ancestors, the most costly first. */
static void link_lines(struct tree_view *view)
{
	ARRAY(struct shown) lines = {0};
	node_id *ancestor = alloc_zeroed(view->tree.nodes.count + 1, sizeof(*ancestor));

	for (node_id id = 1; id <= view->tree.nodes.count; id++) {
		const struct call_node *node = call_tree_at(&view->tree, id);

		ancestor[id] = view->roles[id].is_shown ? id : ancestor[node->parent];
		if (view->roles[id].is_shown)
			*array_add(&lines) =
				(struct shown){id, ancestor[node->parent], node->cost.total};
	}
	if (lines.count)
		qsort(lines.items, lines.count, sizeof(struct shown), compare_shown);
	while (lines.count > 0) {
		struct shown *line = &lines.items[--lines.count];
		node_id *first =
			line->parent ? &view->roles[line->parent].first_child : &view->first_root;

		view->roles[line->id].next_sibling = *first;
		*first = line->id;
	}
	array_release(&lines);
	free(ancestor);
}

/* --- lines --------------------------------------------------------------------------------------
 */

static const char *color_of(const struct tree_view *view, uint64_t value)
{
	double percent = measure_percent(value, view->tree.all.total);

	return percent > 60   ? "\033[31m"
	       : percent > 20 ? "\033[33m"
	       : percent > 5  ? "\033[32m"
			      : "\033[92;2m";
}

static void put_colored(const struct tree_view *view, const char *color, const char *text)
{
	if (view->options->color && text[0])
		fprintf(view->out, "%s%s\033[0m", color, text);
	else
		fputs(text, view->out);
}

/* What is left of the terminal's line after `used` columns; 0: no limit. */
static size_t room_after(const struct tree_view *view, size_t used)
{
	size_t columns = view->options->columns;

	return columns == 0 ? 0 : columns > used + 16 ? columns - used : 16;
}

/* "segment.c:100" of code with source, else the module. */
static char *position_of(const struct tree_view *view, item_id item)
{
	const struct items *items = &view->tree.items;
	char *raw, *safe;
	uint32_t line;
	const char *source = items_source(items, item, &line);

	if (items_at(items, item)->kind == ITEM_MODULE)
		return alloc_string("");
	raw = source[0] ? alloc_format("%s:%" PRIu32, items_base_name(source), line)
			: alloc_string(items_module_name(items, item));
	safe = escape_text(raw);
	free(raw);
	return safe;
}

static bool is_program_code(const struct tree_view *view, item_id item)
{
	module_id id = items_module(&view->tree.items, item);
	const struct profile *profile = view->measure->profile;

	return id && modules_at(&profile->modules, id)->flags & MODULE_IS_PROGRAM;
}

/* "0.530 main  segment.c:100"; `used` columns of the line are taken. */
static void put_item(
	const struct tree_view *view, size_t used, uint64_t value, const char *label, item_id item)
{
	char number[32], *position = position_of(view, item), *name;
	size_t room, width;

	snprintf(number, sizeof(number), "%.*f", measure_decimals(view->measure),
		measure_number(view->measure, value));
	put_colored(view, color_of(view, value), number);
	room = room_after(view, used + strlen(number) + 1);
	name = escape_fit(label, room);
	fputc(' ', view->out);
	put_colored(view, is_program_code(view, item) ? "\033[48;5;24;38;5;15m" : "", name);
	width = escape_width(name) + 2;
	if (position[0] && strcmp(position, label) != 0 && (room == 0 || room > width + 3)) {
		char *fitting = escape_fit(position, room ? room - width : 0);

		fputs("  ", view->out);
		put_colored(view, "\033[2m", fitting);
		free(fitting);
	}
	fputc('\n', view->out);
	free(name);
	free(position);
}

static void put_node(const struct tree_view *view, size_t used, node_id id)
{
	const struct call_node *node = call_tree_at(&view->tree, id);
	char *raw = items_short_name(&view->tree.items, node->item), *label = escape_text(raw);

	put_item(view, used, node->cost.total, label, node->item);
	free(raw);
	free(label);
}

/* Adds a module to the list "libc.so.6, kernel", once; false when the list is full. */
static bool add_module(struct tree_view *view, char *list, size_t size, item_id item)
{
	char *name = escape_text(items_module_name(&view->tree.items, item));
	const char *place = strstr(list, name);
	size_t used = strlen(list), length = strlen(name);
	bool is_there = place && (place == list || place[-1] == ' ') &&
			(place[length] == ',' || place[length] == '\0');
	bool fits = used + length + 2 < size;

	if (!is_there && fits)
		snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
	free(name);
	return is_there || fits;
}

/* "[3 frames hidden]  libc.so.6, kernel" */
static void put_hidden(struct tree_view *view, node_id group, size_t used)
{
	struct call_walk walk = {.tree = &view->tree, .within = group};
	char list[GROUP_NAMES_WIDTH + 8] = "", *text, *fitting;
	bool is_whole = true, is_inside;

	for (node_id id = group; id && is_whole; id = call_walk_next(&walk, id, !is_inside)) {
		const struct role *role = &view->roles[id];

		is_inside = role->is_kept && role->group == group;
		if (is_inside && !role->is_shown)
			is_whole = add_module(
				view, list, GROUP_NAMES_WIDTH, call_tree_at(&view->tree, id)->item);
	}
	text = alloc_format("[%zu frames hidden]  %s%s", view->roles[group].hidden, list,
		is_whole  ? ""
		: list[0] ? ", ..."
			  : "...");
	fitting = escape_fit(text, room_after(view, used + 3));
	fprintf(view->out, "%s   ", view->indent);
	put_colored(view, "\033[2m", fitting);
	fputc('\n', view->out);
	free(text);
	free(fitting);
}

/* Own cost is worth a line where there are others to compare it with. */
static bool shows_self(const struct tree_view *view, node_id id)
{
	const struct call_node *node = call_tree_at(&view->tree, id);

	return view->roles[id].first_child && node->cost.self > 0 &&
	       node->cost.self >= view->threshold;
}

static void put_subtree(struct tree_view *view, node_id id, size_t depth);

/* One of a node's lines: its own cost (id 0) or a child; the branch before it, and below it. */
static void put_branch(
	struct tree_view *view, node_id parent, node_id id, bool is_last, size_t depth)
{
	const struct call_node *node = call_tree_at(&view->tree, parent);
	bool unicode = view->options->tree.unicode;
	size_t length = strlen(view->indent);

	fprintf(view->out, "%s%s", view->indent,
		unicode ? (is_last ? "└─ " : "├─ ") : (is_last ? "`- " : "|- "));
	if (id == 0) {
		put_item(view, (depth + 1) * 3, node->cost.self, "[self]", node->item);
		return;
	}
	put_node(view, (depth + 1) * 3, id);
	strcpy(view->indent + length, is_last ? "   " : unicode ? "│  " : "|  ");
	put_subtree(view, id, depth + 1);
	view->indent[length] = '\0';
}

/* What hangs below a line. Costs fall along the siblings; own cost has its place among them. */
static void put_subtree(struct tree_view *view, node_id id, size_t depth)
{
	const struct role *role = &view->roles[id];
	const struct call_node *node = call_tree_at(&view->tree, id);
	bool self_is_due = shows_self(view, id);

	if (role->hidden)
		put_hidden(view, id, depth * 3);
	if (depth + 2 >= DEEPEST) {
		view->too_deep += role->first_child ? node->cost.total - node->cost.self : 0;
		return;
	}
	for (node_id child = role->first_child; child; child = view->roles[child].next_sibling) {
		bool is_last = view->roles[child].next_sibling == 0;

		if (self_is_due &&
			node->cost.self >= call_tree_at(&view->tree, child)->cost.total) {
			put_branch(view, id, 0, false, depth);
			self_is_due = false;
		}
		put_branch(view, id, child, is_last && !self_is_due, depth);
	}
	if (self_is_due)
		put_branch(view, id, 0, true, depth);
}

static void put_tree(struct tree_view *view)
{
	for (node_id id = view->first_root; id; id = view->roles[id].next_sibling) {
		put_node(view, 0, id);
		put_subtree(view, id, 0);
	}
}

/* --- flat ---------------------------------------------------------------------------------------
 */

static int compare_self(const void *a, const void *b, void *context)
{
	const struct totals *totals = context;
	item_id left = *(const item_id *)a, right = *(const item_id *)b;
	uint64_t left_self = totals->of[left].self, right_self = totals->of[right].self;

	if (left_self != right_self)
		return left_self > right_self ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* All functions by their own cost. */
static void put_flat(struct tree_view *view)
{
	double threshold = FLAT_THRESHOLD * (double)view->tree.all.total;
	ARRAY(item_id) order = {0};
	struct totals totals;

	totals_build(&totals, &view->tree, false);
	for (item_id id = 1; id <= totals.item_count; id++)
		if (totals.of[id].self > 0 && (double)totals.of[id].self >= threshold)
			*array_add(&order) = id;
	if (order.count)
		qsort_r(order.items, order.count, sizeof(item_id), compare_self, &totals);
	for (size_t i = 0; i < order.count; i++) {
		char *raw = items_short_name(&view->tree.items, order.items[i]);
		char *label = escape_text(raw);

		put_item(view, 0, totals.of[order.items[i]].self, label, order.items[i]);
		free(raw);
		free(label);
	}
	array_release(&order);
	totals_release(&totals);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void put_notes(const struct tree_view *view)
{
	char text[64];

	if (view->left_out)
		fprintf(view->out,
			"\n%zu branch%s below %g %% of the whole left out: --show-all shows all\n",
			view->left_out, view->left_out == 1 ? "" : "es",
			view->options->tree.threshold * 100);
	if (view->too_deep)
		fprintf(view->out, "\n%s deeper than %d levels are not drawn\n",
			measure_text(view->measure, view->too_deep, text, sizeof(text)), DEEPEST);
}

static void put_report(struct tree_view *view)
{
	struct header header;

	header_init(&header, view->measure);
	header_wrap(&header, view->options->columns);
	header_write(&header, "", view->out);
	header_release(&header);
	fputc('\n', view->out);
	if (view->tree.all.total == 0) {
		fprintf(view->out, "No samples were recorded.\n");
		return;
	}
	if (view->options->tree.flat) {
		put_flat(view);
		return;
	}
	assign_groups(view);
	choose_lines(view);
	link_lines(view);
	put_tree(view);
	put_notes(view);
}

static int tree_write(const struct profile *const profiles[], size_t profile_count,
	const struct view_options *options, FILE *out, struct error *err)
{
	enum view_by by = options->selection.by;
	struct call_tree_shape shape = {
		.by = by == VIEW_BY_LINE || by == VIEW_BY_MODULE ? by : VIEW_BY_FUNCTION,
		.below_process = !options->tree.flat,
		.below_thread = by == VIEW_BY_THREAD && !options->tree.flat};
	struct tree_view view = {.options = options, .out = out};
	struct measure measure;

	(void)profile_count;
	if (measure_init(&measure, &options->selection, profiles[0], err) != 0)
		return -1;
	view.measure = &measure;
	call_tree_build(&view.tree, &measure, &shape);
	view.threshold = (uint64_t)(options->tree.threshold * (double)view.tree.all.total);
	view.roles = alloc_zeroed(view.tree.nodes.count + 1, sizeof(*view.roles));
	view.knows_program = items_know_program(profiles[0]);
	put_report(&view);
	free(view.roles);
	call_tree_release(&view.tree);
	return 0;
}

const struct exporter tree_exporter = {"tree", "the call tree of pyinstrument", "txt", tree_write};
