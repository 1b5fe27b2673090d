/*
 * header: what a reader must know about a recording to judge its numbers, in a few lines that every
 * report begins with:
 *
 *     program  ./segment v3 (exit status 0), on debian, Linux 6.1.0-18, 2 CPUs, 2026-03-14 14:53:35
 *     took     0.532 s; CPU 0.498 s (user 0.450, system 0.048); peak memory (RSS) 48.43 MiB
 *     numbers  are wall-clock seconds, on the CPU or waiting
 *     samples  498, 1000 a CPU second (asked: 999), 0 lost, 0 times throttled; perf: task-clock
 *     stacks   99.8 % reach main or the thread's start, 0.2 % truncated; 3.1 % end without a symbol
 *     missing  0.40 % of the CPU time was not sampled: 0.002 s in 2 threads
 *     waiting  2.100 s off the CPU: 80 % with measured stacks, 15 % shared out, 5 % inferred
 */
#pragma once

#include "viz/measure.h"

/* The figures, for those who show them in another form. */
struct facts {
	uint64_t cpu_ns;	 /* of all threads; rusage where the threads' is not known */
	uint64_t not_sampled_ns; /* the part of it that no sample saw */
	size_t not_sampled_threads;
	uint64_t samples; /* in the part that was asked for, as all below */
	uint64_t by_end[STACK_END_COUNT];
	uint64_t unnamed;    /* whose innermost function has no symbol */
	uint64_t off_cpu_ns; /* blocked and runnable */
	double rate_hz;	     /* samples per second of CPU, of the whole recording */
};

struct facts facts_of(const struct measure *measure);

struct header {
	ARRAY(char *) lines; /* safe for terminals */
};

void header_init(struct header *header, const struct measure *measure);
void header_release(struct header *header);

/* Breaks lines of more than `width` columns at spaces, indenting what follows; 0: leaves them. */
void header_wrap(struct header *header, size_t width);

/* Each line with `prefix` before it. */
void header_write(const struct header *header, const char *prefix, FILE *out);
