/* The marks' shared memory, in which the program may write what it likes. */
#include "collect/marks.h"

#include "agent/cprof.h"

#include "fuzz.h"

#include <stdlib.h>

/*
 * The input is the memory from its start, and what it does not reach is 0: the first slots, and the
 * number of marks, which says how many slots are read.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cprof_marks memory;
	struct marks marks = {.shared = &memory};
	struct event event;
	size_t count = 0;

	memset(&memory, 0, sizeof(memory));
	memcpy(&memory, data, size < sizeof(memory) ? size : sizeof(memory));
	while (marks_next(&marks, UINT64_MAX, &event))
		if (event.mark.kind > CPROF_MARK_NAMED || strlen(event.mark.name) >= 96 ||
			++count > CPROF_MARKS_SLOTS)
			abort();
	return 0;
}
