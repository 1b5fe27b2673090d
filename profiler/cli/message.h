/*
 * message: what cprof says on stderr. The only place of the program that prints errors.
 *
 *     cprof: cannot open out.prof: No such file or directory: record one with `cprof run PROGRAM`
 *
 * Sentences may hold names from files, command lines and other people's programs: they are escaped.
 */
#pragma once

#include "base/error.h"

/* "cprof: SENTENCE"; returns EXIT_FAILED, so that a command can end with it. */
int message_failed(const struct error *err);

/* "cprof NAME: SENTENCE" and where the help is (NULL: cprof itself); returns EXIT_USAGE. */
int message_usage(const char *command, const struct error *err);

/* "cprof: SENTENCE", for what the user should know and what stops nothing. */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
