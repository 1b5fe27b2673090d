/*
 * A random forest (Breiman, "Random forests", 2001) that tells a pixel's class from its features:
 * 50 trees of depth 10, each grown from its own random pixels with random features tried at each
 * node. A leaf holds the class frequencies of the training pixels that fell into it; the forest's
 * probabilities are the mean over the trees.
 *
 * Trees are complete: node n has the children 2n+1 and 2n+2, and after ten comparisons a pixel is
 * in one of 1024 leaves. Where growing stopped early, comparisons that everything passes lead on to
 * the leftmost leaf below.
 */
#ifndef TARGET_FOREST_H
#define TARGET_FOREST_H

#include "palette.h"
#include "pixel_features.h"

enum {
	TREE_COUNT = 50,
	TREE_DEPTH = 10,
	NODE_COUNT = (1 << TREE_DEPTH) - 1,
	LEAF_COUNT = 1 << TREE_DEPTH,
};

struct tree {
	struct {
		uint8_t feature, bin; /* left when the feature's bin is at most this one */
	} nodes[NODE_COUNT];
	float leaves[LEAF_COUNT][CLASS_COUNT];
};

struct forest {
	struct tree *trees; /* TREE_COUNT, owned */
};

/*
 * Trains on the pixels that have a label (strokes.h), each tree on as many of them as 5 % of the
 * pixels are, drawn with replacement. There must be at least one label.
 */
void forest_train(struct forest *forest, uint64_t seed, const uint8_t *features,
	const uint8_t *labels, size_t pixels);

/*
 * The probabilities of every pixel's classes: pixels * CLASS_COUNT doubles, rounded to six
 * decimals, so that they are the same in a text file.
 */
void forest_predict(
	const struct forest *forest, const uint8_t *features, size_t pixels, double *probabilities);

void forest_release(struct forest *forest);

#endif
