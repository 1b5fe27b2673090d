/*
 * session: one recording, from events to a profile.
 *
 * session_run() is the loop that one sample walks through: recorder_next -> unwinder_walk ->
 * stacks_intern -> profile_add. It also writes the journal once a second, so that a recording that
 * is killed is readable up to its last second.
 */
#pragma once

#include "collect/images.h"
#include "collect/recorder.h"
#include "model/profile.h"
#include "model/profile_file.h"

#include <signal.h>

struct session;

struct session_options {
	struct record_options record;
	uint64_t duration_ns; /* record no longer than this; 0: to the program's end */
	bool wait_for_all;    /* go on until the last descendant has ended */
	bool has_timeline;
	const volatile sig_atomic_t *stop; /* ends the recording when it becomes non-zero */
};

/* Opens the recorder for a prepared target. Target, profile and writer are borrowed. */
struct session *session_open(const struct session_options *options, const struct target *target,
	struct profile *profile, struct profile_writer *writer, struct error *err);

/*
 * Records until the end; the program has been started. *has_ended: it ended before the recording
 * did. -1: recording failed (the program goes on); what was
 * recorded before is in the profile.
 */
int session_run(struct session *session, bool *has_ended, struct error *err);

/* The files of the modules that were seen, for naming addresses. */
const struct images *session_images(const struct session *session);

struct timeline *session_timeline(struct session *session); /* what is not yet written; or NULL */

void session_close(struct session *session); /* accepts NULL */
