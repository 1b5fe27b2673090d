/*
 * regular_file: opening a name that somebody else chose.
 *
 * Merely opening a device can do something (a watchdog begins to count, a tape winds), and a FIFO's
 * reader that comes and goes is noticed at its other end. So the name is looked up first, by a
 * descriptor of O_PATH, and only what is a regular file is then opened, through /proc/self/fd.
 */
#pragma once

#include "base/error.h"

/* A descriptor for reading; -1 with an error. Symbolic links are followed. */
int regular_file_open(const char *path, struct error *err);

/* The same for what was looked up: `found` is of O_PATH, and closed. `name` is for messages. */
int regular_file_reopen(int found, const char *name, struct error *err);
