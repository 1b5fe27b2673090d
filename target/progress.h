/*
 * How far the work is: one line on a terminal that is written over, nothing elsewhere.
 */
#ifndef TARGET_PROGRESS_H
#define TARGET_PROGRESS_H

#include <stddef.h>

/* Shows "doing: 23 of 50". */
void progress_show(const char *doing, size_t done, size_t all);

/* Takes the line away. */
void progress_clear(void);

#endif
