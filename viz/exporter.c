#include "viz/exporter.h"

#include <string.h>

extern const struct exporter table_exporter, tree_exporter, dot_exporter, flame_exporter,
	folded_exporter, diff_exporter;

const struct exporter *const exporters[] = {
	&table_exporter,
	&tree_exporter,
	&dot_exporter,
	&flame_exporter,
	&folded_exporter,
	&diff_exporter,
	NULL,
};

struct view_options view_options_default(void)
{
	return (struct view_options){
		.selection = {.metric = -1, .by = VIEW_BY_FUNCTION},
		.tree = {.unicode = true, .threshold = 0.01},
		.dot = {.node_threshold = 0.5,
			.edge_threshold = 0.1,
			.colormap = "color",
			.skew = 1},
		.flame = {.width = 1200, .min_width = 0.1},
		.diff = {.base_count = 1, .rows = 40},
	};
}

const struct exporter *exporter_find(const char *name, struct error *err)
{
	char known[256] = "";

	for (size_t i = 0; exporters[i]; i++) {
		size_t used = strlen(known);

		if (strcmp(exporters[i]->name, name) == 0)
			return exporters[i];
		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
			exporters[i]->name);
	}
	error_set(err, "unknown view '%s': known views are %s", name, known);
	return NULL;
}
