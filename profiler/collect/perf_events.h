/*
 * perf_events: the events that a recording opens with perf_event_open(2), on every CPU alike.
 *
 *   track         names, mappings, forks, exits and context switches
 *   clock         samples at the asked rate, with registers and a copy of the stack
 *   clock_deep    the same with as large a copy as fits a record; one of the two is on
 *   switch        a sample of about every n-th switch-out, so that there are some 500 a second
 *   switch_deep
 *
 * Each CPU has two rings: one for what must not be lost, and a small one of the switch events,
 * whose rate the kernel needs a moment to adapt when switches become many: what is lost there is
 * statistics.
 *
 * Two ways to limit them to the program:
 *
 * inherited  Each event belongs to the program's first process and is inherited by every thread and
 *            child. Works for ordinary users. Software clocks restart their timer at each context
 * switch, which costs several microseconds on virtual machines, and never see a thread's first
 * period. per CPU    Each event sees everything on its CPU, and what belongs to others is dropped
 * when it is read. Needs CAP_PERFMON or paranoid <= 0. No cost per switch, fork or thread, and
 *            short threads are sampled as they should.
 *
 * A process that runs already has its events opened for each of its threads, and they write into
 * the rings of events that are there for nothing else: a thread may end.
 */
#pragma once

#include "base/array.h"
#include "base/error.h"
#include "collect/target.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum perf_role {
	PERF_TRACK,
	PERF_CLOCK,
	PERF_CLOCK_DEEP,
	PERF_SWITCH,
	PERF_SWITCH_DEEP,
	PERF_ROLE_COUNT
};

struct perf_cpu {
	int cpu;
	int fd[PERF_ROLE_COUNT]; /* -1: not opened */
	uint32_t pid, tid;	 /* who was switched in last */
};

struct perf_events {
	ARRAY(struct perf_cpu) cpus; /* those online; they own the rings */
	/* Of an attached process: for each thread as many as `cpus`, in that order. */
	ARRAY(struct perf_cpu) of_threads;
	uint64_t rate_hz;
	bool per_cpu;
	bool on_exec;		/* they begin when the program does */
	bool has_switch_stacks; /* the switch roles are open */
	bool clock_is_deep, switch_is_deep;
	char event[64]; /* "task-clock", "cycles, user only" */
	char note[256]; /* why not a better one */
};

/* How the fields of records are laid out: the same for all our events. */
#define PERF_SAMPLE_TYPE                                                                \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | \
		PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER |    \
		PERF_SAMPLE_STACK_USER)

/* rax to rsp, rip, r8 to r15, in the kernel's order (asm/perf_regs.h). */
#define PERF_REGISTER_MASK  0xff01ffu
#define PERF_REGISTER_COUNT 17

/* A rung of the ladder from the best event to the one that is allowed most often. */
struct perf_rung {
	const char *event; /* "cpu-clock" */
	const char *merit; /* what it is good for, in a user's words */
	uint32_t type;
	uint64_t config;
	bool user_only;
	bool per_cpu;
};
extern const struct perf_rung perf_rungs[];
extern const size_t perf_rung_count;

/* Opens a rung's events for this process and closes them again; 0, or the errno that forbids it. */
int perf_rung_try(const struct perf_rung *rung);

/* Opens everything for the target; rate_hz is per CPU (or thread). */
int perf_events_open(struct perf_events *events, const struct target *target, uint64_t rate_hz,
	struct error *err);

/*
 * Once the rings of the track and switch events are mapped: directs the clock events to the first
 * and switch_deep to the second, and lets those without _deep begin.
 */
int perf_events_start(struct perf_events *events, struct error *err);

/* Whether samples of the clock, of switches carry as much stack as a record holds. */
void perf_events_set_deep(struct perf_events *events, bool clock_is_deep, bool switch_is_deep);

void perf_events_close(struct perf_events *events);
