#include "viz/call_tree.h"

#include <stdlib.h>
#include <string.h>

struct seen { /* the node of a stack within the group that is being built */
	uint32_t group;
	node_id node;
};

struct builder {
	struct call_tree *tree;
	const struct measure *measure;
	const struct call_tree_shape *shape;
	const struct profile *profile;
	struct seen *seen; /* by stack_id */
	uint32_t group;	   /* number of the thread or process that is being built */
	node_id root;	   /* what its stacks hang below; 0: nothing */
	ARRAY(stack_id) path;
};

struct call_node *call_tree_at(const struct call_tree *tree, node_id id)
{
	return &tree->nodes.items[id - 1];
}

static bool same_node(const void *owner, uint32_t id, const void *key)
{
	const struct call_node *a = call_tree_at(owner, id), *b = key;

	return a->parent == b->parent && a->item == b->item;
}

static node_id add_node(struct call_tree *tree, const struct call_node *key)
{
	*array_add(&tree->nodes) = *key;
	return tree->nodes.count;
}

static uint64_t hash_of(node_id parent, item_id item)
{
	return hash_pair(parent, item);
}

static node_id find_or_add(struct call_tree *tree, const struct call_node *key)
{
	uint64_t hash = hash_of(key->parent, key->item);
	node_id id = hash_find(&tree->table, hash, same_node, tree, key);

	if (id)
		return id;
	id = add_node(tree, key);
	hash_insert(&tree->table, hash, id);
	return id;
}

/*
 * The child of a node. While the tree is built, first_child is the child that was asked for last,
 * and next_sibling is not 0 once a node has several children: only these are in the table, since
 * most nodes have a single one.
 */
static node_id child_of(struct call_tree *tree, const struct call_node *key)
{
	node_id last = call_tree_at(tree, key->parent)->first_child, id;

	if (last && call_tree_at(tree, last)->item == key->item)
		return last;
	if (!last) {
		id = add_node(tree, key);
	} else {
		if (!call_tree_at(tree, key->parent)->next_sibling)
			hash_insert(&tree->table,
				hash_of(key->parent, call_tree_at(tree, last)->item), last);
		call_tree_at(tree, key->parent)->next_sibling = last;
		id = find_or_add(tree, key);
	}
	call_tree_at(tree, key->parent)->first_child = id;
	return id;
}

static node_id push(struct call_tree *tree, node_id parent, item_id item, bool is_inlined)
{
	struct call_node key = {.parent = parent, .item = item, .is_inlined = is_inlined};
	node_id id = parent ? child_of(tree, &key) : find_or_add(tree, &key);

	call_tree_at(tree, id)->is_inlined &= is_inlined;
	return id;
}

static node_id push_item(struct builder *builder, node_id parent, enum item_kind kind, uint32_t id)
{
	struct item item = {.kind = kind, .id = id};

	return push(builder->tree, parent, items_intern(&builder->tree->items, &item), false);
}

/* By module, calls within one module are not told apart. */
static node_id push_code(struct builder *builder, node_id parent, item_id item, bool is_inlined)
{
	struct call_tree *tree = builder->tree;

	if (builder->shape->by == VIEW_BY_MODULE) {
		if (parent && call_tree_at(tree, parent)->item == item)
			return parent;
		is_inlined = false;
	}
	return push(tree, parent, item, is_inlined);
}

/* A frame's lines, from the outermost function inwards, or reversed. */
static node_id push_frame(struct builder *builder, node_id parent, frame_id id)
{
	const struct frame *frame = frames_at(&builder->profile->frames, id);
	struct items *items = &builder->tree->items;
	uint32_t count = frame->line_count;

	if (count == 0)
		return push_code(builder, parent, items_of_unnamed(items, id), false);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t line = builder->shape->is_reversed ? i : count - 1 - i;

		parent = push_code(builder, parent, items->of_line[frame->first_line + line],
			line + 1 < count);
	}
	return parent;
}

/* Stacks without user registers are whole as they are; other unrooted ones lack their outer part.
 */
static node_id push_end(struct builder *builder, node_id parent, stack_id end)
{
	if (end == STACK_ROOTED || end == STACK_NOT_WALKED)
		return parent;
	return push_item(builder, parent, ITEM_STACK_END, end);
}

/* Goes out to the first stack whose node is known, then back in. */
static node_id node_of_stack(struct builder *builder, stack_id stack)
{
	const struct stacks *stacks = &builder->profile->stacks;
	node_id node;

	builder->path.count = 0;
	while (stack >= STACK_END_COUNT && builder->seen[stack].group != builder->group) {
		*array_add(&builder->path) = stack;
		stack = stacks_at(stacks, stack)->parent;
	}
	if (stack >= STACK_END_COUNT)
		node = builder->seen[stack].node;
	else
		node = push_end(builder, builder->root, stack);
	while (builder->path.count > 0) {
		stack = builder->path.items[--builder->path.count];
		node = push_frame(builder, node, stacks_at(stacks, stack)->frame);
		builder->seen[stack] = (struct seen){builder->group, node};
	}
	return node;
}

static node_id node_of_reversed(struct builder *builder, stack_id stack)
{
	const struct stacks *stacks = &builder->profile->stacks;
	node_id node = builder->root;

	for (; stack >= STACK_END_COUNT; stack = stacks_at(stacks, stack)->parent)
		node = push_frame(builder, node, stacks_at(stacks, stack)->frame);
	return push_end(builder, node, stack);
}

static node_id node_of_count(struct builder *builder, const struct count *count)
{
	switch (builder->shape->by) {
	case VIEW_BY_THREAD:
		return push_item(builder, 0, ITEM_THREAD, count->thread);
	case VIEW_BY_PROCESS:
		return push_item(builder, 0, ITEM_PROCESS,
			threads_thread(&builder->profile->threads, count->thread)->process);
	case VIEW_BY_STACK:
		return push_item(builder, 0, ITEM_STACK, count->stack);
	default:
		return builder->shape->is_reversed ? node_of_reversed(builder, count->stack)
						   : node_of_stack(builder, count->stack);
	}
}

static void add_count(struct builder *builder, const struct count *count)
{
	uint64_t value = count->value[builder->measure->metric];
	uint64_t samples = count->value[METRIC_SAMPLES];
	struct cost *cost;
	node_id node;

	if (!measure_takes(builder->measure, count) || (value == 0 && samples == 0))
		return;
	node = node_of_count(builder, count);
	if (node == 0) /* an empty stack: nothing is known but that it was there */
		node = push_item(builder, 0, ITEM_STACK_END, STACK_NOT_WALKED);
	cost = &call_tree_at(builder->tree, node)->cost;
	cost->self += value;
	cost->self_samples += samples;
}

static void start_group(struct builder *builder, thread_id thread)
{
	process_id process = threads_thread(&builder->profile->threads, thread)->process;

	builder->root = 0;
	if (builder->shape->below_process)
		builder->root = push_item(builder, builder->root, ITEM_PROCESS, process);
	if (builder->shape->below_thread)
		builder->root = push_item(builder, builder->root, ITEM_THREAD, thread);
	builder->group++;
}

struct place { /* of a count among those sorted by group */
	uint32_t group, index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	if (left->group != right->group)
		return left->group < right->group ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static void add_counts_by_group(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	size_t count = profile->counts.count;
	struct place *places = alloc_zeroed(count + 1, sizeof(*places));

	for (size_t i = 0; i < count; i++) {
		thread_id thread = profile->counts.items[i].thread;

		places[i].index = i;
		places[i].group = builder->shape->below_thread
					  ? thread
					  : threads_thread(&profile->threads, thread)->process;
	}
	qsort(places, count, sizeof(*places), compare_places);
	for (size_t i = 0; i < count; i++) {
		const struct count *next = &profile->counts.items[places[i].index];

		if (i == 0 || places[i].group != places[i - 1].group)
			start_group(builder, next->thread);
		add_count(builder, next);
	}
	free(places);
}

static void add_counts(struct builder *builder)
{
	const struct profile *profile = builder->profile;

	if (builder->shape->below_process || builder->shape->below_thread) {
		add_counts_by_group(builder);
		return;
	}
	builder->group = 1;
	for (size_t i = 0; i < profile->counts.count; i++)
		add_count(builder, &profile->counts.items[i]);
}

static void add_cost(struct cost *sum, const struct cost *cost)
{
	sum->total += cost->total;
	sum->total_samples += cost->total_samples;
}

/* Children have higher numbers than their parents: one pass from the end sums all subtrees. */
static void sum_and_link(struct call_tree *tree)
{
	for (node_id id = 1; id <= tree->nodes.count; id++)
		call_tree_at(tree, id)->first_child = call_tree_at(tree, id)->next_sibling = 0;
	for (node_id id = tree->nodes.count; id > 0; id--) {
		struct call_node *node = call_tree_at(tree, id), *parent;

		node->cost.total += node->cost.self;
		node->cost.total_samples += node->cost.self_samples;
		if (node->parent == 0) {
			add_cost(&tree->all, &node->cost);
			node->next_sibling = tree->first_root;
			tree->first_root = id;
			continue;
		}
		parent = call_tree_at(tree, node->parent);
		add_cost(&parent->cost, &node->cost);
		node->next_sibling = parent->first_child;
		parent->first_child = id;
	}
}

/* Samples weigh unequally; so many equal ones would have the same error (Kish). */
static double effective_samples(const struct measure *measure)
{
	double weight = 0, squares = 0, samples = 0;
	const struct profile *profile = measure->profile;

	for (size_t i = 0; i < profile->counts.count; i++) {
		const struct count *count = &profile->counts.items[i];

		if (!measure_takes(measure, count) || count->value[METRIC_SAMPLES] == 0)
			continue;
		weight += (double)count->value[METRIC_CPU] / 1e3;
		squares += (double)count->value[METRIC_CPU_SQUARES];
		samples += (double)count->value[METRIC_SAMPLES];
	}
	return squares > 0 && weight * weight / squares < samples ? weight * weight / squares
								  : samples;
}

void call_tree_build(
	struct call_tree *tree, const struct measure *measure, const struct call_tree_shape *shape)
{
	const struct profile *profile = measure->profile;
	struct builder builder = {
		.tree = tree, .measure = measure, .shape = shape, .profile = profile};

	*tree = (struct call_tree){0};
	items_init(&tree->items, profile, shape->by);
	array_reserve(&tree->nodes, profile->stacks.items.count);
	builder.seen = alloc_zeroed(profile->stacks.items.count + 1, sizeof(*builder.seen));
	add_counts(&builder);
	sum_and_link(tree);
	tree->effective_samples = effective_samples(measure);
	free(builder.seen);
	array_release(&builder.path);
}

void call_tree_release(struct call_tree *tree)
{
	items_release(&tree->items);
	array_release(&tree->nodes);
	hash_release(&tree->table);
}

node_id call_walk_first(const struct call_walk *walk)
{
	return walk->within ? walk->within : walk->tree->first_root;
}

node_id call_walk_next(const struct call_walk *walk, node_id id, bool skip_children)
{
	const struct call_node *node = call_tree_at(walk->tree, id);

	if (node->first_child && !skip_children)
		return node->first_child;
	for (;;) {
		if (walk->leave)
			walk->leave(walk->context, id);
		if (id == walk->within)
			return 0;
		if (node->next_sibling)
			return node->next_sibling;
		id = node->parent;
		if (id == 0)
			return 0;
		node = call_tree_at(walk->tree, id);
	}
}

struct order {
	const struct call_tree *tree;
	const uint32_t *rank;
};

static int compare_nodes(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	node_id left = *(const node_id *)a, right = *(const node_id *)b;
	uint32_t left_rank = order->rank[call_tree_at(order->tree, left)->item];
	uint32_t right_rank = order->rank[call_tree_at(order->tree, right)->item];

	if (left_rank != right_rank)
		return left_rank < right_rank ? -1 : 1;
	return left < right ? -1 : left > right;
}

/* Sorts a list of siblings and links it again; returns its new first one. */
static node_id sort_siblings(struct call_tree *tree, node_id first, struct order *order)
{
	ARRAY(node_id) siblings = {0};

	for (node_id id = first; id; id = call_tree_at(tree, id)->next_sibling)
		*array_add(&siblings) = id;
	if (siblings.count > 1) {
		qsort_r(siblings.items, siblings.count, sizeof(node_id), compare_nodes, order);
		for (size_t i = 0; i < siblings.count; i++)
			call_tree_at(tree, siblings.items[i])->next_sibling =
				i + 1 < siblings.count ? siblings.items[i + 1] : 0;
		first = siblings.items[0];
	}
	array_release(&siblings);
	return first;
}

void call_tree_sort(struct call_tree *tree, const uint32_t *rank)
{
	struct order order = {tree, rank};

	tree->first_root = sort_siblings(tree, tree->first_root, &order);
	for (node_id id = 1; id <= tree->nodes.count; id++) {
		node_id first = sort_siblings(tree, call_tree_at(tree, id)->first_child, &order);

		call_tree_at(tree, id)->first_child = first;
	}
}

/* Where a node lies between the bounds; counted in calls. */
struct level {
	uint32_t below_root; /* 0: outside, 1: the root itself, 2: called by it */
	uint32_t above_leaf; /* 0: leads to none, 1: the leaf itself, 2: calls it */
	bool is_past_leaf;   /* the leaf or below it */
};

static void find_levels_below(
	const struct call_tree *tree, const struct call_tree_bounds *bounds, struct level *levels)
{
	for (node_id id = 1; id <= tree->nodes.count; id++) {
		const struct call_node *node = call_tree_at(tree, id);
		const struct level *parent = &levels[node->parent];
		bool is_root = bounds->root ? bounds->root[node->item] : node->parent == 0;
		bool is_leaf = bounds->leaf && bounds->leaf[node->item];

		if (parent->below_root || is_root)
			levels[id].below_root = parent->below_root + 1;
		if (parent->is_past_leaf) {
			levels[id].is_past_leaf = true;
		} else if (levels[id].below_root && is_leaf) {
			levels[id].is_past_leaf = true;
			levels[id].above_leaf = 1;
		}
	}
}

static void find_levels_above(const struct call_tree *tree, struct level *levels)
{
	for (node_id id = tree->nodes.count; id > 0; id--) {
		node_id parent = call_tree_at(tree, id)->parent;
		uint32_t above = levels[id].above_leaf;

		if (above && parent &&
			(levels[parent].above_leaf == 0 || levels[parent].above_leaf > above + 1))
			levels[parent].above_leaf = above + 1;
	}
}

static bool is_hidden(const struct call_tree_bounds *bounds, const struct level *level)
{
	if (level->below_root == 0 || (bounds->leaf && level->above_leaf == 0))
		return true;
	if (bounds->depth == 0)
		return false;
	return (bounds->leaf && !bounds->root ? level->above_leaf : level->below_root) >
	       bounds->depth + 1;
}

void call_tree_restrict(struct call_tree *tree, const struct call_tree_bounds *bounds)
{
	struct level *levels = alloc_zeroed(tree->nodes.count + 1, sizeof(*levels));

	find_levels_below(tree, bounds, levels);
	find_levels_above(tree, levels);
	for (node_id id = tree->nodes.count; id > 0; id--) {
		struct call_node *node = call_tree_at(tree, id);
		const struct level *level = &levels[id];

		if (level->below_root == 0 || (bounds->leaf && !level->is_past_leaf))
			node->cost.self = node->cost.self_samples = 0;
		node->cost.total = node->cost.self;
		node->cost.total_samples = node->cost.self_samples;
		for (node_id child = node->first_child; child;
			child = call_tree_at(tree, child)->next_sibling)
			add_cost(&node->cost, &call_tree_at(tree, child)->cost);
		node->is_hidden = is_hidden(bounds, level);
	}
	free(levels);
}
