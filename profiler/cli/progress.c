#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

#define PATIENCE_NS UINT64_C(1000000000)
#define REDRAW_NS   UINT64_C(100000000)

void progress_begin(struct progress *progress, const char *what, bool quiet)
{
	*progress = (struct progress){
		.what = what,
		.begun_ns = clock_now_ns(),
		.is_terminal = !quiet && isatty(STDERR_FILENO),
	};
}

void progress_step(struct progress *progress, uint64_t done, uint64_t total)
{
	uint64_t now;

	if (!progress->is_terminal || total == 0)
		return;
	now = clock_now_ns();
	if (now - progress->begun_ns < PATIENCE_NS || now - progress->shown_ns < REDRAW_NS)
		return;
	fprintf(stderr, "\r%s: %u %% (%llu of %llu)\033[K", progress->what,
		(unsigned)(done * 100 / total), (unsigned long long)done,
		(unsigned long long)total);
	progress->shown_ns = now;
	progress->is_shown = true;
}

void progress_end(struct progress *progress)
{
	if (progress->is_shown)
		fputs("\r\033[K", stderr);
	progress->is_shown = false;
}
