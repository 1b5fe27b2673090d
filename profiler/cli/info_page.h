/*
 * info_page: everything that a profile and its file say about themselves, for people to read.
 */
#pragma once

#include "model/profile_file.h"

#include <stdio.h>

/* `path` is where the profile and the report were loaded from. */
int info_page_write(FILE *out, const char *path, const struct profile *profile,
	const struct profile_load_report *report, struct error *err);
