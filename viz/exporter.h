/*
 * exporter: one way to show profiles. Const profiles in, text out.
 *
 * Views of one profile read profiles[0]; a comparison reads base and new, each as a group of
 * repeated runs (profile_count profiles, the first options->base_count of which are the base's).
 * Everything a view shows is computed from the profiles and never stored in them.
 */
#pragma once

#include "base/error.h"
#include "model/profile.h"

#include <stdio.h>

enum view_by {
	VIEW_BY_FUNCTION,
	VIEW_BY_LINE,
	VIEW_BY_MODULE,
	VIEW_BY_THREAD,
	VIEW_BY_PROCESS,
	VIEW_BY_STACK
};

/* What to show of a profile: which metric, which part. Common to all views. */
struct view_selection {
	int metric;	  /* enum metric; -1: the profile's default */
	bool region_only; /* only what ran within marked regions */
	enum view_by by;
};

struct table_options {
	const char *const
		*sort_keys; /* as given, several combine; count 0: cumulative, descending */
	size_t sort_key_count;
	const char *const *restrictions; /* pstats': integer, fraction or regular expression */
	size_t restriction_count;
	size_t rows; /* 0: all */
	bool callers, callees;
};

struct tree_options {
	bool show_all, flat, unicode;
	double threshold; /* share of the total below which a node is left out; pyinstrument: 0.01
			   */
	const char *hide, *show; /* fnmatch patterns of files, or NULL */
};

struct dot_options {			       /* gprof2dot's, VIEWS.md 1 */
	double node_threshold, edge_threshold; /* percent */
	const char *colormap;
	bool strip, wrap, color_by_self, show_samples;
	const char *const *labels; /* self-time ...: NULL and 0 for the default */
	size_t label_count;
	const char *root, *leaf; /* fnmatch patterns */
	const char *const *paths;
	size_t path_count;
	size_t depth; /* 0: any */
	double skew;
};

struct flame_options {
	bool reverse, icicle, folded;
	const char *title; /* NULL: the command line */
	double width;	   /* pixels; 0: 1200 */
	double min_width;  /* pixels below which a frame is left out; 0: 0.1 */
};

struct diff_options {
	size_t base_count; /* profiles[0 .. base_count-1] are the base's */
	const char *base_name, *new_name;
	size_t rows;		 /* 0: all */
	double min_abs, min_rel; /* changes below are not listed: in the metric's own unit (times:
				    ns), as a fraction of the base's value */
};

struct view_options {
	struct view_selection selection;
	struct table_options table;
	struct tree_options tree;
	struct dot_options dot;
	struct flame_options flame;
	struct diff_options diff;
	bool color;		 /* ANSI colours for terminals */
	size_t columns;		 /* terminal width, to which lines are cut; 0: unlimited */
	const char *source_name; /* the file's name for headings */
};

struct exporter {
	const char *name, *summary, *extension;
	int (*write)(const struct profile *const profiles[], size_t profile_count,
		const struct view_options *options, FILE *out, struct error *err);
};

extern const struct exporter *const exporters[]; /* NULL-terminated */

/* The options that a view has when the user says nothing. */
struct view_options view_options_default(void);

/* By name; NULL and an error that names the known ones. */
const struct exporter *exporter_find(const char *name, struct error *err);
