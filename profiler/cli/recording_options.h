/*
 * recording_options: the options that `run` and `attach` share, for options.h:
 *
 *     static const struct option_set option_set = {
 *             &cmd_run, "+" RECORDING_SHORT_OPTIONS, recording_long_options, recording_set_option};
 */
#pragma once

#include "cli/options.h"
#include "collect/session.h"

#define RECORDING_SHORT_OPTIONS "ho:F:q"

struct recording_options {
	const char *output;
	const char *label; /* NULL: made from the command line */
	struct session_options session;
	bool print, quiet;
};

extern const struct option recording_long_options[];

void recording_options_init(struct recording_options *options);

/* `set` of struct option_set; target is a struct recording_options. */
int recording_set_option(void *target, int option, const char *value, struct error *err);
