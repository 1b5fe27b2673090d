/*
 * tracee: the program that is recorded, from before its exec to its exit status.
 *
 * A small helper process is forked before the recorder allocates anything (a program inherits the
 * resident size of whoever execs it into its ru_maxrss), waits until recording is set up, and
 * becomes the program. Its standard files, signals, terminal, environment and descriptors are those
 * that cprof was started with.
 */
#pragma once

#include "base/error.h"
#include "collect/target.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

struct tracee {
	struct target target; /* pid 0: it was waited for */
	struct target_end end;
	int start_fd;	/* a byte lets the helper go on to exec, closing it ends the helper */
	int failure_fd; /* the errno of a failed exec arrives here */
	char *const *argv;
};

struct tracee_end {
	int status;		 /* as waitpid(2) gives it */
	struct rusage usage;	 /* of the program and the children it waited for */
	uint64_t peak_rss_bytes; /* of the program alone; 0: below what the helper itself took */
};

/* Forks the helper, whose pid is the program's. argv is NULL-terminated and borrowed for good. */
int tracee_prepare(struct tracee *tracee, char *const argv[], struct error *err);

/*
 * Lets the program begin. -1 when exec failed: *exec_errno says why (ENOENT: not found, else not
 * executable) and the helper is gone.
 */
int tracee_start(struct tracee *tracee, int *exec_errno, struct error *err);

/*
 * Whether the program has ended; fills `end` the first time. With block set, waits for it: not
 * while a recorder watches it.
 */
bool tracee_has_ended(struct tracee *tracee, bool block, struct tracee_end *end);

/* The exit status that a shell would show: 128 + signal when killed. */
int tracee_exit_status(const struct tracee_end *end);

void tracee_release(struct tracee *tracee); /* ends a helper that never started */
