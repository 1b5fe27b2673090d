/*
 * accounting: which stack a thread's time belongs to.
 *
 * The kernel's switch records say exactly how long each thread was on a CPU and off it. Samples
 * share this out, so that a thread's times always add up to its life, whatever the sampling rate
 * did:
 *
 * on the CPU   A sample gets the CPU time since the thread's sample before. What follows the last
 * sample goes to that one; of a thread without any sample it is "[not sampled]". off the CPU  An
 * interval belongs to the stack that left the CPU, when that was seen. Where switches are too many
 * to see every one, a stack that was seen stands for `weight` like it: intervals that were not seen
 * are pooled per thread and shared out in proportion to weight x length about once a second. What
 * then is left goes, as inferred, to the stacks that the thread was seen to wait in during its
 * life, else to its last sample. Where switches show no stacks at all, the pool goes to the
 * thread's next sample, as inferred.
 *
 * Where there are no switch records, ticks say now and then how much of the time since the last one
 * a thread was on a CPU, waited for one, or was blocked. The CPU time goes to the thread's next
 * sample as above, and so does the time that it waited for a CPU. The time that it was blocked
 * belongs to the stack in which it was seen to wait before the tick, or else, as inferred, to the
 * next such stack.
 *
 * Off-CPU time is "runnable" when the thread was preempted or has just begun, else "blocked".
 */
#pragma once

#include "collect/tasks.h"

struct accounting {
	struct profile *profile; /* borrowed */
	uint64_t zero_ns;	 /* the recording's start */
	bool has_switch_stacks;
	bool has_ticks;
};

/* A thread begins to exist, waiting for its first turn (or running, as a process that just exec'd).
 */
void accounting_begin(struct live_thread *thread, uint64_t time_ns, bool is_on_cpu);

/* A thread was there before the recording: it waits, or it runs or would if it had a CPU. */
void accounting_found(struct live_thread *thread, uint64_t time_ns, bool may_run);

void accounting_sample(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack);

/* The thread is about to leave the CPU in this stack, or is off it there. */
void accounting_off_stack(struct live_thread *thread, stack_id stack, uint64_t weight);

void accounting_switch_out(struct accounting *accounting, struct live_thread *thread,
	uint64_t time_ns, bool was_preempted);
void accounting_switch_in(
	struct accounting *accounting, struct live_thread *thread, uint64_t time_ns);

/* What the thread did since its last tick, or its beginning. */
void accounting_tick(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	uint64_t cpu_ns, uint64_t runnable_ns);

/* After a tick: the thread waits in this stack, from now on or from some time before. */
void accounting_wait_stack(struct accounting *accounting, struct live_thread *thread,
	uint64_t time_ns, stack_id stack);

/* Accounts up to now; before anything changes what the time counts for (a region's start or end).
 */
void accounting_advance(struct live_thread *thread, uint64_t time_ns);

/*
 * The time since the thread's last event passed unseen, cpu_ns of it on a CPU. Whether it was
 * blocked for the rest is not known: that is wall time alone.
 */
void accounting_hidden(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack, uint64_t cpu_ns);

/* Shares out what is pooled. */
void accounting_settle(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns);

/* The thread's end, or the recording's. */
void accounting_end(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns);
