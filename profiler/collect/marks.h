/*
 * marks: the reader of what programs mark by cprof.h: memory shared through /dev/shm/cprof.PID.
 */
#pragma once

#include "base/error.h"
#include "collect/event.h"
#include "collect/target.h"

#include <sys/types.h>

struct cprof_marks;

struct marks {
	struct cprof_marks *shared; /* NULL: there is none */
	int fd;			    /* its file, locked as long as the recording lives */
	char path[48];
	uint64_t next; /* number of the first mark that was not read yet */
	uint64_t lost; /* overwritten before they were read */
	char name[96]; /* of the mark that was read last */
};

/*
 * Announces the recording of the target and its descendants to them, before they run; those that
 * run already find it if they have not looked yet. No error when another recording of an attached
 * process has announced itself before: the marks are its.
 */
int marks_open(struct marks *marks, const struct target *target, struct error *err);
void marks_close(struct marks *marks);

/* The next mark set before before_ns, as an EVENT_MARK; false when there is none. */
bool marks_next(struct marks *marks, uint64_t before_ns, struct event *event);
