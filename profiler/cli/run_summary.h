/*
 * run_summary: the line that ends a recording.
 *
 *     cprof: v3: 0.182 s, 0.170 s CPU, 118.3 MiB peak, 168 samples by perf (cpu-clock) in out.prof;
 *     see `cprof report`
 *
 * What is wrong with a recording (lost samples, CPU time that no sample saw, processes that were
 * still running) gets a line of its own.
 */
#pragma once

#include "model/profile.h"

void run_summary_print(const struct profile *profile, const char *path);
