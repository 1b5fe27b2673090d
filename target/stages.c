#include "stage.h"

#include <stdio.h>
#include <string.h>

const struct stage *const stages[] = {
	&stage_v0,
	&stage_v1,
	&stage_v2,
	&stage_v3,
	&stage_v4,
	&stage_v5,
	&stage_v6,
	&stage_v7,
	NULL,
};

const struct stage *stage_find(const char *name, struct failure *err)
{
	char known[256] = "";
	size_t used = 0;

	for (const struct stage *const *stage = stages; *stage; stage++) {
		if (!strcmp((*stage)->name, name))
			return *stage;
		if (used < sizeof(known))
			used += snprintf(known + used, sizeof(known) - used, " %s", (*stage)->name);
	}
	fail(err, "there is no stage '%s'; known stages:%s (`segment list` describes them)", name,
		known);
	return NULL;
}
