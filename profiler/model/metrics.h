/*
 * metrics: what a profile can hold for a stack, one row of a table each.
 *
 * A metric is known in files by its name, so that a later version can add rows. A profile says
 * which metrics it measured (a bit per metric); one that was not measured is shown as "-", never as
 * 0.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum metric {
	METRIC_WALL,	    /* time that passed in the stack, on the CPU or off it */
	METRIC_CPU,	    /* time on a CPU */
	METRIC_BLOCKED,	    /* off the CPU by the thread's own doing: sleep, lock, I/O */
	METRIC_RUNNABLE,    /* off the CPU although it could run: preempted, waiting for a CPU */
	METRIC_SAMPLES,	    /* samples on the CPU */
	METRIC_CPU_SQUARES, /* sum of the samples' squared CPU weights, for their errors */
	METRIC_COUNT
};

enum unit {
	UNIT_NS,
	UNIT_COUNT,
	UNIT_US_SQUARED,
};

struct metric_info {
	const char *name;
	const char *summary;
	enum unit unit;
	bool is_shown; /* users may ask for it; others serve the computation of errors */
};

extern const struct metric_info metrics[METRIC_COUNT];

/* Bit of a metric in a set of metrics. */
#define METRIC_BIT(metric) (UINT32_C(1) << (metric))

/* The metric of this name; -1 and an error that names the known ones. */
int metric_find(const char *name, struct error *err);
