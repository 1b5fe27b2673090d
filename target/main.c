/*
 * segment: colours the pixels of an image by their most probable class, in eight stages from the
 * first program to a tuned one. It is what cprof is shown and measured on.
 */
#include "command.h"
#include "data_set.h"
#include "show.h"
#include "stage.h"

#include <cprof.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct command *const commands[] = {
	&command_generate,
	&command_verify,
	&command_list,
	NULL,
};

struct stage_options {
	char directory[PATH_MAX];
	const char *show; /* NULL: no picture */
	unsigned repeat;
};

static void print_help(FILE *out)
{
	fprintf(out, "usage: segment STAGE [--data DIR] [--show FILE.png] [--repeat N]\n");
	for (const struct command *const *command = commands; *command; command++)
		fprintf(out, "       segment %s%s\n", (*command)->name, (*command)->usage);
	fprintf(out, "\nColours every pixel of an image by its most probable class.\n\nstages:\n");
	for (const struct stage *const *stage = stages; *stage; stage++)
		fprintf(out, "  %-9s %s\n", (*stage)->name, (*stage)->change);
	fprintf(out, "\ncommands:\n");
	for (const struct command *const *command = commands; *command; command++)
		fprintf(out, "  %-9s %s\n", (*command)->name, (*command)->summary);
	fprintf(out,
		"\noptions of a stage:\n"
		"  --data DIR        the data set: s, m, l or xl means data/DIR of the working\n"
		"                    directory, a name with a slash is the directory itself (s)\n"
		"  --show FILE.png   writes the image and the result side by side\n"
		"  --repeat N        runs the stage N times (1)\n");
}

/* Fills options from the words after the stage's name; an exit status. */
static int parse_stage_options(
	int argc, char **argv, struct stage_options *options, struct failure *err)
{
	static const struct option known[] = {
		{"data", required_argument, NULL, 'd'},
		{"show", required_argument, NULL, 's'},
		{"repeat", required_argument, NULL, 'r'},
		{NULL},
	};
	const char *data = "s";
	char *end;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'd':
			data = optarg;
			break;
		case 's':
			options->show = optarg;
			break;
		case 'r':
			errno = 0;
			options->repeat = strtoul(optarg, &end, 10);
			if (*end || end == optarg || errno || *optarg == '-' || !options->repeat) {
				fail(err, "--repeat wants a number from 1, not '%s'", optarg);
				return EXIT_USAGE;
			}
			break;
		default:
			fail(err, "`segment --help` lists the options of a stage");
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fail(err, "too many words: '%s'; `segment --help` shows the usage", argv[optind]);
		return EXIT_USAGE;
	}
	return data_set_directory(data, options->directory, err) ? EXIT_FAILED : EXIT_GOOD;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* The measured region: load and process, once. */
static int run_measured(const struct stage *stage, const char *directory, void *prepared,
	struct picture *result, double *elapsed_ms, struct failure *err)
{
	double start_ms = now_ms();
	int failed;

	cprof_start();
	failed = stage->run(directory, prepared, result, err);
	cprof_stop();
	*elapsed_ms = now_ms() - start_ms;
	return failed;
}

/* Leaves the last run's picture in result, the fastest run's time in fastest_ms. */
static int run_repeatedly(const struct stage *stage, const struct stage_options *options,
	void *prepared, struct picture *result, double *fastest_ms, struct failure *err)
{
	for (unsigned i = 0; i < options->repeat; i++) {
		double elapsed_ms;

		picture_release(result);
		if (run_measured(stage, options->directory, prepared, result, &elapsed_ms, err))
			return -1;
		if (i == 0 || elapsed_ms < *fastest_ms)
			*fastest_ms = elapsed_ms;
	}
	return 0;
}

static int run_stage(
	const struct stage *stage, const struct stage_options *options, struct failure *err)
{
	struct picture result = {0};
	double fastest_ms = 0;
	void *prepared = NULL;
	int failed = -1;

	if (stage->prepare && !(prepared = stage->prepare(err)))
		return -1;
	if (run_repeatedly(stage, options, prepared, &result, &fastest_ms, err))
		goto out;
	printf("%s: %zu x %zu pixels, %s%.1f ms\n", stage->name, result.width, result.height,
		options->repeat > 1 ? "fastest run " : "", fastest_ms);
	failed = options->show ? show_side_by_side(options->directory, &result, options->show, err)
			       : 0;
out:
	picture_release(&result);
	if (stage->release)
		stage->release(prepared);
	return failed;
}

static int stage_main(int argc, char **argv, struct failure *err)
{
	struct stage_options options = {.repeat = 1};
	const struct stage *stage = stage_find(argv[0], err);
	int status;

	if (!stage)
		return EXIT_FAILED;
	status = parse_stage_options(argc, argv, &options, err);
	if (status != EXIT_GOOD)
		return status;
	return run_stage(stage, &options, err) ? EXIT_FAILED : EXIT_GOOD;
}

/* argv[0] is the stage or command. */
static int dispatch(int argc, char **argv, struct failure *err)
{
	for (const struct command *const *command = commands; *command; command++)
		if (!strcmp((*command)->name, argv[0]))
			return (*command)->run(argc, argv, err);
	return stage_main(argc, argv, err);
}

/* Output that could not be written, to a full disk say, is a failure like any other. */
static int finish_output(int status, struct failure *err)
{
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_GOOD) {
		fail(err, "the output cannot be written: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct failure err = {""};
	int status;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		status = EXIT_GOOD;
	} else if (argv[1][0] == '-') {
		fail(&err, "first comes a stage or a command, not '%s'; see `segment --help`",
			argv[1]);
		status = EXIT_USAGE;
	} else {
		status = dispatch(argc - 1, argv + 1, &err);
	}
	status = finish_output(status, &err);
	if (*err.text)
		fprintf(stderr, "segment: %s\n", err.text);
	return status;
}
