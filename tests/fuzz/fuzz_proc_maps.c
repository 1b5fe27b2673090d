/* /proc/PID/maps, with paths that the program chose. */
#include "collect/proc_maps.h"

#include "fuzz.h"

#include <string.h>

static void visit(void *context, const struct event_mmap *mapping)
{
	(void)context;
	fuzz_touch(mapping->path, strlen(mapping->path) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *stream = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!stream)
		return 0;
	proc_maps_each(stream, visit, NULL);
	fclose(stream);
	return 0;
}
