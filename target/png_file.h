/*
 * PNG files: read whole, written row by row.
 */
#ifndef TARGET_PNG_FILE_H
#define TARGET_PNG_FILE_H

#include "failure.h"
#include "picture.h"

struct png_writer;

/* Reads a PNG of any colour type into the empty picture (transparent parts on white). */
int png_file_read(const char *path, struct picture *picture, struct failure *err);

/*
 * Starts a picture of 8-bit RGB rows. It is written to PATH.part and gets its name when it is
 * whole. NULL with err when it cannot be created.
 */
struct png_writer *png_writer_open(
	const char *path, size_t height, size_t width, struct failure *err);

/* The next row: width * 3 bytes. After a failure only png_writer_abandon is left to call. */
int png_writer_add_row(struct png_writer *writer, const uint8_t *rgb, struct failure *err);

/* Ends the file, gives it its name and frees the writer, in any case. */
int png_writer_close(struct png_writer *writer, struct failure *err);

/* Removes what was written and frees the writer; accepts NULL. */
void png_writer_abandon(struct png_writer *writer);

#endif
