/*
 * recorder_perf: events from the kernel's perf_event_open(2).
 *
 * Each CPU has two rings, whose records are merged by time. No ring can still get a record that is
 * older than the moment at which all rings were last looked at, less a little for those that a CPU
 * was just writing then.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "collect/descriptors.h"
#include "collect/machine.h"
#include "collect/perf_events.h"
#include "collect/perf_record.h"
#include "collect/recorder.h"
#include "collect/ring_merge.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/*
 * How much memory the kernel gets to write to. A ring of 8 MiB holds an eighth of a second and more
 * of samples that carry 63 KiB each. Many CPUs share RINGS_BYTES, but never get less than 512 KiB
 * each: 30 samples of 16 KiB; half of them wake the recorder, which has 15 ms then. That also is
 * what perf_event_mlock_kb (516) allows an ordinary user for each CPU. The rings of the switch
 * events come on top of it: in all 20 MiB for 2 CPUs, 80 for 8 to 128, 160 for 256.
 */
#define RINGS_BYTES	 (64u << 20)
#define RING_BYTES_MAX	 (8u << 20)
#define SWITCH_RING_PART 4
#define RING_BYTES_MIN	 (512u << 10)
#define RING_BYTES_LEAST (128u << 10) /* two of the largest records; where memory is limited */

#define WRITING_NS 1000000 /* longer than the kernel takes from time stamp to record */

struct recorder_perf {
	struct recorder recorder; /* first */
	struct perf_events events;
	size_t ring_count;
	struct ring *rings;    /* two per entry of events.cpus */
	struct pollfd *polled; /* the rings' descriptors, then one of the caller's */
	struct ring_merge merge;
	uint8_t *ours; /* per CPU events: bit per pid that belongs to the program */
	bool is_draining;
};

static bool pid_is_ours(const struct recorder_perf *perf, uint32_t pid)
{
	return !perf->ours || (pid < 1u << PID_BITS && perf->ours[pid / 8] & 1 << pid % 8);
}

static void set_ours(struct recorder_perf *perf, uint32_t pid, bool is_ours)
{
	if (!perf->ours || pid >= 1u << PID_BITS)
		return;
	if (is_ours)
		perf->ours[pid / 8] |= 1 << pid % 8;
	else
		perf->ours[pid / 8] &= ~(1 << pid % 8);
}

/*
 * A machine whose CPUs are all busy must not keep the recorder waiting until a ring is full.
 * Ordinary users may not ask for more than their share, and do without.
 */
static void ask_for_priority(void)
{
	setpriority(PRIO_PROCESS, 0, -10);
}

/* -2: there is no such setting. */
static int read_paranoid(void)
{
	long level;

	return machine_setting("kernel/perf_event_paranoid", &level) ? (int)level : -2;
}

static int explain_refusal(struct error *err)
{
	int cause = errno, level = read_paranoid();

	if (level == -2)
		return error_set(err, "this kernel has no perf events (/proc/sys/kernel/"
				      "perf_event_paranoid is missing)");
	if (cause == EACCES || cause == EPERM)
		return error_set(err,
			"not allowed to record: kernel.perf_event_paranoid is %d: allow it with "
			"`sudo sysctl kernel.perf_event_paranoid=1`, or record as root with "
			"`sudo cprof run ...`%s",
			level, level < 2 ? " (a container may forbid it all the same)" : "");
	errno = cause;
	return error_set_errno(err, "cannot open perf events");
}

static bool perf_usable(struct error *why_not)
{
	if (read_paranoid() != -2)
		return true;
	explain_refusal(why_not);
	return false;
}

static void close_rings(struct recorder_perf *perf)
{
	for (size_t i = 0; i < perf->ring_count; i++)
		ring_close(&perf->rings[i]);
	perf->ring_count = 0;
}

static void perf_close(struct recorder *recorder)
{
	struct recorder_perf *perf = (struct recorder_perf *)recorder;

	if (!perf)
		return;
	close_rings(perf);
	perf_events_close(&perf->events);
	free(perf->rings);
	ring_merge_release(&perf->merge);
	free(perf->polled);
	free(perf->ours);
	free(perf);
}

/* One more ring; of an event that is not open it stays empty, so that a CPU's rings are 2i and 2i
 * + 1. */
static int add_ring(struct recorder_perf *perf, int fd, size_t bytes, struct error *err)
{
	size_t i = perf->ring_count++;

	perf->polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	return fd < 0 ? 0 : ring_open(&perf->rings[i], fd, bytes, err);
}

/* All rings, those of the clocks with so many bytes each. */
static int open_rings_of(struct recorder_perf *perf, size_t bytes, struct error *err)
{
	size_t switch_bytes = bytes / SWITCH_RING_PART;

	if (switch_bytes < RING_BYTES_LEAST)
		switch_bytes = RING_BYTES_LEAST;
	for (size_t i = 0; i < perf->events.cpus.count; i++) {
		const struct perf_cpu *cpu = &perf->events.cpus.items[i];

		if (add_ring(perf, cpu->fd[PERF_TRACK], bytes, err) < 0 ||
			add_ring(perf, cpu->fd[PERF_SWITCH], switch_bytes, err) < 0)
			return -1;
	}
	return 0;
}

/* Where less memory may be locked, every ring is smaller: one may not leave the others without. */
static int open_rings(struct recorder_perf *perf, struct error *err)
{
	size_t cpus = perf->events.cpus.count, bytes = RING_BYTES_MAX;

	while (bytes * cpus > RINGS_BYTES && bytes > RING_BYTES_MIN)
		bytes /= 2;
	perf->rings = alloc_zeroed(2 * cpus, sizeof(*perf->rings));
	perf->polled = alloc_zeroed(2 * cpus + 1, sizeof(*perf->polled));
	while (open_rings_of(perf, bytes, err) < 0) {
		close_rings(perf);
		bytes /= 2;
		if (bytes < RING_BYTES_LEAST)
			return -1;
	}
	ring_merge_init(&perf->merge, perf->rings, 2 * cpus);
	return 0;
}

static void set_facts(struct recorder_perf *perf)
{
	struct recorder_facts *facts = &perf->recorder.facts;

	memcpy(facts->event, perf->events.event, sizeof(facts->event));
	memcpy(facts->note, perf->events.note, sizeof(facts->note));
	facts->has_switches = true;
	facts->ring_bytes = perf->rings[0].data_bytes;
	facts->has_switch_stacks = perf->events.has_switch_stacks;
	facts->sees_everyone = perf->events.per_cpu;
}

extern const struct recorder_backend recorder_perf;

static struct recorder *perf_open(
	const struct record_options *options, const struct target *target, struct error *err)
{
	struct recorder_perf *perf = alloc_zeroed(1, sizeof(*perf));

	perf->recorder.backend = &recorder_perf;
	descriptors_raise_limit();
	ask_for_priority();
	if (perf_events_open(&perf->events, target, options->rate_hz, err) < 0) {
		explain_refusal(err);
		perf_close(&perf->recorder);
		return NULL;
	}
	if (open_rings(perf, err) < 0 || perf_events_start(&perf->events, err) < 0) {
		perf_close(&perf->recorder);
		return NULL;
	}
	if (perf->events.per_cpu)
		perf->ours = alloc_zeroed((1u << PID_BITS) / 8, 1);
	set_ours(perf, target->pid, true);
	set_facts(perf);
	return &perf->recorder;
}

static void look_at_rings(struct recorder_perf *perf)
{
	uint64_t now = clock_now_ns();

	ring_merge_look(&perf->merge, perf->is_draining ? UINT64_MAX : now - WRITING_NS);
}

/* A thread that nobody waits for has lost its ids when it is switched out for the last time. */
static void name_dead_thread(struct perf_cpu *cpu, struct event *event)
{
	if (event->kind == EVENT_SWITCH_IN) {
		cpu->pid = event->pid;
		cpu->tid = event->tid;
	} else if (event->kind == EVENT_SWITCH_OUT && event->tid == UINT32_MAX) {
		event->pid = cpu->pid;
		event->tid = cpu->tid;
	}
}

/* Per-CPU events see every process: keep the program's and its descendants'. */
static bool is_wanted(struct recorder_perf *perf, const struct event *event)
{
	switch (event->kind) {
	case EVENT_LOST:
	case EVENT_THROTTLE:
		return true;
	case EVENT_FORK: /* of someone else it takes a pid away that once was the program's */
		if (event->pid == event->tid)
			set_ours(perf, event->pid, pid_is_ours(perf, event->fork.parent_pid));
		return pid_is_ours(perf, event->pid);
	default:
		return pid_is_ours(perf, event->pid);
	}
}

static bool next_record(struct recorder_perf *perf, struct event *event)
{
	const struct perf_event_header *record;
	size_t ring;

	record = ring_merge_next(&perf->merge, &ring);
	if (!record)
		return false;
	*event = (struct event){0};
	if (record->type == PERF_RECORD_SAMPLE && !pid_is_ours(perf, perf_record_pid(record)))
		return true;
	if (ring % 2 && record->type != PERF_RECORD_SAMPLE)
		return true; /* what a switch ring lost is statistics: see perf_events.h */
	if (!perf_record_decode(record, ring % 2, event)) {
		event->kind = EVENT_NONE;
		return true;
	}
	name_dead_thread(&perf->events.cpus.items[ring / 2], event);
	if (!is_wanted(perf, event))
		event->kind = EVENT_NONE;
	return true;
}

static int perf_next(struct recorder *recorder, struct event *event, struct error *err)
{
	struct recorder_perf *perf = (struct recorder_perf *)recorder;
	bool looked = false;

	(void)err;
	for (;;) {
		if (next_record(perf, event)) {
			if (event->kind != EVENT_NONE)
				return 1;
		} else if (looked) {
			return 0;
		} else {
			look_at_rings(perf);
			looked = true;
		}
	}
}

static void perf_wait(struct recorder *recorder, int fd, int timeout_ms)
{
	struct recorder_perf *perf = (struct recorder_perf *)recorder;
	size_t count = perf->ring_count;

	perf->polled[count] = (struct pollfd){.fd = fd, .events = POLLIN};
	poll(perf->polled, count + 1, timeout_ms);
	/* A ring whose threads have all ended reports POLLHUP at once for ever: stop asking it. */
	for (size_t i = 0; i < count; i++)
		if (perf->polled[i].revents & (POLLHUP | POLLERR))
			perf->polled[i].fd = -1;
}

static void perf_drain(struct recorder *recorder)
{
	((struct recorder_perf *)recorder)->is_draining = true;
}

static void perf_set_deep(struct recorder *recorder, bool samples, bool switches)
{
	perf_events_set_deep(&((struct recorder_perf *)recorder)->events, samples, switches);
}

const struct recorder_backend recorder_perf = {
	.name = "perf",
	.summary = "the kernel's perf events",
	.usable = perf_usable,
	.open = perf_open,
	.next = perf_next,
	.wait = perf_wait,
	.drain = perf_drain,
	.set_deep = perf_set_deep,
	.close = perf_close,
};
