/* The kernel's records; all of them read as a whole record of 8 bytes and more. */
#include "collect/perf_record.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Looks at all that the event borrows from the record. */
static void look_at(const struct event *event)
{
	switch (event->kind) {
	case EVENT_SAMPLE:
	case EVENT_SWITCH_STACK:
		fuzz_touch(event->sample.kernel_ips,
			event->sample.kernel_depth * sizeof(*event->sample.kernel_ips));
		fuzz_touch(event->sample.stack, event->sample.stack_bytes);
		break;
	case EVENT_MMAP:
		fuzz_touch(event->mmap.path, strlen(event->mmap.path) + 1);
		fuzz_touch(event->mmap.build_id.bytes, event->mmap.build_id.length);
		break;
	case EVENT_COMM:
		fuzz_touch(event->comm.name, strlen(event->comm.name) + 1);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_event_header *record;
	struct event event = {0};

	if (size < sizeof(*record) || size > UINT16_MAX)
		return 0;
	/* The ring hands out records that are as long as they say, and a multiple of 8 bytes. */
	size &= ~(size_t)7;
	record = malloc(size);
	memcpy(record, data, size);
	record->size = size;
	for (int is_of_switches = 0; is_of_switches < 2; is_of_switches++)
		if (perf_record_decode(record, is_of_switches, &event))
			look_at(&event);
	free(record);
	return 0;
}
