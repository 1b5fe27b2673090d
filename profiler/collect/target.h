/*
 * target: the process that is recorded, as the recorder sees it: a program that cprof is about to
 * start (tracee.h embeds one), or one that has been running for a while.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct target {
	pid_t pid;
	pid_t tid;	  /* record this thread alone; 0: all, and all that descends from them */
	int pid_fd;	  /* readable when the process has ended */
	bool is_attached; /* it runs already, and is not ours to wait for */
};

/* Whether the process has ended. It may not have been waited for yet. */
bool target_has_ended(const struct target *target);
