#include "png_file.h"

#include "allocate.h"

#include <errno.h>
#include <limits.h>
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct png_writer {
	char path[PATH_MAX];
	char part[PATH_MAX]; /* what is written and then renamed; empty: path itself is written */
	FILE *stream;
	png_structp png;
	png_infop info;
	char reason[256]; /* why libpng failed */
};

int png_file_read(const char *path, struct picture *picture, struct failure *err)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	const png_color white = {255, 255, 255};

	if (access(path, R_OK))
		return fail(err, "the picture %s cannot be read: %s", path, strerror(errno));
	if (!png_image_begin_read_from_file(&image, path))
		return fail(err, "%s cannot be read as a PNG picture: %s; convert it to PNG first",
			path, image.message);
	image.format = PNG_FORMAT_RGB;
	picture_init(picture, image.height, image.width);
	if (!png_image_finish_read(&image, &white, picture->rgb, 0, NULL)) {
		picture_release(picture);
		return fail(err, "%s is damaged: %s; use another PNG picture", path, image.message);
	}
	return 0;
}

/* libpng wants these two not to return. */
static void on_error(png_structp png, png_const_charp message)
{
	struct png_writer *writer = png_get_error_ptr(png);

	snprintf(writer->reason, sizeof(writer->reason), "%s", errno ? strerror(errno) : message);
	longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

static int cannot_write(const struct png_writer *writer, const char *why, struct failure *err)
{
	return fail(
		err, "the picture %s cannot be written: %s; give another place", writer->path, why);
}

static int write_header(struct png_writer *writer, size_t height, size_t width, struct failure *err)
{
	writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, writer, on_error, on_warning);
	writer->info = writer->png ? png_create_info_struct(writer->png) : NULL;
	if (!writer->info)
		return cannot_write(writer, "libpng has no memory", err);
	errno = 0;
	if (setjmp(png_jmpbuf(writer->png)))
		return cannot_write(writer, writer->reason, err);
	png_init_io(writer->png, writer->stream);
	png_set_user_limits(writer->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_set_IHDR(writer->png, writer->info, width, height, 8, PNG_COLOR_TYPE_RGB,
		PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(writer->png, 3);
	png_write_info(writer->png, writer->info);
	return 0;
}

/* Whether there is something at the path that must not be replaced by a file. */
static bool is_special(const char *path)
{
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

static int name_part(struct png_writer *writer, const char *path, struct failure *err)
{
	if (snprintf(writer->path, PATH_MAX, "%s", path) < PATH_MAX && is_special(path))
		return 0;
	if (snprintf(writer->part, PATH_MAX, "%s.part", path) < PATH_MAX)
		return 0;
	return fail(err, "the name of the picture is too long for a path; give a shorter one");
}

static void remove_part(const struct png_writer *writer)
{
	if (*writer->part)
		unlink(writer->part);
}

struct png_writer *png_writer_open(
	const char *path, size_t height, size_t width, struct failure *err)
{
	struct png_writer *writer = allocate_zeroed(1, sizeof(*writer));

	if (name_part(writer, path, err))
		goto failed;
	writer->stream = fopen(*writer->part ? writer->part : writer->path, "we");
	if (!writer->stream) {
		cannot_write(writer, strerror(errno), err);
		goto failed;
	}
	if (write_header(writer, height, width, err))
		goto failed;
	return writer;
failed:
	png_writer_abandon(writer);
	return NULL;
}

int png_writer_add_row(struct png_writer *writer, const uint8_t *rgb, struct failure *err)
{
	errno = 0;
	if (setjmp(png_jmpbuf(writer->png)))
		return cannot_write(writer, writer->reason, err);
	png_write_row(writer->png, rgb);
	return 0;
}

static int write_end(struct png_writer *writer, struct failure *err)
{
	errno = 0;
	if (setjmp(png_jmpbuf(writer->png)))
		return cannot_write(writer, writer->reason, err);
	png_write_end(writer->png, NULL);
	return 0;
}

int png_writer_close(struct png_writer *writer, struct failure *err)
{
	int failed = write_end(writer, err);
	FILE *stream = writer->stream;

	writer->stream = NULL;
	if (fclose(stream) && !failed)
		failed = cannot_write(writer, strerror(errno), err);
	if (!failed && *writer->part && rename(writer->part, writer->path))
		failed = cannot_write(writer, strerror(errno), err);
	if (failed)
		remove_part(writer);
	png_destroy_write_struct(&writer->png, &writer->info);
	free(writer);
	return failed;
}

void png_writer_abandon(struct png_writer *writer)
{
	if (!writer)
		return;
	if (writer->stream) {
		fclose(writer->stream);
		remove_part(writer);
	}
	if (writer->png)
		png_destroy_write_struct(&writer->png, &writer->info);
	free(writer);
}
