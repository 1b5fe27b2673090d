/*
 * dot: the call graph in Graphviz' language, with gprof2dot's look, options and pruning.
 *
 *     cprof dot out.prof | dot -Tpng > out.png
 *
 * A node is a function with its share of the whole (and its own in parentheses), an edge is a call
 * with the share that passed through it. All shares come from whole stacks, also those of recursive
 * functions: each counts once per stack. --root and --leaf restrict the stacks, so that what
 * remains is the cost between the two. The output is sorted by name: equal profiles, equal text.
 */
#include "base/escape.h"
#include "viz/dot_theme.h"
#include "viz/header.h"
#include "viz/totals.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#define NAME_LIMIT   4095 /* characters; dot reads tokens of up to 16 KiB */
#define ID_LIMIT     1024 /* bytes; longer ids are hashed */
#define WRAP_WIDTH   32	  /* characters of a name's line with --wrap */
#define LEGEND_WIDTH 110

enum label_part { SELF_TIME, SELF_SHARE, TOTAL_TIME, TOTAL_SHARE, LABEL_PART_COUNT };

static const char *const label_names[LABEL_PART_COUNT] = {
	[SELF_TIME] = "self-time",
	[SELF_SHARE] = "self-time-percentage",
	[TOTAL_TIME] = "total-time",
	[TOTAL_SHARE] = "total-time-percentage",
};

struct dot_node {
	item_id item;
	char *id; /* unquoted */
};

struct dot {
	const struct measure *measure;
	const struct dot_options *options;
	const struct dot_theme *theme;
	enum label_part parts[LABEL_PART_COUNT];
	size_t part_count;
	struct call_tree tree;
	struct totals totals;
	ARRAY(struct dot_node) nodes; /* sorted by id */
	uint32_t *rank;		      /* by item_id: position in nodes + 1; 0: not drawn */
	uint64_t greatest_self;
	FILE *out;
};

/* --- options ------------------------------------------------------------------------------------
 */

static int choose_parts(struct dot *dot, struct error *err)
{
	const struct dot_options *options = dot->options;

	if (options->label_count == 0) {
		dot->parts[dot->part_count++] = TOTAL_SHARE;
		dot->parts[dot->part_count++] = SELF_SHARE;
		return 0;
	}
	for (size_t i = 0; i < options->label_count; i++) {
		size_t part = 0;

		while (part < LABEL_PART_COUNT &&
			strcmp(label_names[part], options->labels[i]) != 0)
			part++;
		if (part == LABEL_PART_COUNT)
			return error_set(err,
				"unknown node label '%s': known labels are %s, %s, %s, %s",
				options->labels[i], label_names[0], label_names[1], label_names[2],
				label_names[3]);
		if (dot->part_count < LABEL_PART_COUNT)
			dot->parts[dot->part_count++] = part;
	}
	return 0;
}

/* Which items' names match the pattern: the bare name or the one with its file or module. */
static bool *find_matches(
	const struct dot *dot, const char *pattern, const char *option, struct error *err)
{
	const struct items *items = &dot->tree.items;
	bool *matches = alloc_zeroed(items->all.count + 1, sizeof(*matches));
	bool is_found = false;

	for (item_id id = 1; id <= items->all.count; id++) {
		char *bare = items_short_name(items, id), *whole = items_name(items, id);

		matches[id] = fnmatch(pattern, bare, 0) == 0 || fnmatch(pattern, whole, 0) == 0;
		is_found |= matches[id];
		free(bare);
		free(whole);
	}
	if (is_found)
		return matches;
	free(matches);
	error_set(err, "no function matches --%s '%s': `cprof report` lists them", option, pattern);
	return NULL;
}

static int restrict_stacks(struct dot *dot, struct error *err)
{
	const struct dot_options *options = dot->options;
	struct call_tree_bounds bounds = {.depth = options->depth};
	bool *root = NULL, *leaf = NULL;
	int result = -1;

	if (options->root && !(root = find_matches(dot, options->root, "root", err)))
		goto out;
	if (options->leaf && !(leaf = find_matches(dot, options->leaf, "leaf", err)))
		goto out;
	bounds.root = root;
	bounds.leaf = leaf;
	if (root || leaf || bounds.depth)
		call_tree_restrict(&dot->tree, &bounds);
	result = 0;
out:
	free(root);
	free(leaf);
	return result;
}

static bool is_on_path(const struct dot *dot, item_id item)
{
	const struct dot_options *options = dot->options;
	const struct profile *profile = dot->measure->profile;
	module_id module = items_module(&dot->tree.items, item);
	uint32_t line;
	const char *source = items_source(&dot->tree.items, item, &line), *path = "";

	if (module)
		path = strings_get(&profile->strings, modules_at(&profile->modules, module)->path);
	for (size_t i = 0; i < options->path_count; i++) {
		const char *wanted = options->paths[i];

		if (strncmp(source, wanted, strlen(wanted)) == 0 ||
			strncmp(path, wanted, strlen(wanted)) == 0 ||
			fnmatch(wanted, source, 0) == 0 || fnmatch(wanted, path, 0) == 0)
			return true;
	}
	return options->path_count == 0;
}

/* --- names --------------------------------------------------------------------------------------
 */

/* Text inside double quotes; control characters and what is no UTF-8 become visible. */
static void put_quoted(FILE *out, const char *text, size_t limit)
{
	char bytes[5];

	for (size_t count = 0; *text; count++) {
		uint32_t character = escape_next(&text);

		if (count == limit) {
			fputs("…", out);
			return;
		}
		if (character == '\n')
			fputs("\\n", out);
		else if (character == '"' || character == '\\')
			fprintf(out, "\\%c", (char)character);
		else if (character == '&')
			fputs("&amp;", out);
		else if (escape_is_safe(character))
			fwrite(bytes, 1, escape_encode(character, bytes), out);
		else
			fprintf(out, "\\\\x%02x", character & ~ESCAPE_INVALID);
	}
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* Ids are names, so that they stay the same from run to run; those with a source lack the module.
 */
static char *id_of(const struct dot *dot, item_id item)
{
	const struct items *items = &dot->tree.items;
	uint32_t line;
	char *name = items_name(items, item), *id;

	if (!items_source(items, item, &line)[0])
		id = name;
	else
		id = alloc_format("%s!%s", items_module_name(items, item), name);
	if (id != name)
		free(name);
	if (strlen(id) > ID_LIMIT || !is_plain(id)) {
		name = alloc_format("_%016" PRIx64, hash_bytes(id, strlen(id)));
		free(id);
		id = name;
	}
	return id;
}

/* Removes the innermost pairs of brackets until none is left. */
static void remove_bracketed(char *name, char open, char close)
{
	for (;;) {
		char *end = strchr(name, close), *start = end;

		while (start && start > name && *start != open)
			start--;
		if (!start || *start != open)
			return;
		memmove(start, end + 1, strlen(end + 1) + 1);
	}
}

/* Without parameters and template arguments; a name of nothing else stays. */
static char *stripped(const char *name)
{
	char *copy = alloc_string(name);
	size_t length;

	remove_bracketed(copy, '(', ')');
	length = strlen(copy);
	if (length > 6 && strcmp(copy + length - 6, " const") == 0)
		copy[length - 6] = '\0';
	remove_bracketed(copy, '<', '>');
	if (copy[0])
		return copy;
	free(copy);
	return alloc_string(name);
}

/* Replaces `from` by the shorter `to`. */
static void shorten(char *text, const char *from, const char *to)
{
	while ((text = strstr(text, from))) {
		memcpy(text, to, strlen(to));
		memmove(text + strlen(to), text + strlen(from), strlen(text + strlen(from)) + 1);
	}
}

/* Breaks long names behind spaces, commas and colons. */
static char *wrapped(char *name)
{
	ARRAY(char) text = {0};
	size_t column = 0;

	if (escape_width(name) > WRAP_WIDTH) {
		shorten(name, ", ", ",");
		shorten(name, "> >", ">>");
	}
	for (size_t i = 0, next; name[i]; i = next) {
		next = i + strcspn(name + i, " ,:");
		next += strspn(name + next, " ,:");
		if (column && column + (next - i) > WRAP_WIDTH) {
			*array_add(&text) = '\n';
			column = 0;
		}
		column += next - i;
		for (size_t j = i; j < next; j++)
			*array_add(&text) = name[j];
	}
	*array_add(&text) = '\0';
	free(name);
	return text.items;
}

static char *label_name(const struct dot *dot, item_id item)
{
	char *name = items_short_name(&dot->tree.items, item), *other;

	if (dot->options->strip) {
		other = stripped(name);
		free(name);
		name = other;
	}
	return dot->options->wrap ? wrapped(name) : name;
}

/* --- pruning ------------------------------------------------------------------------------------
 */

static double share_of(const struct dot *dot, uint64_t value)
{
	return dot->tree.all.total ? (double)value / (double)dot->tree.all.total : 0;
}

static bool is_drawn(const struct dot *dot, item_id item)
{
	const struct cost *cost = &dot->totals.of[item];

	return (cost->total || cost->total_samples) &&
	       share_of(dot, cost->total) * 100 >= dot->options->node_threshold &&
	       is_on_path(dot, item);
}

static int compare_dot_nodes(const void *a, const void *b)
{
	const struct dot_node *left = a, *right = b;
	int result = strcmp(left->id, right->id);

	return result ? result : left->item < right->item ? -1 : left->item > right->item;
}

/* Functions that differ in nothing that is shown still are two nodes. */
static void number_equal_ids(struct dot *dot)
{
	for (size_t i = 1, same = 0; i < dot->nodes.count; i++) {
		struct dot_node *node = &dot->nodes.items[i];
		char *id;

		if (strcmp(node->id, dot->nodes.items[i - 1 - same].id) != 0) {
			same = 0;
			continue;
		}
		same++;
		id = alloc_format("%s#%zu", node->id, same + 1);
		free(node->id);
		node->id = id;
	}
}

static void choose_nodes(struct dot *dot)
{
	dot->rank = alloc_zeroed(dot->totals.item_count + 1, sizeof(*dot->rank));
	for (item_id item = 1; item <= dot->totals.item_count; item++) {
		if (!is_drawn(dot, item))
			continue;
		*array_add(&dot->nodes) = (struct dot_node){item, id_of(dot, item)};
		if (dot->totals.of[item].self > dot->greatest_self)
			dot->greatest_self = dot->totals.of[item].self;
	}
	if (dot->nodes.count)
		qsort(dot->nodes.items, dot->nodes.count, sizeof(struct dot_node),
			compare_dot_nodes);
	number_equal_ids(dot);
	for (size_t i = 0; i < dot->nodes.count; i++)
		dot->rank[dot->nodes.items[i].item] = i + 1;
}

/* --- drawing ------------------------------------------------------------------------------------
 */

static void put_id(const struct dot *dot, const char *id)
{
	fputc('"', dot->out);
	put_quoted(dot->out, id, SIZE_MAX);
	fputc('"', dot->out);
}

static void put_part(const struct dot *dot, enum label_part part, const struct cost *cost)
{
	bool is_self = part == SELF_TIME || part == SELF_SHARE;
	uint64_t value = is_self ? cost->self : cost->total;

	fputs(is_self ? "\\n(" : "\\n", dot->out);
	if (part == SELF_SHARE || part == TOTAL_SHARE)
		fprintf(dot->out, "%.2f%%", share_of(dot, value) * 100);
	else
		fprintf(dot->out, "%.7g%s", measure_number(dot->measure, value),
			measure_unit(dot->measure) == UNIT_NS ? "s" : "");
	fputs(is_self ? ")" : "", dot->out);
}

static void put_label(const struct dot *dot, item_id item)
{
	const struct cost *cost = &dot->totals.of[item];
	const char *module = items_module_name(&dot->tree.items, item);
	char *name = label_name(dot, item);

	fputs(", label=\"", dot->out);
	if (module[0] && strcmp(module, name) != 0) {
		put_quoted(dot->out, module, NAME_LIMIT);
		fputs("\\n", dot->out);
	}
	put_quoted(dot->out, name, NAME_LIMIT);
	for (size_t i = 0; i < dot->part_count; i++)
		put_part(dot, dot->parts[i], cost);
	if (dot->options->show_samples)
		fprintf(dot->out, "\\n%" PRIu64 " sample%s", cost->total_samples,
			cost->total_samples == 1 ? "" : "s");
	fputc('"', dot->out);
	free(name);
}

static void put_tooltip(const struct dot *dot, item_id item)
{
	const struct profile *profile = dot->measure->profile;
	module_id module = items_module(&dot->tree.items, item);
	uint32_t line;
	const char *source = items_source(&dot->tree.items, item, &line);

	fputs(", tooltip=\"", dot->out);
	if (source[0]) {
		put_quoted(dot->out, source, NAME_LIMIT);
		fprintf(dot->out, ":%" PRIu32, line);
	} else {
		put_quoted(dot->out,
			module ? strings_get(&profile->strings,
					 modules_at(&profile->modules, module)->path)
			       : " ",
			NAME_LIMIT);
	}
	fputc('"', dot->out);
}

static void put_node(const struct dot *dot, const struct dot_node *node)
{
	const struct cost *cost = &dot->totals.of[node->item];
	double weight = share_of(dot, cost->total);
	char color[8];

	if (dot->options->color_by_self)
		weight = dot->greatest_self ? (double)cost->self / (double)dot->greatest_self : 0;
	dot_theme_color(dot->theme, weight, dot->options->skew, color);
	fputc('\t', dot->out);
	put_id(dot, node->id);
	fprintf(dot->out, " [color=\"%s\", fontcolor=\"%s\", fontsize=\"%.2f\"", color,
		dot->theme->is_outlined ? color : "#ffffff",
		dot_theme_font_size(dot->theme, weight));
	put_label(dot, node->item);
	put_tooltip(dot, node->item);
	fputs("];\n", dot->out);
}

static void put_edge(const struct dot *dot, const struct arc *arc)
{
	double weight = share_of(dot, arc->cost.total);
	double width = dot_theme_pen_width(dot->theme, weight);
	char color[8];

	dot_theme_color(dot->theme, weight, dot->options->skew, color);
	fputc('\t', dot->out);
	put_id(dot, dot->nodes.items[dot->rank[arc->caller] - 1].id);
	fputs(" -> ", dot->out);
	put_id(dot, dot->nodes.items[dot->rank[arc->callee] - 1].id);
	fprintf(dot->out,
		" [arrowsize=\"%.2f\", color=\"%s\", fontcolor=\"%s\", fontsize=\"%.2f\", "
		"label=\"%.2f%%\", labeldistance=\"%.2f\", penwidth=\"%.2f\"];\n",
		dot_theme_arrow_size(width), color, color, dot_theme_font_size(dot->theme, weight),
		weight * 100, width, width);
}

static int compare_edges(const void *a, const void *b, void *context)
{
	const struct dot *dot = context;
	const struct arc *left = *(const struct arc *const *)a;
	const struct arc *right = *(const struct arc *const *)b;
	uint32_t left_rank = dot->rank[left->caller], right_rank = dot->rank[right->caller];

	if (left_rank == right_rank) {
		left_rank = dot->rank[left->callee];
		right_rank = dot->rank[right->callee];
	}
	return left_rank < right_rank ? -1 : left_rank > right_rank;
}

static void put_edges(struct dot *dot)
{
	ARRAY(const struct arc *) edges = {0};

	for (size_t i = 0; i < dot->totals.arcs.count; i++) {
		const struct arc *arc = &dot->totals.arcs.items[i];

		if (dot->rank[arc->caller] && dot->rank[arc->callee] &&
			share_of(dot, arc->cost.total) * 100 >= dot->options->edge_threshold)
			*array_add(&edges) = arc;
	}
	if (edges.count)
		qsort_r(edges.items, edges.count, sizeof(*edges.items), compare_edges, dot);
	for (size_t i = 0; i < edges.count; i++)
		put_edge(dot, edges.items[i]);
	array_release(&edges);
}

/* A picture of a part says so. */
static void add_bounds(const struct dot *dot, struct header *header)
{
	const struct dot_options *options = dot->options;
	char *raw;

	if (!options->root && !options->leaf)
		return;
	raw = alloc_format("shown    only stacks %s%s%s%s%s, as shares of the whole",
		options->root ? "from " : "", options->root ? options->root : "",
		options->root && options->leaf ? " " : "", options->leaf ? "to " : "",
		options->leaf ? options->leaf : "");
	*array_add(&header->lines) = escape_text(raw);
	free(raw);
}

/* What the numbers are, below the picture and as comments for those who read the text. */
static void put_header(const struct dot *dot)
{
	struct header header;

	header_init(&header, dot->measure);
	add_bounds(dot, &header);
	header_write(&header, "// ", dot->out);
	header_wrap(&header, LEGEND_WIDTH);
	fputs("digraph {\n\ttooltip=\" \";\n", dot->out);
	fputs("\tgraph [fontcolor=\"#606060\", fontname=Arial, fontsize=8, label=\"", dot->out);
	for (size_t i = 0; i < header.lines.count; i++) {
		put_quoted(dot->out, header.lines.items[i], SIZE_MAX);
		fputs("\\l", dot->out);
	}
	fputs("\", labeljust=l, labelloc=b, nodesep=0.125, ranksep=0.25];\n", dot->out);
	fprintf(dot->out,
		"\tnode [fontcolor=white, fontname=Arial, height=0, shape=box, style=%s, "
		"width=0];\n",
		dot->theme->is_outlined ? "solid" : "filled");
	fputs("\tedge [fontname=Arial];\n", dot->out);
	header_release(&header);
}

static void put_graph(struct dot *dot)
{
	put_header(dot);
	for (size_t i = 0; i < dot->nodes.count; i++)
		put_node(dot, &dot->nodes.items[i]);
	put_edges(dot);
	fputs("}\n", dot->out);
}

static void dot_release(struct dot *dot)
{
	for (size_t i = 0; i < dot->nodes.count; i++)
		free(dot->nodes.items[i].id);
	array_release(&dot->nodes);
	free(dot->rank);
	totals_release(&dot->totals);
	call_tree_release(&dot->tree);
}

static int dot_write(const struct profile *const profiles[], size_t profile_count,
	const struct view_options *options, FILE *out, struct error *err)
{
	enum view_by by = options->selection.by;
	struct call_tree_shape shape = {
		.by = by == VIEW_BY_LINE || by == VIEW_BY_MODULE ? by : VIEW_BY_FUNCTION};
	struct dot dot = {.options = &options->dot, .out = out};
	struct measure measure;
	int result = -1;

	(void)profile_count;
	if (measure_init(&measure, &options->selection, profiles[0], err) != 0 ||
		choose_parts(&dot, err) != 0)
		return -1;
	dot.measure = &measure;
	dot.theme = dot_theme_find(options->dot.colormap, err);
	if (!dot.theme)
		return -1;
	call_tree_build(&dot.tree, &measure, &shape);
	if (restrict_stacks(&dot, err) == 0) {
		totals_build(&dot.totals, &dot.tree, true);
		choose_nodes(&dot);
		put_graph(&dot);
		result = 0;
	}
	dot_release(&dot);
	return result;
}

const struct exporter dot_exporter = {
	"dot", "the call graph of gprof2dot, for Graphviz", "dot", dot_write};
