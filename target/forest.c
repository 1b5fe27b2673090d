#include "forest.h"

#include "allocate.h"
#include "progress.h"
#include "random.h"
#include "strokes.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	FEATURES_TRIED = 7,  /* at each node: about the square root of all */
	SMALLEST_SPLIT = 10, /* pixels that a node must have to be parted */
	PIXELS_TOGETHER =
		512, /* predicted tree by tree, so that tree and features stay in the cache */
};

/* How many pixels of each class. */
struct counts {
	uint32_t of_class[CLASS_COUNT];
};

struct split {
	uint8_t feature, bin;
	double purity; /* larger is better; below 0: none found */
};

/* One tree while it grows. */
struct growth {
	struct tree *tree;
	const uint8_t *features, *labels;
	uint32_t *pixels; /* the training pixels; a node's own lie side by side */
	struct random random;
	struct counts histogram[BIN_COUNT];
};

static uint32_t counts_sum(const struct counts *counts)
{
	uint32_t sum = 0;

	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		sum += counts->of_class[class];
	return sum;
}

/* Sum of squares by sum: the part of Gini's impurity that a split can change, negated. */
static double counts_purity(const struct counts *counts)
{
	double squares = 0;
	uint32_t sum = counts_sum(counts);

	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		squares += (double)counts->of_class[class] * counts->of_class[class];
	return sum ? squares / sum : 0;
}

static struct counts count_classes(const struct growth *growth, size_t first, size_t end)
{
	struct counts counts = {0};

	for (size_t i = first; i < end; i++)
		counts.of_class[growth->labels[growth->pixels[i]]]++;
	return counts;
}

static void fill_histogram(struct growth *growth, size_t first, size_t end, unsigned feature)
{
	memset(growth->histogram, 0, sizeof(growth->histogram));
	for (size_t i = first; i < end; i++) {
		size_t pixel = growth->pixels[i];
		uint8_t bin = growth->features[pixel * FEATURE_STRIDE + feature];

		growth->histogram[bin].of_class[growth->labels[pixel]]++;
	}
}

/* Improves `best` when one of the feature's bins parts the node's classes better. */
static void try_feature(struct growth *growth, size_t first, size_t end, unsigned feature,
	const struct counts *all, struct split *best)
{
	struct counts left = {0}, right = *all;

	fill_histogram(growth, first, end, feature);
	for (unsigned bin = 0; bin < BIN_COUNT - 1; bin++) {
		double purity;

		for (unsigned class = 0; class < CLASS_COUNT; class ++) {
			left.of_class[class] += growth->histogram[bin].of_class[class];
			right.of_class[class] -= growth->histogram[bin].of_class[class];
		}
		purity = counts_purity(&left) + counts_purity(&right);
		if (purity > best->purity && counts_sum(&left) && counts_sum(&right))
			*best = (struct split){feature, bin, purity};
	}
}

/* Of a few random features the best one, or a split whose purity is below 0. */
static struct split find_split(
	struct growth *growth, size_t first, size_t end, const struct counts *counts)
{
	/* Only what is purer than the undivided node counts, by more than rounding. */
	double undivided = counts_purity(counts) * (1 + 1e-12);
	struct split best = {.purity = undivided};
	bool tried[FEATURE_COUNT] = {false};

	for (unsigned i = 0; i < FEATURES_TRIED;) {
		unsigned feature = random_below(&growth->random, FEATURE_COUNT);

		if (tried[feature])
			continue;
		tried[feature] = true;
		try_feature(growth, first, end, feature, counts, &best);
		i++;
	}
	if (best.purity <= undivided)
		best.purity = -1;
	return best;
}

/* Moves the pixels that go left to the front; returns where the others begin. */
static size_t part_pixels(
	struct growth *growth, size_t first, size_t end, const struct split *split)
{
	size_t middle = first;

	for (size_t i = first; i < end; i++) {
		uint32_t pixel = growth->pixels[i];

		if (growth->features[(size_t)pixel * FEATURE_STRIDE + split->feature] > split->bin)
			continue;
		growth->pixels[i] = growth->pixels[middle];
		growth->pixels[middle++] = pixel;
	}
	return middle;
}

/* The node's pixels all go on to the leftmost leaf below it, which gets their frequencies. */
static void end_in_leaf(struct tree *tree, size_t node, const struct counts *counts)
{
	uint32_t sum = counts_sum(counts);

	for (; node < NODE_COUNT; node = 2 * node + 1) {
		tree->nodes[node].feature = 0;
		tree->nodes[node].bin = BIN_COUNT - 1;
	}
	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		tree->leaves[node - NODE_COUNT][class] = (float)counts->of_class[class] / sum;
}

/* Grows the node of pixels [first, end), which are not none, and all below it. */
static void grow_node(struct growth *growth, size_t node, size_t first, size_t end)
{
	struct counts counts = count_classes(growth, first, end);
	struct split split = {.purity = -1};
	size_t middle;

	if (node < NODE_COUNT && end - first >= SMALLEST_SPLIT)
		split = find_split(growth, first, end, &counts);
	if (split.purity < 0) {
		end_in_leaf(growth->tree, node, &counts);
		return;
	}
	growth->tree->nodes[node].feature = split.feature;
	growth->tree->nodes[node].bin = split.bin;
	middle = part_pixels(growth, first, end, &split);
	grow_node(growth, 2 * node + 1, first, middle);
	grow_node(growth, 2 * node + 2, middle, end);
}

/* The numbers of the pixels that have a label; *count of them. The caller frees them. */
static uint32_t *find_labelled(const uint8_t *labels, size_t pixels, size_t *count)
{
	uint32_t *labelled = allocate(pixels, sizeof(*labelled));

	*count = 0;
	for (size_t i = 0; i < pixels; i++)
		if (labels[i] != NO_LABEL)
			labelled[(*count)++] = i;
	return labelled;
}

void forest_train(struct forest *forest, uint64_t seed, const uint8_t *features,
	const uint8_t *labels, size_t pixels)
{
	size_t labelled_count, sample_count = pixels / 20 + 1;
	uint32_t *labelled = find_labelled(labels, pixels, &labelled_count);
	struct growth growth = {.features = features, .labels = labels, .random = {seed}};

	forest->trees = allocate_zeroed(TREE_COUNT, sizeof(*forest->trees));
	growth.pixels = allocate(sample_count, sizeof(*growth.pixels));
	for (size_t tree = 0; tree < TREE_COUNT; tree++) {
		growth.tree = &forest->trees[tree];
		for (size_t i = 0; i < sample_count; i++)
			growth.pixels[i] = labelled[random_below(&growth.random, labelled_count)];
		grow_node(&growth, 0, 0, sample_count);
		progress_show("training trees", tree + 1, TREE_COUNT);
	}
	free(growth.pixels);
	free(labelled);
}

static const float *find_leaf(const struct tree *tree, const uint8_t *features)
{
	size_t node = 0;

	for (unsigned depth = 0; depth < TREE_DEPTH; depth++)
		node = 2 * node + 1 + (features[tree->nodes[node].feature] > tree->nodes[node].bin);
	return tree->leaves[node - NODE_COUNT];
}

static double round_to_six_decimals(double value)
{
	/* A quotient of whole numbers is the double nearest to the decimal, as strtod's is. */
	return round(value * 1e6) / 1e6;
}

/* Up to PIXELS_TOGETHER pixels. */
static void predict_some(
	const struct forest *forest, const uint8_t *features, size_t pixels, double *probabilities)
{
	double sums[PIXELS_TOGETHER][CLASS_COUNT] = {0};

	for (size_t tree = 0; tree < TREE_COUNT; tree++)
		for (size_t i = 0; i < pixels; i++) {
			const float *leaf =
				find_leaf(&forest->trees[tree], features + i * FEATURE_STRIDE);

			for (unsigned class = 0; class < CLASS_COUNT; class ++)
				sums[i][class] += leaf[class];
		}
	for (size_t i = 0; i < pixels; i++)
		for (unsigned class = 0; class < CLASS_COUNT; class ++)
			*probabilities++ = round_to_six_decimals(sums[i][class] / TREE_COUNT);
}

void forest_predict(
	const struct forest *forest, const uint8_t *features, size_t pixels, double *probabilities)
{
	for (size_t first = 0; first < pixels; first += PIXELS_TOGETHER) {
		size_t count = pixels - first < PIXELS_TOGETHER ? pixels - first : PIXELS_TOGETHER;

		predict_some(forest, features + first * FEATURE_STRIDE, count,
			probabilities + first * CLASS_COUNT);
		if (first / PIXELS_TOGETHER % 100 == 0)
			progress_show("predicting pixels", first, pixels);
	}
}

void forest_release(struct forest *forest)
{
	free(forest->trees);
	forest->trees = NULL;
}
