/*
 * measure: what a view was asked for, settled for one profile: which metric, of which part, and how
 * its numbers are written.
 *
 * Times are shown in seconds, counts as they are.
 */
#pragma once

#include "base/error.h"
#include "viz/exporter.h"

struct measure {
	const struct profile *profile; /* borrowed */
	enum metric metric;
	bool region_only;
};

/*
 * Settles the selection. Fails with a sentence when the profile lacks the metric or has no marked
 * region.
 */
int measure_init(struct measure *measure, const struct view_selection *selection,
	const struct profile *profile, struct error *err);

/* Whether the count belongs to the part that was asked for. */
static inline bool measure_takes(const struct measure *measure, const struct count *count)
{
	return count->in_region || !measure->region_only;
}

enum unit measure_unit(const struct measure *measure);

/* What the numbers mean, for headings: "wall-clock seconds". */
const char *measure_title(const struct measure *measure);

/* The value in the unit that is shown. */
double measure_number(const struct measure *measure, uint64_t value);

/* Decimals that the value deserves: as many as tell one sampling interval. */
int measure_decimals(const struct measure *measure);

/* "0.412 s", "412 samples". */
char *measure_text(const struct measure *measure, uint64_t value, char *text, size_t size);

/* "48.43 MiB". */
char *measure_bytes(uint64_t bytes, char *text, size_t size);

/* part as percent of all; 0 when there is nothing. */
double measure_percent(uint64_t part, uint64_t all);
