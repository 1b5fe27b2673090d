/*
 * threads: who ran. A process is (pid, start time), since pids are used again; so is a thread.
 * Pids are those of the recorder's namespace. Times are ns since the recording began. Numbers start
 * at 1; the first process is the program that was recorded.
 *
 * A process that has run one program and execs another gets a new row for it, so that each program
 * has its own name: "sh" and then "env" of `sh -c 'exec env ...'`. Such a row's parent is the one
 * before it and has the same pid. What a forked child does before its first exec is part of what it
 * becomes.
 */
#pragma once

#include "base/array.h"
#include "model/strings.h"

typedef uint32_t process_id;
typedef uint32_t thread_id;

struct process {
	uint32_t pid;
	process_id parent;    /* with the same pid: before its exec; 0: not among the recorded */
	string_id name;	      /* the kernel's short name (comm), as of its last exec */
	string_id executable; /* path; 0 while unknown */
	uint64_t start_ns, end_ns;
	bool was_alive; /* it still ran when the recording ended */
};

struct thread {
	uint32_t tid;
	process_id process;
	string_id name;
	uint64_t start_ns, end_ns;
	uint64_t cpu_ns;	 /* exact, from the kernel's switch records */
	uint64_t not_sampled_ns; /* the part of cpu_ns that no sample saw */
};

struct threads {
	ARRAY(struct process) processes; /* processes.items[process_id - 1] */
	ARRAY(struct thread) threads;	 /* threads.items[thread_id - 1] */
};

void threads_release(struct threads *threads);

process_id threads_add_process(struct threads *threads, const struct process *process);
thread_id threads_add_thread(struct threads *threads, const struct thread *thread);

struct process *threads_process(const struct threads *threads, process_id id);
struct thread *threads_thread(const struct threads *threads, thread_id id);

/* The rows of the programs that this process ran first and last. */
process_id threads_first_program(const struct threads *threads, process_id id);
process_id threads_last_program(const struct threads *threads, process_id id);

/* How many there were as the kernel counts them: an exec makes no new ones. */
size_t threads_process_count(const struct threads *threads);
size_t threads_thread_count(const struct threads *threads);
