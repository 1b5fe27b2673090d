#include "collect/recorder.h"

#include <stdio.h>
#include <string.h>

extern const struct recorder_backend recorder_perf, recorder_ptrace;

const struct recorder_backend *const recorder_backends[] = {
	&recorder_perf,
	&recorder_ptrace,
	NULL,
};

static struct recorder *open_one(const struct recorder_backend *backend,
	const struct record_options *options, const struct target *target, struct error *err)
{
	return backend->usable(err) ? backend->open(options, target, err) : NULL;
}

/* The first that works; its note says why those before it do not. */
static struct recorder *open_best(
	const struct record_options *options, const struct target *target, struct error *err)
{
	struct error first = {0};

	for (size_t i = 0; recorder_backends[i]; i++) {
		struct recorder *recorder = open_one(recorder_backends[i], options, target, err);

		if (recorder && i > 0)
			snprintf(recorder->facts.note, sizeof(recorder->facts.note), "%.255s",
				first.text);
		if (recorder)
			return recorder;
		if (i == 0)
			first = *err;
	}
	error_prefix(err, "%.500s; the other way is closed, too", first.text);
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
			return open_one(backend, options, target, err);
		snprintf(known + used, sizeof(known) - used, ", %s", backend->name);
	}
	error_set(err, "unknown backend '%s': known backends are %s", options->backend, known);
	return NULL;
}
