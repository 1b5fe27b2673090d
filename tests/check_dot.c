#include "view_text.h"
#include "viz/dot_theme.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *dot_suite(void);

static const char graph[] = "main;load;libc.so.6!read 500\n"
			    "main;load 100\n"
			    "main;color 300\n"
			    "main;walk;walk;walk 96\n"
			    "main;tiny 4\n";

static char *dot(const char *folded, const struct view_options *options)
{
	return view_text("dot", folded, options);
}

static bool has_graphviz(void)
{
	return system("command -v dot > /dev/null 2>&1") == 0;
}

/* What dot makes of it; fails when dot rejects the text or warns. */
static char *drawn(const char *text)
{
	char *plain = piped("dot -Tplain 2>&1", text);

	ck_assert_msg(plain != NULL, "dot rejects:\n%s", text);
	assert_lacks(plain, "Warning");
	assert_lacks(plain, "rror");
	return plain;
}

START_TEST(nodes_and_edges_have_gprof2dots_look)
{
	struct view_options options = view_options_default();
	char *text = dot(graph, &options);

	assert_contains(text, "digraph {\n\ttooltip=\" \";\n\tgraph [");
	assert_contains(text, "\tnode [fontcolor=white, fontname=Arial, height=0, shape=box, "
			      "style=filled, width=0];\n\tedge [fontname=Arial];\n");
	assert_contains(text, "\t\"{program:load}\" [color=\"#53c408\", fontcolor=\"#ffffff\", "
			      "fontsize=\"10.00\", label=\"program\\nload\\n60.00%\\n(10.00%)\", "
			      "tooltip=\"program\"];\n");
	assert_contains(text, "\t\"{program:main}\" -> \"{program:load}\" [arrowsize=\"0.77\", "
			      "color=\"#53c408\", fontcolor=\"#53c408\", fontsize=\"10.00\", "
			      "label=\"60.00%\", labeldistance=\"2.40\", penwidth=\"2.40\"];\n");
	free(text);
}
END_TEST

START_TEST(recursion_is_exact)
{
	struct view_options options = view_options_default();
	char *text = dot(graph, &options);

	assert_contains(text, "label=\"program\\nwalk\\n9.60%\\n(9.60%)\"");
	assert_contains(text, "\"{program:walk}\" -> \"{program:walk}\" [");
	free(text);
}
END_TEST

START_TEST(thresholds_prune)
{
	struct view_options options = view_options_default();
	char *text = dot(graph, &options);

	assert_lacks(text, "tiny");
	free(text);
	options.dot.node_threshold = 0;
	text = dot(graph, &options);
	assert_contains(text, "tiny\\n0.40%");
	free(text);
	options.dot.edge_threshold = 40;
	text = dot(graph, &options);
	assert_lacks(text, "-> \"{program:color}\"");
	assert_contains(text, "-> \"{libc.so.6:read}\"");
	free(text);
}
END_TEST

START_TEST(labels_on_demand)
{
	const char *labels[] = {"self-time", "total-time"};
	struct view_options options = view_options_default();
	char *text;

	options.dot.labels = labels;
	options.dot.label_count = 2;
	options.dot.show_samples = true;
	text = dot(graph, &options);
	assert_contains(text, "label=\"program\\nload\\n(0.1s)\\n0.6s\\n600 samples\"");
	free(text);
	labels[0] = "time";
	text = view_error("dot", graph, &options);
	assert_contains(text, "unknown node label 'time': known labels are self-time,");
	free(text);
}
END_TEST

START_TEST(root_and_leaf_restrict)
{
	struct view_options options = view_options_default();
	char *text;

	options.dot.root = "lo*";
	text = dot(graph, &options);
	assert_lacks(text, "{program:main}");
	assert_contains(text, "load\\n60.00%\\n(10.00%)");
	assert_contains(text, "read\\n50.00%");
	assert_contains(text, "only stacks from lo*, as shares of the whole");
	free(text);
	options.dot.root = NULL;
	options.dot.leaf = "read";
	text = dot(graph, &options);
	assert_contains(text, "main\\n50.00%\\n(0.00%)");
	assert_lacks(text, "color\\n");
	free(text);
	options.dot.leaf = "nobody";
	text = view_error("dot", graph, &options);
	assert_contains(text, "no function matches --leaf 'nobody'");
	free(text);
}
END_TEST

START_TEST(paths_select_files)
{
	const char *const paths[] = {"/src/mine"};
	struct view_options options = view_options_default();
	char *text;

	options.dot.paths = paths;
	options.dot.path_count = 1;
	text = dot("/src/mine/a.c:1(a);/src/other/b.c:2(b) 5\n", &options);
	assert_contains(text, "program!a.c:1(a)");
	assert_contains(text, "tooltip=\"/src/mine/a.c:1\"");
	assert_lacks(text, "b.c");
	free(text);
}
END_TEST

START_TEST(names_are_stripped_and_wrapped)
{
	static const char folded[] = "std::vector<std::pair<int, int> >::push_back(std::pair<int, "
				     "int> const&) const 5\n";
	struct view_options options = view_options_default();
	char *text;

	options.dot.strip = true;
	text = dot(folded, &options);
	assert_contains(text, "label=\"program\\nstd::vector::push_back\\n");
	free(text);
	options.dot.strip = false;
	options.dot.wrap = true;
	text = dot(folded, &options);
	assert_contains(text, "label=\"program\\nstd::vector<std::pair<int,\\n"
			      "int>>::push_back(std::pair<int,\\nint> const&amp;) const\\n");
	free(text);
}
END_TEST

START_TEST(nodes_without_name_left_keep_theirs)
{
	struct view_options options = view_options_default();
	char *text;

	options.dot.strip = true;
	text = dot("(anonymous) 5\n", &options);
	assert_contains(text, "label=\"program\\n(anonymous)\\n");
	free(text);
}
END_TEST

static void assert_color(const char *map, double weight, double skew, const char *wanted)
{
	struct error err;
	const struct dot_theme *theme = dot_theme_find(map, &err);
	char color[8];

	ck_assert_msg(theme != NULL, "%s", err.text);
	dot_theme_color(theme, weight, skew, color);
	ck_assert_str_eq(color, wanted);
}

/* What gprof2dot writes for these weights (VIEWS.md 1). */
START_TEST(colors_are_gprof2dots)
{
	struct error err;

	assert_color("color", 1, 1, "#ff0000");
	assert_color("color", .75, 1, "#dada06");
	assert_color("color", .5, 1, "#0ab60a");
	assert_color("color", .3, 1, "#0c9a7e");
	assert_color("color", .2, 1, "#0c738d");
	assert_color("color", 0, 1, "#0d0d73");
	assert_color("print", .3, 1, "#000000");
	assert_color("pink", 1, 1, "#ff0000");
	assert_color("gray", 1, 1, "#000000");
	assert_color("color", 7, 1, "#ff0000");
	assert_color("color", 1, .1, "#ff0000");
	assert_color("color", 0, 10, "#0d0d73");
	ck_assert_ptr_null(dot_theme_find("blue", &err));
	assert_contains(err.text, "'blue': known ones are color, pink, gray, bw, print");
}
END_TEST

START_TEST(print_is_black_on_white)
{
	struct view_options options = view_options_default();
	char *text;

	options.dot.colormap = "print";
	text = dot(graph, &options);
	assert_contains(text, "style=solid");
	assert_contains(text, "color=\"#000000\", fontcolor=\"#000000\", fontsize=\"30.00\"");
	assert_contains(text, "penwidth=\"0.77\"");
	free(text);
}
END_TEST

START_TEST(color_by_self_scales_to_the_greatest)
{
	struct view_options options = view_options_default();
	char *text;

	options.dot.color_by_self = true;
	text = dot(graph, &options);
	assert_contains(text, "\"{libc.so.6:read}\" [color=\"#ff0000\"");
	assert_contains(text, "\"{program:main}\" [color=\"#0d0d73\"");
	free(text);
}
END_TEST

START_TEST(equal_profiles_equal_text)
{
	struct view_options options = view_options_default();
	char *one = dot("main;a 5\nmain;b 7\n", &options),
	     *two = dot("main;b 7\nmain;a 5\n", &options);

	ck_assert_str_eq(one, two);
	free(one);
	free(two);
}
END_TEST

START_TEST(graphviz_draws_it)
{
	struct view_options options = view_options_default();
	char *text, *plain;

	if (!has_graphviz())
		return;
	text = dot(graph, &options);
	plain = drawn(text);
	ck_assert_uint_eq(occurrences(plain, "\nnode "), 5);
	ck_assert_uint_eq(occurrences(plain, "\nedge "), 5);
	free(text);
	free(plain);
}
END_TEST

START_TEST(hostile_names_survive_graphviz)
{
	static const char folded[] =
		"a\"quoted\";b\\back\\N\\l;c<lt>{|};d\033[1m\xff\xc3;e&amp;f&lt;;digraph;edge 5\n";
	struct view_options options = view_options_default();
	char *text = dot(folded, &options), *plain;

	assert_lacks(text, "\033");
	assert_lacks(text, "\xff");
	if (has_graphviz()) {
		plain = drawn(text);
		ck_assert_uint_eq(occurrences(plain, "\nnode "), 8);
		assert_contains(plain, "\\\\back\\\\N\\\\l");
		free(plain);
		plain = piped("dot -Tsvg", text);
		assert_contains(plain, ">a&quot;quoted&quot;</text>");
		assert_contains(plain, ">b\\back\\N\\l</text>");
		assert_contains(plain, ">e&amp;amp</text>");
		free(plain);
	}
	free(text);
}
END_TEST

/* Names of 10,000 characters, equal for long, in fixtures whose parser keeps 255: set afterwards.
 */
START_TEST(endless_names_are_cut)
{
	struct view_options options = view_options_default();
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	char name[10001], *text;

	view_profile(&profile, "first;second 5\n");
	memset(name, '\\', 10000);
	name[10000] = '\0';
	profile.frames.functions.items[0].name = strings_intern(&profile.strings, name);
	name[9999] = '"';
	profile.frames.functions.items[1].name = strings_intern(&profile.strings, name);
	text = view_text_of("dot", profiles, 1, &options);
	assert_contains(text, "…");
	ck_assert_uint_eq(occurrences(text, "\t\"_"), 3);
	if (has_graphviz()) {
		char *plain = drawn(text);

		ck_assert_uint_eq(occurrences(plain, "\nnode "), 2);
		free(plain);
	}
	free(text);
	profile_release(&profile);
}
END_TEST

START_TEST(nothing_recorded_is_an_empty_graph)
{
	struct view_options options = view_options_default();
	char *text = dot("", &options);

	assert_contains(text, "\tedge [fontname=Arial];\n}\n");
	free(text);
}
END_TEST

Suite *dot_suite(void)
{
	Suite *suite = suite_create("dot");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, nodes_and_edges_have_gprof2dots_look);
	tcase_add_test(core, recursion_is_exact);
	tcase_add_test(core, thresholds_prune);
	tcase_add_test(core, labels_on_demand);
	tcase_add_test(core, root_and_leaf_restrict);
	tcase_add_test(core, paths_select_files);
	tcase_add_test(core, names_are_stripped_and_wrapped);
	tcase_add_test(core, colors_are_gprof2dots);
	tcase_add_test(core, print_is_black_on_white);
	tcase_add_test(core, color_by_self_scales_to_the_greatest);
	tcase_add_test(core, equal_profiles_equal_text);
	tcase_add_test(core, graphviz_draws_it);
	tcase_add_test(limits, nodes_without_name_left_keep_theirs);
	tcase_add_test(limits, hostile_names_survive_graphviz);
	tcase_add_test(limits, endless_names_are_cut);
	tcase_add_test(limits, nothing_recorded_is_an_empty_graph);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
