/*
 * profile_reader: how profile_load() and profile_repair() read (inside model/ only; everybody else
 * includes profile_file.h).
 */
#pragma once

#include "model/profile_file.h"

#define END_CHUNK_TYPE "END " /* its payload: how many chunks are before it */

/* What to do where a file is cut off or a chunk is damaged. */
enum cut_policy { CUT_IS_ERROR, CUT_ENDS_FILE };

/* profile_visit_timeline(), which is an error at a cut, or ends there. */
int profile_reader_visit(const char *path, enum cut_policy policy,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	struct error *err);
