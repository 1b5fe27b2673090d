#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#define CLEAR_LINE "\r\033[K"

void progress_show(const char *doing, size_t done, size_t all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, CLEAR_LINE "%s: %zu of %zu", doing, done, all);
}

void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, CLEAR_LINE);
}
