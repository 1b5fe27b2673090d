/*
 * progress: one line on a terminal for work that takes longer than a second.
 *
 *     naming symbols: 41 % (4100 of 10000)
 *
 * Nothing is shown where stderr is no terminal or the work is done sooner; the line is wiped away
 * at the end.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* borrowed */
	uint64_t begun_ns, shown_ns;
	bool is_terminal, is_shown;
};

/* quiet: never shown (-q). */
void progress_begin(struct progress *progress, const char *what, bool quiet);

/* Cheap enough for every step: looks at the clock, and draws at most ten times a second. */
void progress_step(struct progress *progress, uint64_t done, uint64_t total);

void progress_end(struct progress *progress);
