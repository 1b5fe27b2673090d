/*
 * growing_file: a file that another process appends to, read as it grows.
 *
 *     growing_file_read(&file, 1)     at least one more byte behind what is held already?
 *     file.bytes.items + file.taken   what was read and not yet taken, to file.bytes.count
 */
#pragma once

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct growing_file {
	int fd; /* owned; -1: none */
	uint64_t offset;
	struct bytes bytes;
	size_t taken; /* of bytes: the reader moves it */
};

void growing_file_init(struct growing_file *file, int fd);
void growing_file_release(struct growing_file *file);

/* Holds more bytes than before: so many in all, where they are there. False: there are none. */
bool growing_file_read(struct growing_file *file, size_t wanted);

/* Whether what was read is no longer the file of that name, or was cut off. */
bool growing_file_was_replaced(const struct growing_file *file);
