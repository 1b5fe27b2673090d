/*
 * runs: the recordings that are kept, by label.
 *
 * Each `cprof run` leaves its profile under its label in .cprof/ of the working directory (or in
 * CPROF_DIR), with a small text beside it that says what `list` and the search for repetitions
 * need, so that neither opens a profile:
 *
 *     .cprof/.gitignore                              "*": the directory ignores itself
 *     .cprof/v4/20240229T142501.123456789-4711.prof  the profile (a hard link or a copy)
 *     .cprof/v4/20240229T142501.123456789-4711.run   label v4
 *                                                    command ./segment v4
 *                                                    elapsed_ns 102000000 ...
 *
 * The time is that of keeping, in UTC, and the number cprof's own process: names sort by age, and
 * runs side by side never meet. A run counts from the moment when its .run file is there. A label's
 * directory is named by the label with everything but letters, digits and "_-=+,@:." as %XX; an
 * empty label is "%", and long ones end in a hash.
 *
 * Repetitions are runs with the same label, program build-id, arguments, metrics, rate and host: a
 * group.
 */
#pragma once

#include "base/array.h"
#include "base/error.h"
#include "cli/run_record.h"

struct runs {
	ARRAY(struct run) items; /* of each label oldest first */
};

/* How many runs of a label are kept. */
#define RUNS_KEPT 20

/* The directory that holds the runs: CPROF_DIR or ".cprof". */
const char *runs_directory(void);

/*
 * Keeps the finished file at profile_path as a run of profile->info.label, and forgets the oldest
 * runs of the label beyond RUNS_KEPT. On failure nothing of this run is left there.
 */
int runs_keep(const char *profile_path, const struct profile *profile, struct error *err);

/*
 * Adds the kept runs of a label (NULL: of all). A directory that is not there holds none. Texts
 * that make no sense are passed over.
 */
int runs_load(struct runs *runs, const char *label, struct error *err);

void runs_release(struct runs *runs);
