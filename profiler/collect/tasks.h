/*
 * tasks: the processes and threads that are alive, by pid and tid.
 *
 * What is only needed while they live: the state of a thread's clock, a process's mappings. Their
 * rows in the profile (model/threads.h) outlive them.
 */
#pragma once

#include "collect/address_space.h"
#include "collect/stack_memory.h"
#include "model/profile.h"

enum off_kind { OFF_BLOCKED, OFF_RUNNABLE, OFF_KIND_COUNT };

/* Off-CPU time of a stack that was sampled, which stands for others like it. */
struct off_estimate {
	stack_id stack;
	uint8_t kind;
	bool in_region;
	double weight_ns;
};

struct off_estimates { /* an ARRAY with a name */
	struct off_estimate *items;
	size_t count, capacity;
};

struct live_thread {
	uint32_t tid;
	thread_id id;
	struct live_process *process;
	struct live_thread *next, **link; /* in its process's list */
	struct live_thread *bucket_next;
	bool has_exited;	    /* on its way out: it ends when it leaves the CPU */
	uint64_t before_ns;	    /* CPU time before its process exec'd its present program */
	stack_id hidden_stack;	    /* its events were taken away: see hidden.h; 0: they were not */
	uint64_t hidden_cpu_ns;	    /* CPU time at the last look */
	struct stack_memory memory; /* of its last stack, once one was deep */

	/* Accounting's, see accounting.h. [1]: within a marked region. */
	bool is_on_cpu;
	bool was_preempted;  /* how it left the CPU */
	bool may_be_off_cpu; /* is_on_cpu is a guess until it is first seen there */
	uint64_t since_ns;   /* accounted up to here */
	uint64_t open_ns[2]; /* not yet given to a stack: CPU time, or the present time off it */
	uint64_t cpu_ns[2];  /* CPU time that waits for a sample while the thread is off the CPU */
	uint64_t over_ns;    /* CPU time told by a tick that is more than had passed */
	stack_id last_stack; /* of its last sample; 0: none yet */
	stack_id off_stack;  /* where it left the CPU; 0: not known */
	uint64_t off_weight;
	bool off_stack_was_looked_for;
	uint64_t pool_ns[OFF_KIND_COUNT][2]; /* off-CPU time without a stack */
	struct off_estimates estimates;	     /* since the pool was last shared out */
	struct off_estimates seen;	     /* all intervals whose stack was seen, added up */
};

struct live_process {
	uint32_t pid;
	process_id id;
	struct address_space *space;
	bool in_region;
	bool has_execd; /* it runs a program of its own, not its parent's */
	struct live_thread *threads;
	struct live_process *bucket_next;
};

struct tasks {
	struct live_thread **threads;	 /* hash table by tid */
	struct live_process **processes; /* hash table by pid */
	size_t thread_buckets, process_buckets;
	size_t thread_count, process_count;
};

void tasks_release(struct tasks *tasks);

struct live_thread *tasks_thread(const struct tasks *tasks, uint32_t tid);   /* or NULL */
struct live_process *tasks_process(const struct tasks *tasks, uint32_t pid); /* or NULL */

struct live_process *tasks_add_process(struct tasks *tasks, uint32_t pid, process_id id,
	struct address_space *space /* taken over */);
struct live_thread *tasks_add_thread(
	struct tasks *tasks, struct live_process *process, uint32_t tid, thread_id id);

/* Removing the last thread of a process removes the process. */
void tasks_remove_thread(struct tasks *tasks, struct live_thread *thread);

/* Calls visit for every live thread; it may not add or remove any. */
void tasks_visit(const struct tasks *tasks,
	void (*visit)(void *context, struct live_thread *thread), void *context);
