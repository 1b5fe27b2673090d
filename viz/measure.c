#include "viz/measure.h"

#include <inttypes.h>
#include <string.h>

/* The default of DESIGN.md 2, or the first one that was measured. */
static int default_metric(const struct profile *profile)
{
	enum metric metric = profile_default_metric(profile);

	if (profile_has(profile, metric))
		return metric;
	for (int i = 0; i < METRIC_COUNT; i++)
		if (metrics[i].is_shown && profile_has(profile, i))
			return i;
	return -1;
}

static int check_metric(const struct profile *profile, int metric, struct error *err)
{
	char measured[256] = "nothing";

	if (metric >= 0 && metric < METRIC_COUNT && profile_has(profile, metric))
		return 0;
	for (int i = 0, used = 0; i < METRIC_COUNT; i++)
		if (metrics[i].is_shown && profile_has(profile, i))
			used += snprintf(measured + used, sizeof(measured) - used, "%s%s",
				used ? ", " : "", metrics[i].name);
	if (metric < 0 || metric >= METRIC_COUNT)
		return error_set(err, "the profile has no metric to show: it holds %s", measured);
	return error_set(
		err, "the profile did not measure %s: it holds %s", metrics[metric].name, measured);
}

static bool has_region(const struct profile *profile)
{
	for (size_t i = 0; i < profile->marks.count; i++)
		if (profile->marks.items[i].kind == MARK_START)
			return true;
	for (size_t i = 0; i < profile->counts.count; i++)
		if (profile->counts.items[i].in_region)
			return true;
	return false;
}

int measure_init(struct measure *measure, const struct view_selection *selection,
	const struct profile *profile, struct error *err)
{
	int metric = selection->metric < 0 ? default_metric(profile) : selection->metric;

	if (check_metric(profile, metric, err) != 0)
		return -1;
	if (selection->region_only && !has_region(profile))
		return error_set(err,
			"the profile has no marked region: the program marks one with "
			"cprof_start() and cprof_stop() of cprof.h; leave out --region to see all");
	*measure = (struct measure){
		.profile = profile, .metric = metric, .region_only = selection->region_only};
	return 0;
}

enum unit measure_unit(const struct measure *measure)
{
	return metrics[measure->metric].unit;
}

const char *measure_title(const struct measure *measure)
{
	static const char *const titles[METRIC_COUNT] = {
		[METRIC_WALL] = "wall-clock seconds, on the CPU or waiting",
		[METRIC_CPU] = "CPU seconds, summed over threads",
		[METRIC_BLOCKED] = "seconds off the CPU, waiting for something",
		[METRIC_RUNNABLE] = "seconds off the CPU, waiting for a CPU",
		[METRIC_SAMPLES] = "numbers of samples on the CPU",
	};

	return titles[measure->metric] ? titles[measure->metric] : metrics[measure->metric].summary;
}

double measure_number(const struct measure *measure, uint64_t value)
{
	return measure_unit(measure) == UNIT_NS ? (double)value / 1e9 : (double)value;
}

int measure_decimals(const struct measure *measure)
{
	uint64_t rate = measure->profile->info.rate_asked_hz;
	int decimals = 0;

	if (measure_unit(measure) != UNIT_NS)
		return 0;
	if (rate == 0)
		return 3;
	for (uint64_t power = 1; power < rate && decimals < 9; power *= 10)
		decimals++;
	return decimals;
}

char *measure_text(const struct measure *measure, uint64_t value, char *text, size_t size)
{
	if (measure_unit(measure) == UNIT_NS)
		snprintf(text, size, "%.*f s", measure_decimals(measure), (double)value / 1e9);
	else
		snprintf(text, size, "%" PRIu64 " %s", value, metrics[measure->metric].name);
	return text;
}

char *measure_bytes(uint64_t bytes, char *text, size_t size)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double number = (double)bytes;
	size_t unit = 0;

	for (; number >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		number /= 1024;
	snprintf(text, size, unit ? "%.2f %s" : "%.0f %s", number, units[unit]);
	return text;
}

double measure_percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}
