/*
 * error: one sentence about what went wrong, for the user.
 *
 * A fallible function returns 0 or -1 (or a pointer or NULL) and fills its last parameter. The
 * sentence says what was tried, on what, why it failed and, where known, what to do about it:
 *
 *     cannot open out.prof: No such file or directory: record one with `cprof run PROGRAM`
 *
 * Only profiler/cli prints it, once. An error lives in the caller's memory and owns nothing.
 */
#pragma once

struct error {
	char text[1024]; /* "" while nothing went wrong; long sentences are cut */
};

/* Fills err (which may be NULL) with the formatted sentence and returns -1. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with ": " and strerror(errno) appended. */
int error_set_errno(struct error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "CONTEXT: " before the sentence that err holds and returns -1. */
int error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
