/*
 * jit_names: what the code that one process makes at run time is called, taken while it lives.
 *
 * A frame of such code is (module "[jit:PID]" of this process and program, run-time address): at
 * one address two processes have different code. Its name comes from the process's perf map
 * (/tmp/perf-PID.map below the process's own root directory and with the pid that it has itself)
 * and from the jitdump files that it maps. Both are read as they grow, when a sample of this code
 * is looked at and at the end of the process.
 *
 * Memory of code is used again, so a name holds for a time. Records of a jitdump say from when;
 * lines of a perf map hold from when they were read, which is before the samples that were taken
 * meanwhile are looked at. Another function at an address that has a name already is a frame of
 * another module "[jit:PID]/2". A frame whose code is not known yet is named when its code is told:
 * by what the jitdump says of the time of its first sample, else by what the map says then. What
 * remains is "[jit]". Functions belong to the module "[jit]": one that two processes have, or that
 * was compiled or moved several times, is one function by its name.
 */
#pragma once

#include "model/profile.h"

struct jit_names;

struct jit_names *jit_names_new(uint32_t pid);

/* Of a process that was forked: knows what its parent knew. */
struct jit_names *jit_names_copy(const struct jit_names *from, uint32_t pid);
void jit_names_free(struct jit_names *names); /* accepts NULL */

/* Whether a mapped file is named as a jitdump is. */
bool jit_names_is_dump(const char *path);

/* The process has mapped a jitdump, to tell so. */
void jit_names_add_dump(struct jit_names *names, const char *path);

/* The frame of this address at that time, with its name where that is known. */
frame_id jit_names_frame(
	struct jit_names *names, struct profile *profile, uint64_t ip, uint64_t time_ns);

/* Whether something is known about the address. */
bool jit_names_know(
	struct jit_names *names, struct profile *profile, uint64_t ip, uint64_t time_ns);

/* The process ends, or runs another program: names what has no name yet. */
void jit_names_finish(struct jit_names *names, struct profile *profile);
