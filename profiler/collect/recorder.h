/*
 * recorder: where events come from. One backend per mechanism of the kernel; `auto` takes the first
 * that is usable, in the order of recorder_backends[].
 */
#pragma once

#include "base/error.h"
#include "collect/event.h"
#include "collect/target.h"

struct record_options {
	const char *backend; /* a name, or "auto" */
	uint64_t rate_hz;
	double max_overhead_percent; /* how far ptrace may slow the program down */
};

/* What a recorder says of itself, for the report's header. */
struct recorder_facts {
	char event[64];		/* "task-clock", "cycles, user only" */
	char note[256];		/* why it is not a better one; "" */
	bool has_switches;	/* switch records: CPU and off-CPU time are exact */
	uint64_t ring_bytes;	/* of one CPU's ring; 0: there are none */
	bool has_switch_stacks; /* stacks at switch-out, or of those who wait */
	bool has_ticks;		/* EVENT_TICK in the place of switch records */
	bool sees_everyone;	/* also a thread whose EXIT was seen, to its last SWITCH_OUT (until
				   then it gives back its memory), and programs that gain rights */
	/* Of a backend that stops threads; as of the last recorder_next() that gave nothing. */
	uint64_t stops, stopped_ns; /* threads held, and how long */
	double look_rate_hz;	    /* looks a second, which each may stop several threads */
	uint64_t cost_ppm;	    /* slow-down of the program, estimated, in millionths */
};

struct recorder {
	const struct recorder_backend *backend;
	struct recorder_facts facts;
};

struct recorder_backend {
	const char *name, *summary;
	/* False with a sentence about what forbids it. */
	bool (*usable)(struct error *why_not);
	/* Unless target->is_attached the program has not begun yet: tracee_start() comes after
	 * this. */
	struct recorder *(*open)(const struct record_options *options, const struct target *target,
		struct error *err);
	/* 1 and the next event in order of time, 0 when there is none for now, -1. */
	int (*next)(struct recorder *recorder, struct event *event, struct error *err);
	/* Waits until events are due, `fd` is readable, or the time is over. */
	void (*wait)(struct recorder *recorder, int fd, int timeout_ms);
	/* The recording is over: let go of the program, give out what is left, to the last record.
	 */
	void (*drain)(struct recorder *recorder);
	/* Copy much or little of the stacks of samples, of switches. At first little. */
	void (*set_deep)(struct recorder *recorder, bool samples, bool switches);
	/* A stack of this process has addresses in no known mapping. NULL where none is missed. */
	void (*suspect_maps)(struct recorder *recorder, uint32_t pid);
	void (*close)(struct recorder *recorder); /* accepts NULL */
};

extern const struct recorder_backend *const recorder_backends[]; /* NULL-terminated, best first */

/* Opens the backend that the options name; with "auto" the first that works. */
struct recorder *recorder_open(
	const struct record_options *options, const struct target *target, struct error *err);

static inline int recorder_next(struct recorder *recorder, struct event *event, struct error *err)
{
	return recorder->backend->next(recorder, event, err);
}

static inline void recorder_close(struct recorder *recorder)
{
	if (recorder)
		recorder->backend->close(recorder);
}
