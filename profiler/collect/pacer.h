/*
 * pacer: how often to look at a program, so that it is slowed down no more than was asked for.
 *
 * Each look costs: the time for which it held threads, and the CPU time of whoever looks. Against
 * that stands the program's time: what its threads used of the CPUs, or, when they mostly wait, the
 * time that passed. Both are averaged over the last tenths of a second.
 */
#pragma once

#include <stdint.h>

struct pacer {
	uint64_t shortest_ns; /* the interval of the rate that was asked for */
	double limit;	      /* cost allowed per time of the program, 0.05 */
	double look_cost_ns;  /* of a look, on average */
	double debt_ns;	      /* spent beyond what is allowed; below 0: may still be spent */
	double speed;	      /* the program's time in ns per ns; at least 1 */
	uint64_t cost_ns, program_ns; /* in all */
};

void pacer_init(struct pacer *pacer, uint64_t rate_hz, double limit_percent);

/*
 * After a look: what it cost, how long ago the one before was, and the CPU time that the program
 * was seen to have used since. Returns the time from this look to the next.
 */
uint64_t pacer_next(
	struct pacer *pacer, uint64_t cost_ns, uint64_t elapsed_ns, uint64_t program_cpu_ns);

/* The cost per time of the program so far, in millionths. */
uint64_t pacer_cost_ppm(const struct pacer *pacer);
