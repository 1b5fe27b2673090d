/*
 * machine: what this machine, its settings and the rights of this process allow a recorder, found
 * out by trying where that is possible. Nothing is left changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A number in /proc/sys, as "kernel/perf_event_paranoid"; false when there is no such setting. */
bool machine_setting(const char *name, long *value);

/* Whether this process has a capability in effect (CAP_PERFMON ... of linux/capability.h). */
bool machine_has_capability(int capability);

/* The filter that calls go through (proc(5), Seccomp): 0: none, 1: strict, 2: a filter; -1: not
 * known. */
int machine_seccomp_mode(void);

/* Whether this is a container, as far as can be seen from within. */
bool machine_is_container(void);

/* Whether the kernel shows this process where its functions are. */
bool machine_shows_kernel_symbols(void);

/* Each tries it on a child of its own: 0, or the errno that forbids it. */
int machine_try_ptrace(void);
int machine_try_remote_memory(void);
