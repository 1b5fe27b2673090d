#include "collect/recorder.h"

#include <stdio.h>
#include <string.h>

extern const struct recorder_backend recorder_perf;

const struct recorder_backend *const recorder_backends[] = {
	&recorder_perf,
	NULL,
};

static struct recorder *open_best(
	const struct record_options *options, const struct target *target, struct error *err)
{
	for (size_t i = 0; recorder_backends[i]; i++) {
		struct recorder *recorder = NULL;

		if (recorder_backends[i]->usable(err))
			recorder = recorder_backends[i]->open(options, target, err);
		if (recorder)
			return recorder;
	}
	return NULL;
}

struct recorder *recorder_open(
	const struct record_options *options, const struct target *target, struct error *err)
{
	char known[256] = "auto";

	if (strcmp(options->backend, "auto") == 0)
		return open_best(options, target, err);
	for (size_t i = 0; recorder_backends[i]; i++) {
		const struct recorder_backend *backend = recorder_backends[i];
		size_t used = strlen(known);

		if (strcmp(options->backend, backend->name) == 0)
			return backend->usable(err) ? backend->open(options, target, err) : NULL;
		snprintf(known + used, sizeof(known) - used, ", %s", backend->name);
	}
	error_set(err, "unknown backend '%s': known backends are %s", options->backend, known);
	return NULL;
}
