#include "viz/totals.h"

#include <math.h>

struct walk { /* how often each item and arc is on the path from the root to the current node */
	const struct call_tree *tree;
	struct totals *totals;
	uint32_t *item_depth;
	ARRAY(uint32_t) arc_depth; /* by arc number, from 1; [0] is not used */
	uint32_t *arc_of;	   /* by node_id; NULL without arcs */
};

static bool same_arc(const void *owner, uint32_t id, const void *key)
{
	const struct totals *totals = owner;
	const struct arc *a = &totals->arcs.items[id - 1], *b = key;

	return a->caller == b->caller && a->callee == b->callee;
}

static uint32_t intern_arc(struct walk *walk, item_id caller, item_id callee)
{
	struct totals *totals = walk->totals;
	struct arc key = {.caller = caller, .callee = callee};
	uint64_t hash = hash_pair(caller, callee);
	uint32_t id = hash_find(&totals->arc_table, hash, same_arc, totals, &key);

	if (id)
		return id;
	*array_add(&totals->arcs) = key;
	id = totals->arcs.count;
	hash_insert(&totals->arc_table, hash, id);
	*array_add(&walk->arc_depth) = 0;
	return id;
}

static void add_cost(struct cost *sum, const struct cost *cost, bool is_outermost)
{
	sum->self += cost->self;
	sum->self_samples += cost->self_samples;
	if (is_outermost) {
		sum->total += cost->total;
		sum->total_samples += cost->total_samples;
	}
}

static void enter(struct walk *walk, node_id id)
{
	const struct call_node *node = call_tree_at(walk->tree, id);
	uint32_t arc;

	if (node->is_hidden)
		return;
	add_cost(&walk->totals->of[node->item], &node->cost, walk->item_depth[node->item]++ == 0);
	if (!walk->arc_of || node->parent == 0 || call_tree_at(walk->tree, node->parent)->is_hidden)
		return;
	arc = intern_arc(walk, call_tree_at(walk->tree, node->parent)->item, node->item);
	walk->arc_of[id] = arc;
	add_cost(&walk->totals->arcs.items[arc - 1].cost, &node->cost,
		walk->arc_depth.items[arc]++ == 0);
}

static void leave(void *context, node_id id)
{
	struct walk *walk = context;

	const struct call_node *node = call_tree_at(walk->tree, id);

	if (node->is_hidden)
		return;
	walk->item_depth[node->item]--;
	if (walk->arc_of && walk->arc_of[id])
		walk->arc_depth.items[walk->arc_of[id]]--;
}

void totals_build(struct totals *totals, const struct call_tree *tree, bool with_arcs)
{
	struct walk walk = {.tree = tree, .totals = totals};
	struct call_walk nodes = {.tree = tree, .leave = leave, .context = &walk};

	*totals = (struct totals){.item_count = tree->items.all.count};
	totals->of = alloc_zeroed(totals->item_count + 1, sizeof(*totals->of));
	walk.item_depth = alloc_zeroed(totals->item_count + 1, sizeof(*walk.item_depth));
	*array_add(&walk.arc_depth) = 0;
	if (with_arcs)
		walk.arc_of = alloc_zeroed(tree->nodes.count + 1, sizeof(*walk.arc_of));
	for (node_id id = call_walk_first(&nodes); id; id = call_walk_next(&nodes, id, false))
		enter(&walk, id);
	free(walk.item_depth);
	free(walk.arc_of);
	array_release(&walk.arc_depth);
}

void totals_release(struct totals *totals)
{
	free(totals->of);
	totals->of = NULL;
	array_release(&totals->arcs);
	hash_release(&totals->arc_table);
}

double totals_standard_error(const struct call_tree *tree, uint64_t samples)
{
	double all = (double)tree->all.total_samples, share;

	if (all <= 0 || tree->effective_samples <= 0)
		return 0;
	share = (double)samples / all;
	return all * sqrt(share * (1 - share) / tree->effective_samples);
}
