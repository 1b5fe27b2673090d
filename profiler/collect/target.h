/*
 * target: the process that is recorded, as the recorder sees it: a program that cprof is about to
 * start (tracee.h embeds one), or one that has been running for a while.
 */
#pragma once

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Pids have at most 22 bits on Linux (PID_MAX_LIMIT). */
#define PID_BITS 22

/*
 * The end of a child of ours. A recorder that traces it is told of that by wait4(2), and nobody
 * else may call it while is_watched is set.
 */
struct target_end {
	atomic_bool is_watched, is_set;
	int status; /* as wait4(2) said */
	struct rusage usage;
};

struct target {
	pid_t pid;
	pid_t tid;  /* record this thread alone; 0: all, and all that descends from them */
	int pid_fd; /* readable when the process has ended */
	struct target_end *end; /* NULL when is_attached */
	bool is_attached;	/* it runs already, and is not ours to wait for */
};

/*
 * Fills *target with a process that runs, all of it (tid 0) or one of its threads. -1 with a
 * sentence where there is none, or it is not the user's to look at.
 */
int target_attach(struct target *target, pid_t pid, pid_t tid, struct error *err);

void target_release(struct target *target); /* of target_attach() */

/* Whether the process has ended. It may not have been waited for yet. */
bool target_has_ended(const struct target *target);
