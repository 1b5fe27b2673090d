#include "text_output.h"

#include "allocate.h"
#include "palette.h"
#include "progress.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "0.123456 ": printf would take most of generate's time. */
enum { NUMBER_LENGTH = 9 };

static void format_number(double value, char text[NUMBER_LENGTH])
{
	unsigned millionths = lround(value * 1e6);

	for (unsigned i = NUMBER_LENGTH - 2; i > 1; i--, millionths /= 10)
		text[i] = '0' + millionths % 10;
	text[0] = '0' + millionths;
	text[1] = '.';
	text[NUMBER_LENGTH - 1] = ' ';
}

static void write_line(FILE *out, const char *row, size_t row_bytes, unsigned tiles)
{
	for (unsigned tile = 1; tile < tiles; tile++)
		fwrite(row, 1, row_bytes, out);
	fwrite(row, 1, row_bytes - 1, out); /* without the last space */
	putc('\n', out);
}

static void write_lines(FILE *out, unsigned tiles, size_t height, size_t width,
	const double *values, const volatile sig_atomic_t *interrupted)
{
	char *row = allocate(width, NUMBER_LENGTH);

	for (size_t y = 0; y < height * tiles && !ferror(out) && !*interrupted; y++) {
		const double *value = values + y % height * width * CLASS_COUNT;

		for (size_t x = 0; x < width; x++, value += CLASS_COUNT)
			format_number(*value, row + x * NUMBER_LENGTH);
		write_line(out, row, width * NUMBER_LENGTH, tiles);
		if (y % 64 == 0)
			progress_show("writing lines of text", y, height * tiles);
	}
	free(row);
}

int text_output_write(const char *path, unsigned tiles, size_t height, size_t width,
	const double *values, const volatile sig_atomic_t *interrupted, struct failure *err)
{
	FILE *out = fopen(path, "we");
	int failed;

	if (!out)
		return fail(err, "%s cannot be written: %s", path, strerror(errno));
	errno = 0;
	write_lines(out, tiles, height, width, values, interrupted);
	failed = ferror(out) || *interrupted;
	if (fclose(out) || failed)
		return fail(err, "%s cannot be written: %s; make room or choose a smaller size",
			path, *interrupted ? "interrupted" : strerror(errno));
	return 0;
}
