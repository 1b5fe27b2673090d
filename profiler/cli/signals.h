/*
 * signals: what becomes of signals that are sent to cprof while it records.
 */
#pragma once

#include "collect/target.h"

#include <signal.h>

/* Non-zero once the recording shall end; for session_options. Set by handlers alone. */
extern volatile sig_atomic_t signals_stop;

/*
 * For a program that cprof runs: what the terminal sends (Ctrl-C) reaches the program by itself,
 * which decides what becomes of it; the recording goes on until it has. What is sent to cprof alone
 * is passed on. When the program has ended and only descendants are waited for, the recording ends.
 * Where a shell made cprof a job, the job is stopped when the program is, and goes on with it.
 * Called once there is a process to pass signals on to, and before anything is made that they would
 * leave behind.
 */
void signals_pass_on(const struct target *target);

/* For a process that was there before cprof: Ctrl-C and the like end the recording. */
void signals_end_recording(void);
