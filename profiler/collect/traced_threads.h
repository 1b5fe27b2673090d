/*
 * traced_threads: the threads that recorder_ptrace traces, by tid, and their processes.
 *
 * What the kernel's scheduler says of a thread is in /proc/PID/task/TID/schedstat:
 *
 *     2393904 343054 12      ns on a CPU, ns waiting for one, times it got one
 *
 * exact while the thread is off the CPU, and still there when it has ended and was not waited for.
 */
#pragma once

#include "collect/exec_maps.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct schedstat {
	uint64_t cpu_ns, runnable_ns, turns;
};

struct traced_process {
	uint32_t pid;
	uint32_t thread_count;
	bool has_begun; /* runs the program, not our helper */
	struct exec_maps maps;
	struct traced_process *bucket_next;
};

struct traced_thread {
	uint32_t tid;
	struct traced_process *process;
	int schedstat_fd, syscall_fd;  /* opened when first needed; -1: closed */
	struct schedstat told;	       /* as of the thread's last tick */
	uint64_t stopped_ns;	       /* held by us since then */
	bool is_interrupted;	       /* will stop for us soon */
	uint64_t interrupted_delay_ns; /* how long the tracer had waited for CPUs by then */
	bool is_listening;	       /* stopped by a signal, like without us */
	bool is_blocked;	       /* when last looked at; its stack was read */
	uint64_t blocked_ns, look_ns;  /* since when; not to be looked at before */
	char name[16];
	struct traced_thread *bucket_next;
};

struct traced_threads {
	struct traced_thread **threads;
	struct traced_process **processes;
	size_t thread_buckets, process_buckets;
	size_t thread_count, process_count;
};

void traced_threads_release(struct traced_threads *all);

struct traced_thread *traced_threads_find(const struct traced_threads *all, uint32_t tid);
struct traced_process *traced_threads_process(const struct traced_threads *all, uint32_t pid);

/* A new thread of process `pid`, which is new, too, unless it is known; like `parent`, or NULL. */
struct traced_thread *traced_threads_add(struct traced_threads *all, uint32_t tid, uint32_t pid,
	const struct traced_process *parent);

/* With the last thread goes the process. */
void traced_threads_remove(struct traced_threads *all, struct traced_thread *thread);

/* The thread has taken the tid of its process's leader, which is gone: exec does that. */
void traced_threads_become_leader(struct traced_threads *all, struct traced_thread *thread);

/* Calls visit for every thread; it may not add or remove any. */
void traced_threads_visit(const struct traced_threads *all,
	void (*visit)(void *context, struct traced_thread *thread), void *context);

/* Reads such a file. */
bool schedstat_read(int fd, struct schedstat *stat);

/* Reads the thread's schedstat; false when it is gone. */
bool traced_thread_schedstat(struct traced_thread *thread, struct schedstat *stat);

/* Whether the thread runs, or would if it had a CPU; false also when it is gone. */
bool traced_thread_is_running(struct traced_thread *thread);

/* Reads the thread's name; true when it is another than before. */
bool traced_thread_read_name(struct traced_thread *thread);
