/*
 * run_record: what is known of a kept run without opening its profile, and the text that holds it:
 *
 *     label v4
 *     command ./segment v4
 *     program /home/me/segment
 *     ...
 *     elapsed_ns 102000000
 *
 * A field a line, in any order; unknown ones are passed over. In texts a newline is "\n" and a
 * backslash "\\".
 */
#pragma once

#include "model/profile.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct run {
	char *path; /* of the profile; not in the text */
	char *label;
	char *command; /* quoted for a shell, program first */
	char *program, *program_build_id, *host;
	uint64_t metrics, rate_asked_hz;
	uint64_t start_unix_ns, elapsed_ns, peak_rss_bytes, samples;
};

/* What there is to say of a recording; path stays NULL. */
void run_of_profile(struct run *run, const struct profile *profile);

void run_release(struct run *run);

void run_write(FILE *file, struct run *run);

/* False, with nothing to release, when the text is no record of a run. */
bool run_read(struct run *run, FILE *file);

/* Whether b repeats a. */
bool run_repeats(const struct run *a, const struct run *b);

/* "v4 --data m" for `./segment v4 --data m`, "segment" for `./segment`; caller frees. */
char *run_label_default(int argc, char **argv);

/* What follows the program in a command line that is quoted for a shell; borrowed from it. */
const char *command_arguments(const char *command);
