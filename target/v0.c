/* Change: none, this is the first program: text parsed value by value, an object for each value. */
#include "allocate.h"
#include "boxed.h"
#include "data_set.h"
#include "hdf5_input.h"
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One text file while it is read. */
struct text_file {
	char path[PATH_MAX];
	FILE *stream;
	char *line; /* the current one, getline's */
	size_t line_size;
	size_t line_number; /* from 1 */
};

static int damaged(const struct text_file *text, const char *what, struct failure *err)
{
	return fail(err, "%s is damaged in line %zu: %s; make it again with `segment generate s m`",
		text->path, text->line_number, what);
}

/* The next number of the line; moves *cursor behind it. */
static STEP int parse_value(
	const struct text_file *text, char **cursor, double *number, struct failure *err)
{
	char *end;

	*number = strtod(*cursor, &end);
	if (end == *cursor && !(*cursor)[strspn(*cursor, " \n")])
		return damaged(text, "a number is missing", err);
	if (end == *cursor || (*end != ' ' && *end != '\n' && *end != '\0'))
		return damaged(text, "something there is not a number", err);
	if (!(*number >= 0 && *number <= 1)) /* NaN too */
		return damaged(text, "a probability is not between 0 and 1", err);
	*cursor = end;
	return 0;
}

static size_t count_values(const char *line)
{
	size_t count = 0;

	for (; *line; line++)
		count += *line != ' ' && *line != '\n' &&
			 (line[1] == ' ' || line[1] == '\n' || !line[1]);
	return count;
}

static STEP int parse_row(const struct text_file *text, struct boxed_pixel **row, size_t width,
	unsigned class, struct failure *err)
{
	char *cursor = text->line;
	double number;

	for (size_t x = 0; x < width; x++) {
		if (parse_value(text, &cursor, &number, err))
			return -1;
		row[x]->probability[class] = boxed_value_new(number);
	}
	if (*cursor != '\n')
		return damaged(text, *cursor ? "it has too many numbers" : "it is cut off", err);
	return 0;
}

/* The file of class 0 decides how many pixels there are, the others must have as many. */
static int parse_lines(
	struct text_file *text, struct boxed_image *image, unsigned class, struct failure *err)
{
	while (errno = 0, getline(&text->line, &text->line_size, text->stream) > 0) {
		size_t y = text->line_number++;

		if (class == 0)
			boxed_image_add_row(image, y ? image->width : count_values(text->line));
		if (y >= image->height)
			return damaged(
				text, "there are more lines than in the file of class 0", err);
		if (parse_row(text, image->rows[y], image->width, class, err))
			return -1;
	}
	if (errno)
		return fail(err, "%s cannot be read: %s", text->path, strerror(errno));
	if (text->line_number < image->height)
		return damaged(text, "there are fewer lines than in the file of class 0", err);
	if (!image->width)
		return fail(err, "%s holds no numbers; make it again with `segment generate s m`",
			text->path);
	return 0;
}

/* l and xl have no text: say so rather than that a file is missing. */
static int missing_text(const char *directory, const char *path, struct failure *err)
{
	struct hdf5_input input;
	unsigned tiles = 0;

	if (!hdf5_input_open(&input, directory, err)) {
		tiles = input.tiles;
		hdf5_input_close(&input);
	}
	if (tiles > 2)
		return fail(err,
			"v0 takes the sizes s and m only: %s is too large for text and an object "
			"per "
			"value; use v2 or later",
			directory);
	return fail(err,
		"there is no text: %s does not exist; make it with `segment generate s m`, or use "
		"v1 "
		"or later, which read data.hdf5",
		path);
}

static STEP int load_class(
	const char *directory, unsigned class, struct boxed_image *image, struct failure *err)
{
	struct text_file text = {0};
	int result;

	if (data_set_text_path(directory, class, text.path, err))
		return -1;
	text.stream = fopen(text.path, "re");
	if (!text.stream && (errno == ENOENT || errno == ENOTDIR))
		return missing_text(directory, text.path, err);
	if (!text.stream)
		return fail(err, "%s cannot be read: %s", text.path, strerror(errno));
	result = parse_lines(&text, image, class, err);
	free(text.line);
	fclose(text.stream);
	return result;
}

static STEP int load_probabilities(
	const char *directory, struct boxed_image *image, struct failure *err)
{
	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		if (load_class(directory, class, image, err))
			return -1;
	return 0;
}

static STEP void colorcode_probabilities(const struct boxed_image *image, struct picture *result)
{
	boxed_colorcode(image, result);
}

static int run_v0(
	const char *directory, void *prepared, struct picture *result, struct failure *err)
{
	struct boxed_image image = {0};
	int failed = load_probabilities(directory, &image, err);

	(void)prepared;
	if (!failed)
		colorcode_probabilities(&image, result);
	boxed_image_release(&image);
	return failed;
}

const struct stage stage_v0 = {
	.name = "v0",
	.change = "initial code: text files parsed value by value, an object for each value",
	.reads_text = true,
	.small_only = true,
	.run = run_v0,
};
