#include "base/array.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/reading.h"
#include "viz/dot_theme.h"

#include <math.h>

extern const struct command cmd_dot;

enum {
	OPTION_SHOW_SAMPLES = OPTION_OF_COMMAND,
	OPTION_NODE_LABEL,
	OPTION_DEPTH,
	OPTION_SKEW,
	OPTION_COLOR_BY_SELF
};

struct dot_command_options { /* gprof2dot's names and defaults */
	struct reading reading;
	ARRAY(const char *) labels;
	ARRAY(const char *) paths;
};

static const char *const node_labels[] = {
	"self-time", "self-time-percentage", "total-time", "total-time-percentage", NULL};

static int set_depth(struct dot_options *dot, const char *value, struct error *err)
{
	uint64_t depth;

	if (option_count("--depth", value, 1, &depth, err) != 0)
		return -1;
	dot->depth = depth;
	return 0;
}

static int add_label(struct dot_command_options *options, const char *value, struct error *err)
{
	if (option_choice("--node-label", value, node_labels, err) < 0)
		return -1;
	*array_add(&options->labels) = value;
	return 0;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct dot_command_options *options = target;
	struct dot_options *dot = &options->reading.view.dot;

	switch (option) {
	case 'n':
		return option_number("--node-thres", value, 0, 100, &dot->node_threshold, err);
	case 'e':
		return option_number("--edge-thres", value, 0, 100, &dot->edge_threshold, err);
	case 'c':
		dot->colormap = value;
		return dot_theme_find(value, err) ? 0 : -1;
	case 's':
		dot->strip = true;
		return 0;
	case 'w':
		dot->wrap = true;
		return 0;
	case 'z':
		dot->root = value;
		return 0;
	case 'l':
		dot->leaf = value;
		return 0;
	case 'p':
		*array_add(&options->paths) = value;
		return 0;
	case OPTION_SHOW_SAMPLES:
		dot->show_samples = true;
		return 0;
	case OPTION_NODE_LABEL:
		return add_label(options, value, err);
	case OPTION_DEPTH:
		return set_depth(dot, value, err);
	case OPTION_SKEW:
		return option_number("--skew", value, 0.001, INFINITY, &dot->skew, err);
	case OPTION_COLOR_BY_SELF:
		dot->color_by_self = true;
		return 0;
	default:
		return reading_set(&options->reading, option, value, err);
	}
}

static const struct option long_options[] = {
	READING_LONG,
	{"node-thres", required_argument, NULL, 'n'},
	{"edge-thres", required_argument, NULL, 'e'},
	{"colormap", required_argument, NULL, 'c'},
	{"strip", no_argument, NULL, 's'},
	{"wrap", no_argument, NULL, 'w'},
	{"root", required_argument, NULL, 'z'},
	{"leaf", required_argument, NULL, 'l'},
	{"path", required_argument, NULL, 'p'},
	{"show-samples", no_argument, NULL, OPTION_SHOW_SAMPLES},
	{"node-label", required_argument, NULL, OPTION_NODE_LABEL},
	{"depth", required_argument, NULL, OPTION_DEPTH},
	{"skew", required_argument, NULL, OPTION_SKEW},
	{"color-nodes-by-selftime", no_argument, NULL, OPTION_COLOR_BY_SELF},
	{0},
};

static const struct option_set option_set = {
	&cmd_dot, READING_SHORT "n:e:c:swz:l:p:", long_options, set_option};

static int run(int argc, char **argv)
{
	struct dot_command_options options = {0};
	struct dot_options *dot = &options.reading.view.dot;
	struct error err;
	const char *profile;
	int status;

	reading_init(&options.reading);
	status = options_parse(&option_set, &options, argc, argv);
	if (status < 0 && reading_argument(argc, argv, &profile, &err) != 0)
		status = message_usage("dot", &err);
	if (status < 0) {
		dot->labels = options.labels.items;
		dot->label_count = options.labels.count;
		dot->paths = options.paths.items;
		dot->path_count = options.paths.count;
		status = reading_show(&options.reading, profile, "dot");
	}
	array_release(&options.labels);
	array_release(&options.paths);
	return status;
}

const struct command cmd_dot = {
	.name = "dot",
	.summary = "the call graph for Graphviz, as gprof2dot draws it",
	.usage =
		"usage: cprof dot [options] [PROFILE]\n"
		"\n"
		"Writes the graph of calls in Graphviz' language:\n"
		"\n"
		"    cprof dot v4 | dot -Tpng > v4.png\n"
		"\n"
		"PROFILE is a file, NAME for NAME.prof, or the label of a kept run; without it\n"
		"out.prof.\n"
		"\n"
		"  -n, --node-thres PERCENT\n"
		"                         leave out functions with less of the total (0.5)\n"
		"  -e, --edge-thres PERCENT\n"
		"                         leave out calls with less of the total (0.1)\n"
		"  -c, --colormap MAP     color (default), pink, gray, bw or print\n"
		"  -s, --strip            names without parameters and template arguments\n"
		"  -w, --wrap             break long names into lines\n"
		"  -z, --root PATTERN     only functions that are called from one that matches\n"
		"  -l, --leaf PATTERN     only functions that call one that matches\n"
		"  -p, --path PATTERN     only functions of files that match; may be repeated\n"
		"      --depth N          at most N calls away from --root or --leaf\n"
		"      --node-label WHAT  self-time, self-time-percentage, total-time or\n"
		"                         total-time-percentage; may be repeated (default: the\n"
		"                         two percentages)\n"
		"      --show-samples     the number of samples too\n"
		"      --skew NUMBER      below 1 more colour for small shares, above 1 for\n"
		"                         large ones\n"
		"      --color-nodes-by-selftime\n"
		"                         colour by self time instead of total time\n" READING_USAGE
			HELP_USAGE,
	.run = run,
};
