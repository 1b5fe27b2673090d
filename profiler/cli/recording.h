/*
 * recording: the way from a target to a profile in a file, as `run` and `attach` go it:
 *
 *     recording_init      struct recording_options (recording_options.h)
 *     recording_open      everything that can fail before anything is recorded
 *     session_run         events to profile (collect/session.h)
 *     recording_finish    names, file, kept copy, summary, table
 *     recording_close
 */
#pragma once

#include "cli/recording_options.h"

struct recording {
	const struct recording_options *options; /* borrowed */
	struct profile profile;
	struct profile_writer *writer; /* NULL: none, or discarded */
	struct session *session;
};

void recording_init(struct recording *recording, const struct recording_options *options);

/* Opens the file and the session. The target is borrowed. */
int recording_open(struct recording *recording, const struct target *target, struct error *err);

/* Names what was recorded, finishes and keeps the file, and tells of it as the options ask. */
int recording_finish(struct recording *recording, struct error *err);

/* Takes the file back: nothing was recorded. */
void recording_discard(struct recording *recording);

void recording_close(struct recording *recording); /* accepts a half-open one */
