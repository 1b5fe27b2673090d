/*
 * totals: what each item of a call tree cost in all, and each arc from caller to callee.
 *
 * `self` is what the item cost itself, `total` includes what it called. An item, and an arc, that
 * occurs more than once on a stack (recursion) counts once for it, so that no total exceeds the
 * whole.
 */
#pragma once

#include "viz/call_tree.h"

struct arc {
	item_id caller, callee;
	struct cost cost; /* of the callee, when called by the caller */
};

struct totals {
	struct cost *of; /* by item_id; of[0] is not used */
	size_t item_count;
	ARRAY(struct arc) arcs; /* empty unless asked for */
	struct hash arc_table;
};

void totals_build(struct totals *totals, const struct call_tree *tree, bool with_arcs);
void totals_release(struct totals *totals);

/*
 * One standard error of `samples` out of all of the tree's samples: of sampling, for a share of
 * n effective samples sqrt(p (1 - p) / n). 0 when nothing was sampled.
 */
double totals_standard_error(const struct call_tree *tree, uint64_t samples);
