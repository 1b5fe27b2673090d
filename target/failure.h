/*
 * Why something failed, as one sentence for the user: what was tried, on what, why it did not work
 * and what to do about it.
 *
 * Functions that can fail return 0 or -1 (or NULL) and fill their last parameter. Only main.c
 * prints it.
 */
#ifndef TARGET_FAILURE_H
#define TARGET_FAILURE_H

struct failure {
	char text[1024];
};

/* Writes the sentence and returns -1, so that callers can `return fail(err, ...)`. */
int fail(struct failure *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
