/*
 * call_tree: the recorded stacks as one tree of items, with what each node cost.
 *
 * Paths of the profile's stacks that name the same items are one path here: inlined calls are nodes
 * like others, addresses of one function fall together. A parent's number is always lower than its
 * children's. Stacks whose outer part is not known hang below an item like "[truncated]".
 *
 *     id  parent  item          self  total
 *      1     0    main             0     10
 *      2     1    load             3      3
 *      3     1    color            7      7
 */
#pragma once

#include "viz/items.h"
#include "viz/measure.h"

typedef uint32_t node_id;

struct cost { /* of the metric that was asked for, and in samples */
	uint64_t self, total;
	uint64_t self_samples, total_samples;
};

struct call_node {
	node_id parent; /* 0: a root */
	item_id item;
	node_id first_child, next_sibling; /* 0: none */
	bool is_hidden;			   /* left out of totals: see call_tree_restrict() */
	bool is_inlined; /* in all of its stacks: part of its parent's machine code */
	struct cost cost;
};

struct call_tree {
	struct items items;
	ARRAY(struct call_node) nodes; /* nodes.items[node_id - 1] */
	struct hash table;
	node_id first_root;	  /* its siblings are the other roots */
	struct cost all;	  /* of all roots together */
	double effective_samples; /* (sum of weights)^2 / sum of squared weights, on the CPU */
};

struct call_tree_shape {
	enum view_by by;		  /* THREAD, PROCESS and STACK give a tree of roots only */
	bool below_process, below_thread; /* code hangs below its process, its thread */
	bool is_reversed;		  /* leaves become roots; the callers are below them */
};

void call_tree_build(
	struct call_tree *tree, const struct measure *measure, const struct call_tree_shape *shape);
void call_tree_release(struct call_tree *tree);

struct call_node *call_tree_at(const struct call_tree *tree, node_id id);

/* A walk over the tree, or over the subtree of one node: parents before children. */
struct call_walk {
	const struct call_tree *tree;
	node_id within;				  /* 0: everything */
	void (*leave)(void *context, node_id id); /* NULL, or called when a subtree is done */
	void *context;
};

/* 0 at the end. With skip_children the walk leaves out what is below `id`. */
node_id call_walk_first(const struct call_walk *walk);
node_id call_walk_next(const struct call_walk *walk, node_id id, bool skip_children);

/* Orders the roots, and the children of each node, by their items' ranks. */
void call_tree_sort(struct call_tree *tree, const uint32_t *rank /* by item_id */);

/*
 * Restricts the tree to stacks that hold an item of `root` and one of `leaf`, hiding what is
 * outside the one and inside the other. What the hidden inside cost stays in the totals of those
 * who called it. Either may be NULL: any. `depth` levels (0: any) are kept below the root, or above
 * the leaf, or below the outermost callers.
 */
struct call_tree_bounds {
	const bool *root, *leaf; /* by item_id */
	size_t depth;
};
void call_tree_restrict(struct call_tree *tree, const struct call_tree_bounds *bounds);
