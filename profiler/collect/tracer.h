/*
 * tracer: the thread of cprof that stops the program's threads and looks at them (ptrace(2)).
 *
 * It takes hold of the program's first process (PTRACE_SEIZE) and with it of every thread and child
 * that comes. At each tick it looks at every thread that is due:
 *
 *   it runs      PTRACE_INTERRUPT. When it has stopped, its registers and the upper part of its
 * stack are copied and it goes on; it is not held while the stack is unwound. it waits     It is
 * not stopped: where it waits and its stack are read as in blocked.h, once per wait. As long as its
 * schedstat does not change, neither does anything else.
 *
 * The tracer is a thread of its own because stopped threads must not wait for anything else that
 * cprof does, and because the kernel lets go of all tracees, without disturbing them, when their
 * tracer ends: by PTRACE_DETACH each of them would have to be stopped first, and the calls that
 * some wait in would fail (interrupted_calls.h). For the same reason PTRACE_O_EXITKILL is not set:
 * the program survives cprof.
 *
 * What remains different for the program: it cannot be traced by another, a call that was entered
 * just before a stop may give less than was asked for (read of a pipe, getrandom), set-user-ID
 * programs run without their privileges (unless cprof is root), and each signal, fork and exec
 * takes some 20 us longer.
 */
#pragma once

#include "collect/event_queue.h"
#include "collect/recorder.h"

struct tracer;

struct tracer_figures {
	uint64_t stops, stopped_ns; /* threads held to be looked at */
	uint64_t looks, looked_ns;  /* ticks; for how long */
	uint64_t cost_ppm;	    /* see pacer.h */
};

/*
 * Starts the thread and takes hold of the target, of one that runs already of each thread. Its end
 * is told in target->end. The queue
 * is borrowed.
 */
struct tracer *tracer_start(const struct record_options *options, const struct target *target,
	struct event_queue *queue, struct error *err);

/* Some stack was larger than its copy: copy more from now on. */
void tracer_copy_more(struct tracer *tracer);

/* Mappings of this process are not known: read them when it is looked at next. */
void tracer_suspect_maps(struct tracer *tracer, uint32_t pid);

/* Lets go of the program; the last events of every thread are in the queue then. */
void tracer_stop(struct tracer *tracer);

struct tracer_figures tracer_figures(struct tracer *tracer);

void tracer_free(struct tracer *tracer); /* accepts NULL */
