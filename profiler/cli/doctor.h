/*
 * doctor: what `cprof doctor` finds, one check a block of lines:
 *
 *     limited  ring buffers          how much may wait to be read before samples are lost
 *                                    256 KiB for each CPU; a busy machine needs 1 MiB
 *                                    to allow more: sudo sysctl kernel.perf_event_mlock_kb=16384
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum doctor_state { DOCTOR_YES, DOCTOR_NO, DOCTOR_LIMITED, DOCTOR_STATE_COUNT };

struct finding {
	enum doctor_state state;
	char text[512];	  /* what was found; "" when there is nothing to add */
	char remedy[256]; /* the command that allows it, or more; "": there is none */
};

/* What several checks look at; found out once. */
struct doctor {
	int best_rung;	  /* of perf_rungs; -1: none can be opened */
	int cause;	  /* errno of the last rung that could not */
	long paranoid;	  /* kernel.perf_event_paranoid */
	bool has_setting; /* there is such a thing */
};

struct check {
	const char *name;
	const char *needed_for; /* in a user's words */
	void (*run)(const struct doctor *doctor, struct finding *finding);
};

extern const struct check doctor_checks[];
extern const size_t doctor_check_count;

void doctor_init(struct doctor *doctor);

/* Opens each backend of recorder.h as a recording does. How it works best, or why not at all. */
bool doctor_can_record(char *text, size_t size);

/*
 * A program by its path, its name in PATH, or the pid of a process: itself and the libraries it
 * needs. -1 when it is no program.
 */
int doctor_print_program(const char *name, struct error *err);
