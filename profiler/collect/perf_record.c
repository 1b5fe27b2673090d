#include "collect/perf_record.h"

#include <linux/perf_event.h>
#include <string.h>

/* Where a sample's fields lie, and the trailer of all other records. */
struct sample_head {
	uint64_t identifier, ip;
	uint32_t pid, tid;
	uint64_t time, period;
};

struct trailer {
	uint32_t pid, tid;
	uint64_t time, identifier;
};

static const struct trailer *trailer_of(const struct perf_event_header *record)
{
	return (const void *)((const uint8_t *)record + record->size - sizeof(struct trailer));
}

static const struct sample_head *head_of(const struct perf_event_header *record)
{
	return (const void *)(record + 1);
}

uint64_t perf_record_time(const struct perf_event_header *record)
{
	return record->type == PERF_RECORD_SAMPLE ? head_of(record)->time
						  : trailer_of(record)->time;
}

uint32_t perf_record_pid(const struct perf_event_header *record)
{
	return record->type == PERF_RECORD_SAMPLE ? head_of(record)->pid : trailer_of(record)->pid;
}

/* What is left of a record while its fields are taken one after the other. */
struct fields {
	const uint8_t *at, *end;
};

static const void *take(struct fields *fields, uint64_t size)
{
	const uint8_t *start = fields->at;

	if ((uint64_t)(fields->end - fields->at) < size)
		return NULL;
	fields->at += size;
	return start;
}

static bool take_word(struct fields *fields, uint64_t *value)
{
	const void *word = take(fields, sizeof(*value));

	if (word) /* behind a stack of an odd size, which no kernel makes, it is not aligned */
		memcpy(value, word, sizeof(*value));
	return word != NULL;
}

/* The kernel's part of a callchain: behind PERF_CONTEXT_KERNEL, before any other context. */
static bool take_callchain(struct fields *fields, struct event_sample *sample)
{
	const uint64_t *ips;
	uint64_t count, i = 0;

	if (!take_word(fields, &count) || count > UINT16_MAX ||
		!(ips = take(fields, count * sizeof(*ips))))
		return false;
	while (i < count && ips[i] != (uint64_t)PERF_CONTEXT_KERNEL)
		i++;
	if (i == count)
		return true;
	sample->kernel_ips = ips + i + 1;
	for (i++; i < count && ips[i] < (uint64_t)PERF_CONTEXT_MAX; i++)
		sample->kernel_depth++;
	return true;
}

/* From the kernel's order (asm/perf_regs.h: ax bx cx dx si di bp sp ip, r8 ...) to DWARF numbers.
 */
static void set_registers(struct walk_registers *registers, const uint64_t *values)
{
	static const uint8_t dwarf_number[] = {0, 3, 2, 1, 4, 5, 6, 7};

	for (size_t i = 0; i < sizeof(dwarf_number); i++)
		registers->r[dwarf_number[i]] = values[i];
	registers->ip = values[8];
	memcpy(&registers->r[8], values + 9, 8 * sizeof(*values));
	registers->known = WALK_ALL_KNOWN;
}

static bool take_registers(struct fields *fields, struct event_sample *sample)
{
	const uint64_t *values;
	uint64_t abi;

	if (!take_word(fields, &abi))
		return false;
	if (abi == PERF_SAMPLE_REGS_ABI_NONE) {
		sample->is_dying = sample->kernel_depth > 0;
		return true;
	}
	values = take(fields, PERF_REGISTER_COUNT * sizeof(*values));
	if (!values)
		return false;
	set_registers(&sample->registers, values);
	sample->has_user = abi == PERF_SAMPLE_REGS_ABI_64;
	sample->is_32bit = abi == PERF_SAMPLE_REGS_ABI_32;
	return true;
}

static bool take_stack(struct fields *fields, struct event_sample *sample)
{
	uint64_t size, used;

	if (!take_word(fields, &size))
		return false;
	if (size == 0)
		return true;
	sample->stack = take(fields, size);
	if (!sample->stack || !take_word(fields, &used) || used > size)
		return false;
	sample->stack_bytes = used;
	sample->stack_is_cut = used == size;
	return true;
}

static bool decode_sample(
	const struct perf_event_header *record, bool is_of_switches, struct event *event)
{
	struct fields fields = {
		.at = (const uint8_t *)(record + 1), .end = (const uint8_t *)record + record->size};
	const struct sample_head *head = take(&fields, sizeof(*head));

	if (!head)
		return false;
	event->kind = is_of_switches ? EVENT_SWITCH_STACK : EVENT_SAMPLE;
	event->pid = head->pid;
	event->tid = head->tid;
	event->time_ns = head->time;
	event->sample = (struct event_sample){.weight = head->period, .is_off_cpu = is_of_switches};
	return take_callchain(&fields, &event->sample) && take_registers(&fields, &event->sample) &&
	       take_stack(&fields, &event->sample);
}

/* A text that must end within the record. */
static const char *take_text(struct fields *fields)
{
	const char *text = (const char *)fields->at;

	return memchr(text, 0, fields->end - fields->at) ? text : NULL;
}

static bool decode_mmap2(struct fields *fields, uint16_t misc, struct event *event)
{
	struct {
		uint32_t pid, tid;
		uint64_t address, length, offset;
		uint8_t build_id_size, reserved[3];
		uint8_t build_id[20];
		uint32_t protection, flags;
	} const *body = take(fields, sizeof(*body));

	if (!body)
		return false;
	event->kind = EVENT_MMAP;
	event->pid = body->pid;
	event->tid = body->tid;
	event->mmap = (struct event_mmap){.address = body->address,
		.length = body->length,
		.offset = body->offset,
		.protection = body->protection,
		.path = take_text(fields)};
	if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID &&
		body->build_id_size <= sizeof(body->build_id)) {
		event->mmap.build_id.length = body->build_id_size;
		memcpy(event->mmap.build_id.bytes, body->build_id, body->build_id_size);
	}
	return event->mmap.path != NULL;
}

static bool decode_comm(struct fields *fields, uint16_t misc, struct event *event)
{
	const uint32_t *ids = take(fields, 2 * sizeof(*ids));

	if (!ids)
		return false;
	event->kind = EVENT_COMM;
	event->pid = ids[0];
	event->tid = ids[1];
	event->comm.is_exec = misc & PERF_RECORD_MISC_COMM_EXEC;
	event->comm.name = take_text(fields);
	return event->comm.name != NULL;
}

static bool decode_task(struct fields *fields, enum event_kind kind, struct event *event)
{
	const uint32_t *ids = take(fields, 4 * sizeof(*ids)); /* pid, ppid, tid, ptid */

	if (!ids)
		return false;
	event->kind = kind;
	event->pid = ids[0];
	event->tid = ids[2];
	event->fork.parent_pid = ids[1];
	event->fork.parent_tid = ids[3];
	return true;
}

static bool decode_switch(uint16_t misc, struct event *event)
{
	event->kind = misc & PERF_RECORD_MISC_SWITCH_OUT ? EVENT_SWITCH_OUT : EVENT_SWITCH_IN;
	event->was_preempted = misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
	return true;
}

static bool decode_lost(struct fields *fields, bool has_id, struct event *event)
{
	const uint64_t *words = take(fields, (has_id ? 2 : 1) * sizeof(*words));

	if (!words)
		return false;
	event->kind = EVENT_LOST;
	event->count = words[has_id ? 1 : 0];
	return true;
}

bool perf_record_decode(
	const struct perf_event_header *record, bool is_of_switches, struct event *event)
{
	struct fields fields = {.at = (const uint8_t *)(record + 1),
		.end = (const uint8_t *)record + record->size - sizeof(struct trailer)};
	const struct trailer *trailer = trailer_of(record);

	if (record->type == PERF_RECORD_SAMPLE)
		return decode_sample(record, is_of_switches, event);
	if (record->size < sizeof(*record) + sizeof(*trailer))
		return false;
	event->pid = trailer->pid;
	event->tid = trailer->tid;
	event->time_ns = trailer->time;
	switch (record->type) {
	case PERF_RECORD_MMAP2:
		return decode_mmap2(&fields, record->misc, event);
	case PERF_RECORD_COMM:
		return decode_comm(&fields, record->misc, event);
	case PERF_RECORD_FORK:
		return decode_task(&fields, EVENT_FORK, event);
	case PERF_RECORD_EXIT:
		return decode_task(&fields, EVENT_EXIT, event);
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		return decode_switch(record->misc, event);
	case PERF_RECORD_LOST:
		return decode_lost(&fields, true, event);
	case PERF_RECORD_LOST_SAMPLES:
		return decode_lost(&fields, false, event);
	case PERF_RECORD_THROTTLE:
		event->kind = EVENT_THROTTLE;
		return true;
	default:
		return false;
	}
}
