#include "model/metrics.h"

#include <stdio.h>
#include <string.h>

const struct metric_info metrics[METRIC_COUNT] = {
	[METRIC_WALL] = {"wall", "time that passed, on the CPU or off it", UNIT_NS, true},
	[METRIC_CPU] = {"cpu", "time on a CPU", UNIT_NS, true},
	[METRIC_BLOCKED] = {"blocked", "time off the CPU, waiting for something", UNIT_NS, true},
	[METRIC_RUNNABLE] = {"runnable", "time off the CPU, waiting for a CPU", UNIT_NS, true},
	[METRIC_SAMPLES] = {"samples", "samples taken on the CPU", UNIT_COUNT, true},
	[METRIC_CPU_SQUARES] = {"cpu_squares", "squared CPU weights", UNIT_US_SQUARED, false},
};

int metric_find(const char *name, struct error *err)
{
	char known[256] = "";

	for (int i = 0; i < METRIC_COUNT; i++) {
		size_t used = strlen(known);

		if (!metrics[i].is_shown)
			continue;
		if (strcmp(metrics[i].name, name) == 0)
			return i;
		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
			metrics[i].name);
	}
	return error_set(err, "unknown metric '%s': known metrics are %s", name, known);
}
