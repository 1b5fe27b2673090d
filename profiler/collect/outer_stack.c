#include "collect/outer_stack.h"

#include "collect/remote_memory.h"

#include <string.h>

#define PAGE	       4096u
#define FIRST_BYTES    (16u << 10)
#define COMPARED_BYTES 1024u

/* A stack rarely is larger; further away there may be another one (of a signal handler, a
 * coroutine). */
#define STACK_REACH (8u << 20)

/* Of the kernel's struct ucontext at rsp (guess.c), the registers. */
#define CONTEXT_REGISTERS 40u
#define CONTEXT_END	  (CONTEXT_REGISTERS + 17 * 8)

void outer_stack_begin(struct outer_stack *outer, uint32_t pid, const struct event_sample *sample)
{
	outer->pid = pid;
	outer->sample = sample;
	outer->was_read = outer->was_beyond = false;
	outer->count = 0;
	outer->wanted = FIRST_BYTES;
}

static uint64_t copy_start(const struct event_sample *sample)
{
	return sample->registers.r[UNWIND_RSP];
}

static uint64_t copy_end(const struct event_sample *sample)
{
	return copy_start(sample) + sample->stack_bytes;
}

bool outer_stack_is_near(const struct outer_stack *outer, uint64_t address)
{
	return address >= copy_start(outer->sample) &&
	       address - copy_start(outer->sample) < STACK_REACH;
}

static bool holds(const struct outer_stack *outer, uint64_t address)
{
	return address >= outer->address && address - outer->address < outer->count &&
	       outer->count - (address - outer->address) >= sizeof(uint64_t);
}

/* From the page's start, as a frame's words are read downwards. Ever more: most stacks end soon. */
static void read_around(struct outer_stack *outer, uint64_t address)
{
	outer->address = address & ~(uint64_t)(PAGE - 1);
	outer->count = remote_memory_read(outer->pid, outer->address, outer->bytes, outer->wanted);
	outer->wanted = OUTER_STACK_BYTES;
}

bool outer_stack_read(struct outer_stack *outer, uint64_t address, uint64_t *value)
{
	const struct event_sample *sample = outer->sample;

	outer->was_read = true;
	outer->was_beyond |= sample->stack_is_cut && address + 8 > copy_end(sample) &&
			     outer_stack_is_near(outer, address);
	if (!holds(outer, address))
		read_around(outer, address);
	if (!holds(outer, address)) /* across the end of what was read */
		outer->count = remote_memory_read(
			outer->pid, outer->address = address, outer->bytes, sizeof(*value));
	if (!holds(outer, address))
		return false;
	memcpy(value, outer->bytes + (address - outer->address), sizeof(*value));
	return true;
}

struct words {
	uint64_t low, high; /* high exclusive */
};

/* The words in which frame i's caller is found. False when the copy does not hold them. */
static bool border_of(const struct event_sample *sample, const struct walk_result *walk, size_t i,
	struct words *words)
{
	uint64_t stack = i > 0 ? walk->cfas[i - 1] : copy_start(sample);

	if (walk->flags[i] & WALK_SIGNAL)
		*words = (struct words){stack + CONTEXT_REGISTERS, stack + CONTEXT_END};
	else
		*words = (struct words){walk->cfas[i] - 16, walk->cfas[i]};
	if (words->low + 8 == copy_start(sample))
		words->low += 8; /* a return address at rsp has nothing below it */
	return words->low >= copy_start(sample) && words->low < words->high &&
	       words->high <= copy_end(sample);
}

size_t outer_stack_inside(const struct event_sample *sample, const struct walk_result *walk)
{
	struct words words;
	size_t i = 0;

	while (i + 1 < walk->depth && border_of(sample, walk, i, &words))
		i++;
	return i + 1;
}

bool outer_stack_is_unchanged(
	const struct outer_stack *outer, const struct walk_result *walk, size_t inside)
{
	const struct event_sample *sample = outer->sample;
	uint64_t low, high, start = copy_start(sample);
	uint8_t now[COMPARED_BYTES];
	struct words words;

	if (inside < 2 || !border_of(sample, walk, inside - 2, &words))
		return false;
	high = words.high;
	low = high - start > COMPARED_BYTES ? high - COMPARED_BYTES : start;
	if (remote_memory_read(outer->pid, low, now, high - low) != high - low)
		return false;
	for (size_t i = inside - 1; i-- > 0;) {
		if (!border_of(sample, walk, i, &words) || words.low < low || words.high > high)
			break;
		if (memcmp(now + (words.low - low), sample->stack + (words.low - start),
			    words.high - words.low) != 0)
			return false;
	}
	return true;
}

bool outer_stack_is_mostly(
	const struct outer_stack *outer, const struct walk_result *walk, size_t i)
{
	uint64_t frame = i > 0 ? walk->cfas[i - 1] : copy_start(outer->sample);

	return copy_end(outer->sample) - frame > outer->sample->stack_bytes / 2;
}
