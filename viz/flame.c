/*
 * flame: the flame graph as one interactive SVG without outside references.
 *
 * A box is a function in its place on the stack, as wide as its share of the whole; the boxes on it
 * are what it called. The picture is complete without its script, which adds what a browser can do:
 * zoom, search, details of the box under the pointer. Boxes below a width are left out, and the
 * picture says how many.
 *
 * Colours: the hue says what kind of code a box is, its shade comes from the name, so that a
 * function looks the same in every graph.
 */
#include "assets.h"
#include "base/escape.h"
#include "viz/color.h"
#include "viz/header.h"
#include "viz/totals.h"

#include <inttypes.h>
#include <string.h>

extern const struct exporter folded_exporter;

#define MARGIN	    10.0
#define LINE_HEIGHT 15.0 /* of the text above the boxes */
#define BOX_HEIGHT  17.0
#define CHARACTER   7.23 /* width in the monospaced font of flame.css; flame.js knows it too */
#define NAME_LIMIT  1000 /* characters of a name in a box's title */

/* What a box is filled with: hues from one on, and how strong. */
struct paint {
	const char *legend;
	double hue, hue_range, saturation, lightness;
};

enum paint_kind {
	PAINT_PROGRAM,
	PAINT_INLINED,
	PAINT_LIBRARY,
	PAINT_KERNEL,
	PAINT_JIT,
	PAINT_OTHER,
	PAINT_COUNT
};

static const struct paint paints[PAINT_COUNT] = {
	[PAINT_PROGRAM] = {"program", 0.030, 0.070, 0.88, 0.64},
	[PAINT_INLINED] = {"inlined", 0.130, 0.030, 0.88, 0.68},
	[PAINT_LIBRARY] = {"library", 0.510, 0.090, 0.55, 0.70},
	[PAINT_KERNEL] = {"kernel", 0.690, 0.080, 0.55, 0.80},
	[PAINT_JIT] = {"made at run time", 0.260, 0.100, 0.50, 0.66},
	[PAINT_OTHER] = {"process or unknown", 0, 0, 0, 0.82},
};

struct box {		 /* of one node */
	double x, width; /* pixels */
	uint32_t level;	 /* 0: the outermost */
	bool is_drawn;
};

struct flame {
	const struct measure *measure;
	const struct view_options *options;
	struct call_tree tree;
	struct header header;
	struct box *boxes; /* by node_id; [0] is the whole, drawn where there are several roots */
	double width, min_width;
	uint32_t deepest;
	size_t left_out; /* boxes too narrow to be drawn, without what is on them */
	uint64_t left_out_cost;
	bool knows_program;
	bool has_paint[PAINT_COUNT];
	FILE *out;
};

/* --- layout -------------------------------------------------------------------------------------
 */

struct named {
	char *name;
	item_id item;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int result = strcmp(left->name, right->name);

	return result ? result : left->item < right->item ? -1 : left->item > right->item;
}

/* Siblings stand in the order of their names, so that two graphs can be compared by eye. */
static void sort_by_name(struct call_tree *tree)
{
	size_t count = tree->items.all.count;
	struct named *names = alloc_zeroed(count + 1, sizeof(*names));
	uint32_t *rank = alloc_zeroed(count + 1, sizeof(*rank));

	for (item_id id = 1; id <= count; id++)
		names[id - 1] = (struct named){items_name(&tree->items, id), id};
	qsort(names, count, sizeof(*names), compare_named);
	for (size_t i = 0; i < count; i++) {
		rank[names[i].item] = i;
		free(names[i].name);
	}
	call_tree_sort(tree, rank);
	free(names);
	free(rank);
}

/* Places a list of siblings side by side on their parent's box. */
static void place_siblings(struct flame *flame, node_id first, const struct box *parent)
{
	double scale = flame->boxes[0].width / (double)flame->tree.all.total;
	uint32_t level = parent->level + (parent != &flame->boxes[0] || parent->is_drawn);
	uint64_t before = 0;

	for (node_id id = first; id; id = call_tree_at(&flame->tree, id)->next_sibling) {
		uint64_t total = call_tree_at(&flame->tree, id)->cost.total;
		struct box *box = &flame->boxes[id];

		box->x = parent->x + (double)before * scale;
		box->width = (double)total * scale;
		box->level = level;
		box->is_drawn = total > 0 && box->width >= flame->min_width;
		before += total;
		if (box->is_drawn && level > flame->deepest)
			flame->deepest = level;
		if (total > 0 && !box->is_drawn) {
			flame->left_out++;
			flame->left_out_cost += total;
		}
	}
}

static void lay_out(struct flame *flame)
{
	node_id first = flame->tree.first_root;

	flame->boxes = alloc_zeroed(flame->tree.nodes.count + 1, sizeof(*flame->boxes));
	flame->boxes[0].x = MARGIN;
	flame->boxes[0].width = flame->width - 2 * MARGIN;
	flame->boxes[0].is_drawn = first && call_tree_at(&flame->tree, first)->next_sibling;
	if (flame->tree.all.total == 0)
		return;
	place_siblings(flame, first, &flame->boxes[0]);
	for (node_id id = 1; id <= flame->tree.nodes.count; id++)
		if (flame->boxes[id].is_drawn)
			place_siblings(flame, call_tree_at(&flame->tree, id)->first_child,
				&flame->boxes[id]);
}

/* --- colour -------------------------------------------------------------------------------------
 */

static enum paint_kind paint_of(const struct flame *flame, node_id id)
{
	const struct call_node *node = call_tree_at(&flame->tree, id);
	module_id module_number = items_module(&flame->tree.items, node->item);
	const struct module *module;

	if (module_number == 0)
		return PAINT_OTHER;
	module = modules_at(&flame->measure->profile->modules, module_number);
	if (module->kind == MODULE_KERNEL || module->kind == MODULE_VDSO)
		return PAINT_KERNEL;
	if (module->kind == MODULE_SPECIAL)
		return PAINT_OTHER;
	if (node->is_inlined)
		return PAINT_INLINED;
	if (module->kind == MODULE_JIT)
		return PAINT_JIT;
	return !flame->knows_program || module->flags & MODULE_IS_PROGRAM ? PAINT_PROGRAM
									  : PAINT_LIBRARY;
}

/* The kind gives the range, the name the place in it: the same in every graph. */
static char *fill_of(enum paint_kind kind, const char *name, char text[8])
{
	const struct paint *paint = &paints[kind];
	uint64_t hash = hash_bytes(name, strlen(name));
	struct hsl color = {paint->hue + paint->hue_range * (double)(hash & 0xff) / 255,
		paint->saturation, paint->lightness + 0.10 * (double)(hash >> 8 & 0xff) / 255};

	return color_text(&color, 1, text);
}

/* --- drawing ------------------------------------------------------------------------------------
 */

/* Safe text as XML; the five characters that mean something are named. */
static void put_xml(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static double top_of_boxes(const struct flame *flame)
{
	return 74 + LINE_HEIGHT * (double)flame->header.lines.count;
}

static double height_of(const struct flame *flame)
{
	return top_of_boxes(flame) + BOX_HEIGHT * (flame->deepest + 1) + MARGIN;
}

static double y_of(const struct flame *flame, uint32_t level)
{
	uint32_t row = flame->options->flame.icicle ? level : flame->deepest - level;

	return top_of_boxes(flame) + BOX_HEIGHT * row;
}

/* "0.412 s, 41.20 %; in itself 0.100 s, 10.00 %; segment, /src/segment.c:10" */
static void put_details(const struct flame *flame, const struct cost *cost, item_id item)
{
	const struct items *items = &flame->tree.items;
	uint64_t all = flame->tree.all.total;
	char text[64];
	uint32_t line;
	const char *source;
	char *module;

	fprintf(flame->out, "%s, %.2f %%",
		measure_text(flame->measure, cost->total, text, sizeof(text)),
		measure_percent(cost->total, all));
	if (cost->self && !flame->options->flame.reverse)
		fprintf(flame->out, "; in itself %s, %.2f %%",
			measure_text(flame->measure, cost->self, text, sizeof(text)),
			measure_percent(cost->self, all));
	if (item == 0)
		return;
	source = items_source(items, item, &line);
	module = escape_text(items_module_name(items, item));
	if (module[0]) {
		fputs("; ", flame->out);
		put_xml(flame->out, module);
	}
	free(module);
	if (source[0]) {
		char *safe = escape_text(source);

		fputs(", ", flame->out);
		put_xml(flame->out, safe);
		fprintf(flame->out, ":%" PRIu32, line);
		free(safe);
	}
}

/* The name as far as the box is wide; nothing in boxes too narrow for three characters. */
static void put_box_text(
	const struct flame *flame, const char *name, const struct box *box, double y)
{
	double characters = (box->width - 6) / CHARACTER;
	char *fitting;

	fprintf(flame->out, "<text x=\"%.3f\" y=\"%.1f\">", box->x + 3, y + 12.5);
	if (characters >= 3) {
		fitting = escape_fit(name, (size_t)characters);
		put_xml(flame->out, fitting);
		free(fitting);
	}
	fputs("</text></g>\n", flame->out);
}

static void put_box(struct flame *flame, const struct box *box, const char *name,
	const struct cost *cost, item_id item, enum paint_kind kind)
{
	double y = y_of(flame, box->level);
	char fill[8], *title = escape_fit(name, NAME_LIMIT);

	flame->has_paint[kind] = true;
	fputs("<g class=\"box\"><title>", flame->out);
	put_xml(flame->out, title);
	fputc('\n', flame->out);
	put_details(flame, cost, item);
	fprintf(flame->out,
		"</title><rect x=\"%.3f\" y=\"%.1f\" width=\"%.3f\" height=\"%.1f\" "
		"fill=\"%s\"/>",
		box->x, y, box->width, BOX_HEIGHT - 1, fill_of(kind, name, fill));
	put_box_text(flame, name, box, y);
	free(title);
}

static void put_boxes(struct flame *flame)
{
	fputs("<g id=\"boxes\">\n", flame->out);
	if (flame->boxes[0].is_drawn)
		put_box(flame, &flame->boxes[0], "all", &flame->tree.all, 0, PAINT_OTHER);
	for (node_id id = 1; id <= flame->tree.nodes.count; id++) {
		const struct call_node *node = call_tree_at(&flame->tree, id);
		char *raw, *name;

		if (!flame->boxes[id].is_drawn)
			continue;
		raw = items_short_name(&flame->tree.items, node->item);
		name = escape_text(raw);
		put_box(flame, &flame->boxes[id], name, &node->cost, node->item,
			paint_of(flame, id));
		free(raw);
		free(name);
	}
	fputs("</g>\n", flame->out);
}

static void put_text(
	const struct flame *flame, const char *attributes, double x, double y, const char *text)
{
	fprintf(flame->out, "<text %s x=\"%.1f\" y=\"%.1f\" xml:space=\"preserve\">", attributes, x,
		y);
	put_xml(flame->out, text);
	fputs("</text>\n", flame->out);
}

static char *title_of(const struct flame *flame)
{
	const struct flame_options *options = &flame->options->flame;
	const struct profile *profile = flame->measure->profile;
	char *raw, *safe;

	if (options->title)
		return escape_text(options->title);
	raw = alloc_format("%s%s of %s", options->icicle ? "Icicle graph" : "Flame graph",
		options->reverse ? ", callers above what they call," : "",
		strings_get(&profile->strings, profile->info.command));
	safe = escape_text(raw);
	free(raw);
	return safe;
}

/* The colours that occur, at the right of the line with the buttons. */
static void put_legend(const struct flame *flame, double y)
{
	double x = flame->width - MARGIN;

	for (int kind = PAINT_COUNT - 1; kind >= 0; kind--) {
		struct hsl color = {paints[kind].hue + paints[kind].hue_range / 2,
			paints[kind].saturation, paints[kind].lightness + 0.05};
		char fill[8];

		if (!flame->has_paint[kind])
			continue;
		x -= (double)strlen(paints[kind].legend) * CHARACTER;
		put_text(flame, "class=\"quiet\"", x, y, paints[kind].legend);
		x -= 16;
		fprintf(flame->out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x,
			y - 10, color_text(&color, 1, fill));
		x -= 12;
	}
}

static void put_top(const struct flame *flame)
{
	size_t room = (size_t)((flame->width - 2 * MARGIN) / CHARACTER / 1.34);
	char *title = title_of(flame), *fitting = escape_fit(title, room);
	double y = 44;

	put_text(flame, "id=\"heading\"", MARGIN, 24, fitting);
	for (size_t i = 0; i < flame->header.lines.count; i++, y += LINE_HEIGHT)
		put_text(flame, "class=\"quiet\"", MARGIN, y, flame->header.lines.items[i]);
	put_text(flame, "id=\"reset\" class=\"button\"", MARGIN, y + 4, "[Reset zoom]");
	put_text(flame, "id=\"search\" class=\"button\"", MARGIN + 100, y + 4, "[Search]");
	put_text(flame, "id=\"matched\"", MARGIN + 170, y + 4, " ");
	put_legend(flame, y + 4);
	put_text(flame, "id=\"info\"", MARGIN, y + 21, " ");
	free(title);
	free(fitting);
}

static void put_start(const struct flame *flame)
{
	char *title = title_of(flame);

	fprintf(flame->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
		"height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" data-margin=\"%g\" "
		"data-direction=\"%s\">\n<title>",
		flame->width, height_of(flame), flame->width, height_of(flame), MARGIN,
		flame->options->flame.icicle ? "down" : "up");
	put_xml(flame->out, title);
	fputs("</title>\n<desc>", flame->out);
	for (size_t i = 0; i < flame->header.lines.count; i++) {
		put_xml(flame->out, flame->header.lines.items[i]);
		fputc('\n', flame->out);
	}
	fprintf(flame->out,
		"</desc>\n<style>%s</style>\n<rect id=\"paper\" width=\"100%%\" height=\"100%%\" "
		"fill=\"#ffffff\"/>\n",
		asset_flame_css);
	free(title);
}

/* What the picture does not show is said in it. */
static void add_left_out(struct flame *flame)
{
	char text[64];

	if (flame->left_out)
		*array_add(&flame->header.lines) = alloc_format(
			"left out %zu box%s narrower than %g pixels and what is on them: %s, "
			"%.2f %% of the width",
			flame->left_out, flame->left_out == 1 ? "" : "es", flame->min_width,
			measure_text(flame->measure, flame->left_out_cost, text, sizeof(text)),
			measure_percent(flame->left_out_cost, flame->tree.all.total));
	if (flame->tree.all.total == 0)
		*array_add(&flame->header.lines) = alloc_string("nothing was recorded");
}

static void draw(struct flame *flame)
{
	lay_out(flame);
	header_init(&flame->header, flame->measure);
	add_left_out(flame);
	header_wrap(&flame->header, (size_t)((flame->width - 2 * MARGIN) / CHARACTER));
	put_start(flame);
	put_boxes(flame);
	put_top(flame);
	fprintf(flame->out, "<script><![CDATA[\n%s]]></script>\n</svg>\n", asset_flame_js);
	header_release(&flame->header);
	free(flame->boxes);
}

static int flame_write(const struct profile *const profiles[], size_t profile_count,
	const struct view_options *options, FILE *out, struct error *err)
{
	enum view_by by = options->selection.by;
	bool is_reversed = options->flame.reverse;
	struct call_tree_shape shape = {
		.by = by == VIEW_BY_LINE || by == VIEW_BY_MODULE ? by : VIEW_BY_FUNCTION,
		.below_process = !is_reversed,
		.below_thread = by == VIEW_BY_THREAD && !is_reversed,
		.is_reversed = is_reversed};
	struct flame flame = {.options = options, .out = out};
	struct measure measure;

	if (options->flame.folded)
		return folded_exporter.write(profiles, profile_count, options, out, err);
	if (measure_init(&measure, &options->selection, profiles[0], err) != 0)
		return -1;
	flame.measure = &measure;
	flame.width = options->flame.width > 0 ? options->flame.width : 1200;
	flame.min_width = options->flame.min_width > 0 ? options->flame.min_width : 0.1;
	flame.knows_program = items_know_program(profiles[0]);
	call_tree_build(&flame.tree, &measure, &shape);
	sort_by_name(&flame.tree);
	draw(&flame);
	call_tree_release(&flame.tree);
	return 0;
}

const struct exporter flame_exporter = {
	"flame", "the flame graph, an interactive SVG", "svg", flame_write};
