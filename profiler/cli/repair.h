/*
 * repair: makes a whole profile of a recording that was cut off.
 *
 * What the file holds up to the cut is loaded, its addresses are named by the files that are
 * installed now if they have the build-ids that were recorded, and a whole file is written
 * beside it. Kernel addresses get names only until the next boot, which moves them.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct repair_result {
	char *path;		/* of the whole file; NULL: there was nothing to repair */
	size_t modules_missing; /* files that are not here with that build-id */
};

/*
 * Repairs `path` into `output` (NULL: path without ".part", which is then removed). An existing
 * file is replaced only when it was named by `output`. The caller frees result->path.
 */
int repair_profile(
	const char *path, const char *output, struct repair_result *result, struct error *err);
