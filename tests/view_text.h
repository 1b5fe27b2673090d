/*
 * view_text: what a view writes, as a string, for tests of the views.
 */
#pragma once

#include "viz/exporter.h"

/* The text of the named view of profiles; the test fails when the view does. Caller frees. */
char *view_text_of(const char *view, const struct profile *const profiles[], size_t count,
	const struct view_options *options);

/* The same of one profile made of folded text (profile.h); "program" is the recorded program. */
char *view_text(const char *view, const char *folded, const struct view_options *options);

/* The sentence with which the view fails; the test fails when it does not. Caller frees. */
char *view_error(const char *view, const char *folded, const struct view_options *options);

/* A profile of folded text whose module "program" is the recorded program. */
void view_profile(struct profile *profile, const char *folded);

/* Fails unless `part` occurs in `text`, showing both. */
void assert_contains(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

/* How often `part` occurs. */
size_t occurrences(const char *text, const char *part);

/* Runs a shell command with `text` as its input; its output, or NULL when it fails. Caller frees.
 */
char *piped(const char *command, const char *text);
