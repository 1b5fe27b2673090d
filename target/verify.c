/* `segment verify`: every stage's picture is the first stage's. */
#include "command.h"
#include "data_set.h"
#include "hdf5_input.h"
#include "stage.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_text(const char *directory)
{
	char path[PATH_MAX];
	struct failure err;

	return !data_set_text_path(directory, 0, path, &err) && !access(path, F_OK);
}

/* l and xl: neither v0 nor v1 takes them. */
static int is_large(const char *directory, bool *large, struct failure *err)
{
	struct hdf5_input input;

	if (hdf5_input_open(&input, directory, err))
		return -1;
	*large = input.tiles > 2;
	hdf5_input_close(&input);
	return 0;
}

static int run_unmeasured(const struct stage *stage, const char *directory, struct picture *result,
	struct failure *err)
{
	void *prepared = NULL;
	int failed;

	if (stage->prepare && !(prepared = stage->prepare(err)))
		return -1;
	failed = stage->run(directory, prepared, result, err);
	if (stage->release)
		stage->release(prepared);
	return failed;
}

static int check_same_size(const struct picture *a, const struct picture *b, struct failure *err)
{
	if (a->height == b->height && a->width == b->width)
		return 0;
	return fail(err,
		"the pictures differ in size (%zu x %zu and %zu x %zu): text and data.hdf5 are not "
		"of "
		"one image; make both again with `segment generate`",
		a->width, a->height, b->width, b->height);
}

/* Of any channel of any pixel; both are of one size. */
static int largest_difference(const struct picture *a, const struct picture *b)
{
	int largest = 0;

	for (size_t i = 0; i < a->height * a->width * 3; i++) {
		int difference = abs(a->rgb[i] - b->rgb[i]);

		if (difference > largest)
			largest = difference;
	}
	return largest;
}

/* Prints the stage's line; fails when it differs by more than it may. */
static int judge(const struct stage *stage, const char *directory, const struct stage *first,
	int largest, struct failure *err)
{
	printf("%s  %s  largest difference from %s: %d of 255, allowed: %d\n", directory,
		stage->name, first->name, largest, stage->tolerance);
	if (largest <= stage->tolerance)
		return 0;
	return fail(err,
		"%s on %s differs from %s by %d, more than %d: the stage is wrong, or text and "
		"data.hdf5 are not of one image",
		stage->name, directory, first->name, largest, stage->tolerance);
}

static int verify_stage(const struct stage *stage, const char *directory, const struct stage *first,
	const struct picture *reference, struct failure *err)
{
	struct picture result = {0};
	int failed = run_unmeasured(stage, directory, &result, err) ||
		     check_same_size(reference, &result, err) ||
		     judge(stage, directory, first, largest_difference(reference, &result), err);

	picture_release(&result);
	return failed ? -1 : 0;
}

static int verify_directory(const char *directory, struct failure *err)
{
	const struct stage *first = NULL;
	struct picture reference = {0};
	bool text = has_text(directory), large;
	int failed = is_large(directory, &large, err);

	for (const struct stage *const *stage = stages; *stage && !failed; stage++) {
		if (((*stage)->reads_text && !text) || ((*stage)->small_only && large)) {
			printf("%s  %s  left out: %s\n", directory, (*stage)->name,
				large ? "it takes the sizes s and m only"
				      : "there are no text files");
		} else if (!first) {
			first = *stage;
			failed = run_unmeasured(first, directory, &reference, err);
		} else {
			failed = verify_stage(*stage, directory, first, &reference, err);
		}
		fflush(stdout);
	}
	picture_release(&reference);
	return failed;
}

static int verify_named(const char *name, struct failure *err)
{
	char directory[PATH_MAX];

	return data_set_directory(name, directory, err) || verify_directory(directory, err);
}

/* `--data s m` and `--data s --data m` mean the same. */
static int run_verify(int argc, char **argv, struct failure *err)
{
	static const struct option known[] = {{"data", required_argument, NULL, 'd'}, {NULL}};
	bool any = false;
	int option;

	/* "-": a word without an option is an argument of the option 1. */
	while ((option = getopt_long(argc, argv, "-", known, NULL)) != -1) {
		if (option != 'd' && option != 1) {
			fail(err, "usage: segment verify%s", command_verify.usage);
			return EXIT_USAGE;
		}
		any = true;
		if (verify_named(optarg, err))
			return EXIT_FAILED;
	}
	for (; optind < argc; optind++, any = true) /* what follows a "--" */
		if (verify_named(argv[optind], err))
			return EXIT_FAILED;
	if (!any && verify_named("s", err))
		return EXIT_FAILED;
	return EXIT_GOOD;
}

const struct command command_verify = {
	.name = "verify",
	.usage = " [--data DIR...]",
	.summary = "compares every stage's picture with the first stage's",
	.run = run_verify,
};
