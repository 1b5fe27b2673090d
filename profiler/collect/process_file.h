/*
 * process_file: a file that a process names, opened as the process sees it, without trusting it.
 *
 * The path is looked up below the process's root directory (another mount namespace, a chroot) and
 * cannot lead out of it; its last part may not be a symbolic link. What is opened is a regular file
 * that belongs to the process's user or to root: anyone may leave a file in /tmp for cprof, which
 * often runs as root, to stumble over.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct process_view {
	uint32_t pid;	    /* as we see it */
	uint32_t inner_pid; /* as the process itself sees it: differs in a pid namespace */
	uid_t user;	    /* its effective user */
};

/* Of a process that is gone: what is likely (the same pid, our own user). */
struct process_view process_view_of(uint32_t pid);

/* A descriptor for reading, or -1: not there, or not to be trusted. The path is absolute. */
int process_file_open(const struct process_view *view, const char *path);

/* The same, whoever owns it: for a file that the process has mapped. */
int process_file_open_any(const struct process_view *view, const char *path);
