/*
 * event: one thing that happened in the recorded program, in order of time, whichever backend saw
 * it.
 *
 * Pointers (stack bytes, names, kernel addresses) are the recorder's and live until the next
 * recorder_next(). Times are CLOCK_MONOTONIC ns. Pids and tids are those of the recorder's
 * namespace.
 */
#pragma once

#include "model/build_id.h"
#include "unwind/walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind {
	EVENT_NONE,
	EVENT_SAMPLE,	    /* the thread was on a CPU, here */
	EVENT_SWITCH_STACK, /* the thread is about to leave the CPU, here; stands for `weight` such
			     */
	EVENT_SWITCH_OUT,   /* it left the CPU */
	EVENT_SWITCH_IN,    /* it came back */
	EVENT_TICK,	    /* what it did since its last tick, where no switches are seen */
	EVENT_FORK,	    /* a thread or process began */
	EVENT_FOUND,	    /* a thread that was there before the recording */
	EVENT_EXIT,	    /* a thread ended */
	EVENT_COMM,	    /* a new name; with is_exec a new program */
	EVENT_MMAP,	    /* executable memory was mapped */
	EVENT_LOST,	    /* `count` records were dropped */
	EVENT_THROTTLE,	    /* the kernel paused sampling */
	EVENT_MARK,	    /* cprof_start, cprof_stop, cprof_mark */
};

struct event_sample {
	uint64_t weight;
	bool is_off_cpu; /* where the thread left the CPU, or waits */
	bool has_user;	 /* registers and stack are there, and 64-bit */
	bool is_32bit;	 /* of a 32-bit program: registers.ip is there, and no more */
	bool is_dying;	 /* its process has given back its memory: the kernel's part is all */
	struct walk_registers registers;
	const uint8_t *stack; /* from rsp upwards */
	size_t stack_bytes;
	bool stack_is_cut;	    /* as many bytes as were asked for: more may lie above */
	const uint64_t *kernel_ips; /* innermost first; none when the thread ran user code */
	size_t kernel_depth;
};

struct event_mmap {
	uint64_t address, length, offset;
	uint32_t protection;	  /* PROT_EXEC ... */
	const char *path;	  /* "/usr/lib/x86_64-linux-gnu/libc.so.6", "[vdso]", "//anon" */
	struct build_id build_id; /* length 0: not known */
	bool is_deleted;	  /* the path leads to another file, or nowhere */
};

struct event {
	enum event_kind kind;
	uint32_t pid, tid;
	uint64_t time_ns;
	union {
		struct event_sample sample; /* SAMPLE, SWITCH_STACK */
		bool was_preempted;	    /* SWITCH_OUT: it could have run on */
		bool may_run;		    /* FOUND: it runs, or waits for a CPU */
		struct {
			uint64_t cpu_ns;      /* on a CPU */
			uint64_t runnable_ns; /* waiting for one, or held by the recorder */
		} tick; /* TICK; the rest of the time since the last one it was blocked. Ahead of a
			   SAMPLE that shows where it was on a CPU, or a SWITCH_STACK where it
			   waits now */
		struct {
			uint32_t parent_pid, parent_tid;
		} fork;
		struct {
			const char *name;
			bool is_exec;
		} comm;
		struct event_mmap mmap;
		uint64_t count; /* LOST */
		struct {
			const char *name;
			uint8_t kind; /* enum mark_kind */
		} mark;
	};
};
