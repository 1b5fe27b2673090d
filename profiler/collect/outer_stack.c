#include "collect/outer_stack.h"

#include "collect/remote_memory.h"

#include <string.h>

#define COMPARED_BYTES 1024

void outer_stack_begin(struct outer_stack *outer, uint32_t pid, const struct event_sample *sample)
{
	outer->pid = pid;
	outer->sample = sample;
	outer->was_compared = outer->is_same = false;
	outer->count = 0;
}

static bool compare(const struct outer_stack *outer)
{
	const struct event_sample *sample = outer->sample;
	uint64_t end = sample->registers.r[UNWIND_RSP] + sample->stack_bytes;
	uint8_t now[COMPARED_BYTES];

	if (!sample->stack_is_cut || sample->stack_bytes < COMPARED_BYTES)
		return false;
	return remote_memory_read(outer->pid, end - COMPARED_BYTES, now, COMPARED_BYTES) ==
		       COMPARED_BYTES &&
	       memcmp(now, sample->stack + sample->stack_bytes - COMPARED_BYTES, COMPARED_BYTES) ==
		       0;
}

static bool holds(const struct outer_stack *outer, uint64_t address)
{
	return address >= outer->address && address - outer->address < outer->count &&
	       outer->count - (address - outer->address) >= sizeof(uint64_t);
}

bool outer_stack_read(struct outer_stack *outer, uint64_t address, uint64_t *value)
{
	if (!outer->was_compared) {
		outer->was_compared = true;
		outer->is_same = compare(outer);
	}
	if (!outer->is_same)
		return false;
	if (!holds(outer, address)) {
		outer->address = address;
		outer->count =
			remote_memory_read(outer->pid, address, outer->bytes, OUTER_STACK_BYTES);
	}
	if (!holds(outer, address))
		return false;
	memcpy(value, outer->bytes + (address - outer->address), sizeof(*value));
	return true;
}
