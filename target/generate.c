/* `segment generate`: makes the data, from a drawn picture or the user's. */
#include "allocate.h"
#include "clusters.h"
#include "command.h"
#include "data_set_writer.h"
#include "forest.h"
#include "pixel_features.h"
#include "png_file.h"
#include "progress.h"
#include "strokes.h"
#include "tissue.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWN_HEIGHT = 960, DRAWN_WIDTH = 1280, SMALLEST_SIDE = 16, SIZE_COUNT = 4 };

struct generate_options {
	const char *image; /* NULL: draw one */
	uint64_t seed;
	bool wanted[SIZE_COUNT]; /* by the number in data_sizes[] */
};

/* The picture, and a class for each of its pixels; the caller frees both. */
static int make_picture(const struct generate_options *options, struct picture *picture,
	uint8_t **classes, struct failure *err)
{
	if (!options->image) {
		*classes = allocate(DRAWN_HEIGHT * DRAWN_WIDTH, 1);
		tissue_draw(options->seed, DRAWN_HEIGHT, DRAWN_WIDTH, picture, *classes);
		return 0;
	}
	if (png_file_read(options->image, picture, err))
		return -1;
	if (picture->height < SMALLEST_SIDE || picture->width < SMALLEST_SIDE)
		return fail(err, "%s has %zu x %zu pixels; the smallest that will do is %d x %d",
			options->image, picture->width, picture->height, SMALLEST_SIDE,
			SMALLEST_SIDE);
	*classes = allocate(picture->height * picture->width, 1);
	clusters_find(options->seed, picture, *classes);
	return 0;
}

/* What a forest trained on labelled regions makes of the picture; free() it. */
static double *classify_picture(
	uint64_t seed, const struct picture *picture, const uint8_t *classes)
{
	size_t pixels = picture->height * picture->width;
	double *probabilities = allocate(pixels * CLASS_COUNT, sizeof(*probabilities));
	uint8_t *labels = allocate(pixels, 1);
	uint8_t *features = features_compute(picture);
	struct forest forest;

	strokes_draw(seed, classes, picture->height, picture->width, labels);
	forest_train(&forest, seed, features, labels, pixels);
	forest_predict(&forest, features, pixels, probabilities);
	forest_release(&forest);
	free(features);
	free(labels);
	progress_clear();
	return probabilities;
}

static int write_sizes(const struct generate_options *options, const struct picture *picture,
	const double *probabilities, struct failure *err)
{
	for (unsigned i = 0; i < SIZE_COUNT; i++) {
		const struct data_size *size = &data_sizes[i];
		int failed;

		if (!options->wanted[i])
			continue;
		failed = data_set_write(size, picture, probabilities, err);
		progress_clear();
		if (failed)
			return -1;
		printf("data/%s: %zu x %zu pixels%s\n", size->name, picture->width * size->tiles,
			picture->height * size->tiles, size->has_text ? ", also as text" : "");
		fflush(stdout);
	}
	return 0;
}

static int generate(const struct generate_options *options, struct failure *err)
{
	struct picture picture = {0};
	uint8_t *classes = NULL;
	double *probabilities = NULL;
	int failed = make_picture(options, &picture, &classes, err);

	if (!failed) {
		probabilities = classify_picture(options->seed, &picture, classes);
		failed = write_sizes(options, &picture, probabilities, err);
	}
	free(probabilities);
	free(classes);
	picture_release(&picture);
	return failed;
}

static int parse_seed(const char *text, uint64_t *seed, struct failure *err)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 10);
	if (*end || end == text || errno || *text == '-')
		return fail(err, "--seed wants a whole number, not '%s'", text);
	return 0;
}

/* Which sizes the words name; s when there are none. */
static int parse_sizes(int count, char **words, bool wanted[SIZE_COUNT], struct failure *err)
{
	wanted[0] = count == 0;
	for (int i = 0; i < count; i++) {
		const struct data_size *size = data_size_find(words[i], err);

		if (!size)
			return -1;
		wanted[size - data_sizes] = true;
	}
	return 0;
}

static int run_generate(int argc, char **argv, struct failure *err)
{
	static const struct option known[] = {
		{"image", required_argument, NULL, 'i'},
		{"seed", required_argument, NULL, 's'},
		{NULL},
	};
	struct generate_options options = {.seed = 1};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (option == 'i') {
			options.image = optarg;
		} else if (option != 's') {
			fail(err, "usage: segment generate%s", command_generate.usage);
			return EXIT_USAGE;
		} else if (parse_seed(optarg, &options.seed, err)) {
			return EXIT_USAGE;
		}
	}
	if (parse_sizes(argc - optind, argv + optind, options.wanted, err))
		return EXIT_USAGE;
	return generate(&options, err) ? EXIT_FAILED : EXIT_GOOD;
}

const struct command command_generate = {
	.name = "generate",
	.usage = " [s m l xl] [--image FILE.png] [--seed N]",
	.summary = "makes the data sets (s) under data/, from a drawn picture or yours",
	.run = run_generate,
};
