#include "collect/perf_events.h"

#include "collect/proc_tasks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Copies of the stack. A record's size has 16 bits, and the deep copy leaves room for the rest of
 * it. */
#define STACK_BYTES	 16384
#define STACK_BYTES_DEEP 63488

#define SWITCH_STACKS_HZ 499
#define CHAIN_MAX	 64

/*
 * Events per CPU see all programs, and each sample of another one costs that one the interrupt and
 * the copy of its stack (3 to 50 us), and the recorder a look at it. The more CPUs a machine has,
 * the more likely most of them do something else than the program that is recorded: from so many on
 * events are the program's own, which cost it something at each context switch instead.
 */
#define PER_CPU_MAX 64

const struct perf_rung perf_rungs[] = {
	{"cycles", "samples by the processor's own clock, at the smallest cost", PERF_TYPE_HARDWARE,
		PERF_COUNT_HW_CPU_CYCLES, false, false},
	{"cpu-clock", "samples of the shortest threads too, by a timer on each CPU",
		PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false, true},
	{"task-clock", "samples by a timer that goes with each thread", PERF_TYPE_SOFTWARE,
		PERF_COUNT_SW_TASK_CLOCK, false, false},
	{"cycles, user only", "samples by the processor's own clock, without the kernel's part", PERF_TYPE_HARDWARE,
		PERF_COUNT_HW_CPU_CYCLES, true, false},
	{"task-clock, user only", "samples by a timer that goes with each thread, without the kernel's part",
		PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, true, false},
};
const size_t perf_rung_count = sizeof(perf_rungs) / sizeof(perf_rungs[0]);

/* The event whose ring a role writes to, and whether it is on from the beginning. */
static const struct {
	enum perf_role ring;
	bool is_first;
} roles[PERF_ROLE_COUNT] = {
	[PERF_TRACK] = {PERF_TRACK, true},
	[PERF_CLOCK] = {PERF_TRACK, true},
	[PERF_CLOCK_DEEP] = {PERF_TRACK, false},
	[PERF_SWITCH] = {PERF_SWITCH, true},
	[PERF_SWITCH_DEEP] = {PERF_SWITCH, false},
};

static int open_event(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	return syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static struct perf_event_attr base_attr(const struct perf_rung *rung)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TYPE,
		.sample_regs_user = PERF_REGISTER_MASK,
		.sample_stack_user = STACK_BYTES,
		.sample_max_stack = CHAIN_MAX,
		.exclude_callchain_user = 1,
		.exclude_callchain_kernel = rung->user_only,
		.exclude_kernel = rung->user_only,
		.exclude_hv = rung->user_only,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1, /* with wakeup_watermark 0: when half of the ring is full */
		.inherit = !rung->per_cpu,
		.disabled = 1,
	};
}

static struct perf_event_attr track_attr(const struct perf_rung *rung)
{
	struct perf_event_attr attr = base_attr(rung);

	attr.mmap = attr.mmap2 = attr.build_id = 1;
	attr.comm = attr.comm_exec = 1;
	attr.task = 1;
	attr.context_switch = 1;
	return attr;
}

static struct perf_event_attr clock_attr(const struct perf_rung *rung, uint64_t rate_hz)
{
	struct perf_event_attr attr = base_attr(rung);

	attr.type = rung->type;
	attr.config = rung->config;
	attr.freq = 1;
	attr.sample_freq = rate_hz;
	attr.exclude_idle = rung->per_cpu;
	return attr;
}

static struct perf_event_attr switch_attr(const struct perf_rung *rung)
{
	struct perf_event_attr attr = base_attr(rung);

	attr.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
	attr.freq = 1;
	attr.sample_freq = SWITCH_STACKS_HZ;
	return attr;
}

/* Opens one role on one CPU; -1 with errno. Kernels before 5.12 give no build-ids in mappings. */
static int open_role(struct perf_cpu *cpu, enum perf_role role, struct perf_event_attr attr,
	pid_t pid, bool per_cpu)
{
	pid_t whom = per_cpu ? -1 : pid;
	int fd;

	fd = open_event(&attr, whom, cpu->cpu);
	if (fd < 0 && errno == EINVAL && attr.build_id) {
		attr.build_id = 0;
		fd = open_event(&attr, whom, cpu->cpu);
	}
	if (fd < 0)
		return -1;
	cpu->fd[role] = fd;
	return 0;
}

static enum perf_role last_role(const struct perf_rung *rung)
{
	return rung->user_only ? PERF_CLOCK_DEEP : PERF_SWITCH_DEEP;
}

/* Opens the roles up to `last` on one CPU, of one thread or of all. */
static int open_cpu(struct perf_events *events, struct perf_cpu *cpu, const struct perf_rung *rung,
	pid_t pid, enum perf_role last)
{
	struct perf_event_attr attr[PERF_ROLE_COUNT];

	attr[PERF_TRACK] = track_attr(rung);
	attr[PERF_CLOCK] = attr[PERF_CLOCK_DEEP] = clock_attr(rung, events->rate_hz);
	attr[PERF_SWITCH] = attr[PERF_SWITCH_DEEP] = switch_attr(rung);
	attr[PERF_CLOCK_DEEP].sample_stack_user = STACK_BYTES_DEEP;
	attr[PERF_SWITCH_DEEP].sample_stack_user = STACK_BYTES_DEEP;
	for (int role = PERF_TRACK; role <= (int)last; role++) {
		attr[role].enable_on_exec = events->on_exec && roles[role].is_first;
		if (open_role(cpu, role, attr[role], pid, events->per_cpu) < 0)
			return -1;
	}
	return 0;
}

static void close_cpu(struct perf_cpu *cpu)
{
	for (int role = 0; role < PERF_ROLE_COUNT; role++) {
		if (cpu->fd[role] >= 0)
			close(cpu->fd[role]);
		cpu->fd[role] = -1;
	}
}

static int open_cpus(struct perf_events *events, const struct perf_rung *rung, pid_t pid)
{
	for (size_t i = 0; i < events->cpus.count; i++)
		if (open_cpu(events, &events->cpus.items[i], rung, pid, last_role(rung)) < 0)
			return -1;
	return 0;
}

/* --- an attached process, thread by thread ---------------------------------------------------- */

/* A process that never stops making threads: those that are missed then are not old. */
#define PASSES_MAX 16

struct attachment {
	struct perf_events *events;
	const struct perf_rung *rung;
	const struct target *target;
	uint8_t *seen;	 /* bit per thread that was tried */
	bool found_more; /* in this pass */
	int cause;	 /* errno of what failed; 0 */
};

/* Events of our own that never count: they hold the rings. */
static int open_ring_owners(struct perf_events *events, const struct perf_rung *rung)
{
	struct perf_event_attr attr = base_attr(rung);

	attr.inherit = 0;
	for (size_t i = 0; i < events->cpus.count; i++) {
		struct perf_cpu *cpu = &events->cpus.items[i];

		if (open_role(cpu, PERF_TRACK, attr, 0, false) < 0 ||
			(!rung->user_only && open_role(cpu, PERF_SWITCH, attr, 0, false) < 0))
			return -1;
	}
	return 0;
}

/* Other threads than a wanted one are watched for the mappings they share with it. */
static int open_thread(const struct attachment *attachment, pid_t tid)
{
	struct perf_events *events = attachment->events;
	const struct target *target = attachment->target;
	bool is_wanted = !target->tid || target->tid == tid;

	for (size_t i = 0; i < events->cpus.count; i++) {
		struct perf_cpu *cpu = array_add(&events->of_threads);

		*cpu = (struct perf_cpu){
			.cpu = events->cpus.items[i].cpu, .fd = {-1, -1, -1, -1, -1}};
		if (open_cpu(events, cpu, attachment->rung, tid,
			    is_wanted ? last_role(attachment->rung) : PERF_TRACK) < 0)
			return -1;
	}
	return 0;
}

static void forget_thread(struct perf_events *events, size_t first)
{
	while (events->of_threads.count > first)
		close_cpu(&events->of_threads.items[--events->of_threads.count]);
}

static void attach_thread(void *context, uint32_t tid)
{
	struct attachment *attachment = context;
	struct perf_events *events = attachment->events;
	size_t first = events->of_threads.count;
	uint8_t *seen = &attachment->seen[tid % (1u << PID_BITS) / 8], bit = 1 << tid % 8;

	if (*seen & bit || attachment->cause)
		return;
	*seen |= bit;
	attachment->found_more = true;
	if (open_thread(attachment, (pid_t)tid) == 0)
		return;
	if (errno != ESRCH) /* it has just ended */
		attachment->cause = errno;
	forget_thread(events, first);
}

/*
 * Until a look at the process finds no thread that is new. What begins while this goes on may be
 * seen twice, by the events that it inherits and by its own: it then counts twice as many samples,
 * but its times are right, since they come from its switches.
 */
static int open_attached(
	struct perf_events *events, const struct perf_rung *rung, const struct target *target)
{
	struct attachment attachment = {.events = events, .rung = rung, .target = target};

	if (open_ring_owners(events, rung) < 0)
		return -1;
	attachment.seen = alloc_zeroed(1u << PID_BITS >> 3, 1);
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		attachment.found_more = false;
		proc_tasks_each(target->pid, attach_thread, &attachment);
		if (!attachment.found_more)
			break;
	}
	free(attachment.seen);
	if (!attachment.cause && events->of_threads.count == 0)
		attachment.cause = ESRCH;
	errno = attachment.cause;
	return attachment.cause ? -1 : 0;
}

/* --- the ladder ------------------------------------------------------------------------------- */

static void close_all(struct perf_events *events)
{
	forget_thread(events, 0);
	for (size_t i = 0; i < events->cpus.count; i++)
		close_cpu(&events->cpus.items[i]);
}

static int try_rung(
	struct perf_events *events, const struct perf_rung *rung, const struct target *target)
{
	events->per_cpu = rung->per_cpu;
	events->on_exec = !rung->per_cpu && !target->is_attached;
	if (rung->per_cpu && events->cpus.count > PER_CPU_MAX) {
		errno = E2BIG;
		return -1;
	}
	return target->is_attached && !rung->per_cpu ? open_attached(events, rung, target)
						     : open_cpus(events, rung, target->pid);
}

static int open_rung(
	struct perf_events *events, const struct perf_rung *rung, const struct target *target)
{
	int cause;

	if (try_rung(events, rung, target) < 0) {
		cause = errno;
		close_all(events);
		errno = cause;
		return -1;
	}
	events->has_switch_stacks = !rung->user_only;
	snprintf(events->event, sizeof(events->event), "%s", rung->event);
	return 0;
}

/* Parses "0-3,8\n" as in /sys/devices/system/cpu/online. */
static int read_cpus(struct perf_events *events, struct error *err)
{
	const char *path = "/sys/devices/system/cpu/online";
	FILE *file = fopen(path, "re");
	int first, last;
	char separator = ',';

	if (!file)
		return error_set_errno(err, "cannot read %s", path);
	while (separator == ',' && fscanf(file, "%d", &first) == 1) {
		last = first;
		separator = '\n';
		if (fscanf(file, "%c", &separator) == 1 && separator == '-' &&
			fscanf(file, "%d%c", &last, &separator) < 1)
			break;
		for (int cpu = first; cpu <= last && cpu - first < 65536; cpu++)
			*array_add(&events->cpus) =
				(struct perf_cpu){.cpu = cpu, .fd = {-1, -1, -1, -1, -1}};
	}
	fclose(file);
	if (events->cpus.count == 0)
		return error_set(err, "%s names no CPU", path);
	return 0;
}

/* Why a rung could not be had, in the user's terms; each reason once. */
static void note_reason(struct perf_events *events, const struct perf_rung *rung, int cause)
{
	bool is_refused = cause == EACCES || cause == EPERM;
	const char *reason = is_refused ? "the kernel shows an ordinary user only its own code"
			     : rung->type == PERF_TYPE_HARDWARE ? "no hardware cycle counter here"
			     : cause == E2BIG			? "too many CPUs for events per CPU"
								: strerror(cause);
	size_t used = strlen(events->note);

	if (!strstr(events->note, reason))
		snprintf(events->note + used, sizeof(events->note) - used, "%s%s", used ? "; " : "",
			reason);
}

int perf_events_open(struct perf_events *events, const struct target *target, uint64_t rate_hz,
	struct error *err)
{
	int cause = 0;

	*events = (struct perf_events){.rate_hz = rate_hz};
	if (read_cpus(events, err) < 0)
		return -1;
	for (size_t i = 0; i < perf_rung_count; i++) {
		if (open_rung(events, &perf_rungs[i], target) == 0)
			return 0;
		cause = errno;
		note_reason(events, &perf_rungs[i], cause);
	}
	perf_events_close(events);
	errno = cause;
	return error_set_errno(err, "cannot open perf events");
}

int perf_rung_try(const struct perf_rung *rung)
{
	const struct target self = {.pid = getpid()};
	struct perf_events events = {.rate_hz = 1};
	int cause = 0;

	if (read_cpus(&events, NULL) < 0)
		return ENOENT;
	if (open_rung(&events, rung, &self) < 0)
		cause = errno;
	perf_events_close(&events);
	return cause;
}

/* An event may only be directed to a ring that exists already. */
static int start_cpu(
	const struct perf_events *events, const struct perf_cpu *cpu, const struct perf_cpu *owner)
{
	for (int role = 0; role < PERF_ROLE_COUNT; role++) {
		int fd = cpu->fd[role], ring_fd = owner->fd[roles[role].ring];

		if (fd < 0)
			continue;
		if (fd != ring_fd && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring_fd) < 0)
			return -1;
		if (!events->on_exec && roles[role].is_first &&
			ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
			return -1;
	}
	return 0;
}

static int start_all(const struct perf_events *events)
{
	size_t cpus = events->cpus.count;

	for (size_t i = 0; i < events->of_threads.count; i++)
		if (start_cpu(events, &events->of_threads.items[i], &events->cpus.items[i % cpus]) <
			0)
			return -1;
	/* Events that only hold the rings stay off. */
	for (size_t i = 0; events->of_threads.count == 0 && i < cpus; i++)
		if (start_cpu(events, &events->cpus.items[i], &events->cpus.items[i]) < 0)
			return -1;
	return 0;
}

int perf_events_start(struct perf_events *events, struct error *err)
{
	return start_all(events) < 0 ? error_set_errno(err, "cannot start perf events") : 0;
}

static void exchange_fds(const struct perf_cpu *cpu, enum perf_role on, enum perf_role off)
{
	if (cpu->fd[on] < 0)
		return;
	ioctl(cpu->fd[on], PERF_EVENT_IOC_ENABLE, 0);
	ioctl(cpu->fd[off], PERF_EVENT_IOC_DISABLE, 0);
}

static void exchange(struct perf_events *events, enum perf_role on, enum perf_role off)
{
	for (size_t i = 0; i < events->cpus.count; i++)
		exchange_fds(&events->cpus.items[i], on, off);
	for (size_t i = 0; i < events->of_threads.count; i++)
		exchange_fds(&events->of_threads.items[i], on, off);
}

void perf_events_set_deep(struct perf_events *events, bool clock_is_deep, bool switch_is_deep)
{
	if (events->clock_is_deep != clock_is_deep)
		exchange(events, clock_is_deep ? PERF_CLOCK_DEEP : PERF_CLOCK,
			clock_is_deep ? PERF_CLOCK : PERF_CLOCK_DEEP);
	if (events->switch_is_deep != switch_is_deep)
		exchange(events, switch_is_deep ? PERF_SWITCH_DEEP : PERF_SWITCH,
			switch_is_deep ? PERF_SWITCH : PERF_SWITCH_DEEP);
	events->clock_is_deep = clock_is_deep;
	events->switch_is_deep = switch_is_deep;
}

void perf_events_close(struct perf_events *events)
{
	close_all(events);
	array_release(&events->of_threads);
	array_release(&events->cpus);
}
