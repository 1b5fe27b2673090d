#include "show.h"

#include "allocate.h"
#include "hdf5_input.h"
#include "png_file.h"

#include <stdlib.h>
#include <string.h>

static int add_rows(const struct hdf5_input *input, const struct picture *result,
	struct png_writer *writer, struct failure *err)
{
	size_t row_bytes = result->width * 3;
	uint8_t *row = allocate(2, row_bytes);
	int failed = 0;

	for (size_t y = 0; y < result->height && !failed; y++) {
		failed = hdf5_input_read_image_row(input, y, row, err);
		memcpy(row + row_bytes, picture_pixel(result, y, 0), row_bytes);
		if (!failed)
			failed = png_writer_add_row(writer, row, err);
	}
	free(row);
	return failed;
}

int show_side_by_side(
	const char *directory, const struct picture *result, const char *path, struct failure *err)
{
	struct hdf5_input input;
	struct png_writer *writer = NULL;
	int failed = -1;

	if (hdf5_input_open(&input, directory, err))
		return -1;
	if (input.height != result->height || input.width != result->width) {
		fail(err,
			"%s and the text files beside it differ in size; make both again with "
			"`segment "
			"generate`",
			input.path);
		goto out;
	}
	writer = png_writer_open(path, result->height, result->width * 2, err);
	if (writer)
		failed = add_rows(&input, result, writer, err);
	if (failed)
		png_writer_abandon(writer);
	else
		failed = png_writer_close(writer, err);
out:
	hdf5_input_close(&input);
	return failed;
}
