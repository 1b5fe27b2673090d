/*
 * recording_info: what a profile says of the recording that made it: command, machine, program and
 * how it ended (struct profile_info).
 */
#pragma once

#include "collect/tracee.h"
#include "model/profile.h"

/* The command line, quoted for a shell; label NULL: made from it. */
void recording_info_command(struct profile *profile, const char *label, int argc, char **argv);

/* The command line and directory of a process that runs already; label NULL: its name and pid. */
void recording_info_attached(
	struct profile *profile, const char *label, const struct target *target);

/* The machine, the directory and the time: when recording begins. */
void recording_info_machine(struct profile *profile);

/* The executable that the first process ran last, and what recording took: when it is over. */
void recording_info_program(struct profile *profile);

/* The program's exit status and usage. */
void recording_info_end(struct profile *profile, const struct tracee_end *end);
