/*
 * part_file: PATH.part, which belongs to one recording at a time (inside model/ only).
 *
 * Whoever writes it holds flock(LOCK_EX). So a locked one is a recording that still runs, and one
 * that is not locked was left over by a dead one: it is renamed to PATH.interrupted (then
 * PATH.interrupted.2 ...), never overwritten.
 */
#pragma once

#include "base/error.h"

struct part_file {
	char *name;	   /* PATH.part */
	char *interrupted; /* what a left-over was renamed to; NULL: there was none */
	int fd;		   /* open for reading and writing, locked */
};

/* Creates and locks it. part_file_close() also after a failure. */
int part_file_open(struct part_file *part, const char *path, struct error *err);
void part_file_remove(struct part_file *part); /* if the name still leads to it */
void part_file_close(struct part_file *part);
