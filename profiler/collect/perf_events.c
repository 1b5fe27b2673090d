#include "collect/perf_events.h"

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

/* A machine of so many CPUs or fewer may take events per CPU for a single program's sake. */
#define PER_CPU_MAX 64

/* One rung of the ladder from the best event to the one that is always there. */
struct rung {
	const char *event;
	uint32_t type;
	uint64_t config;
	bool user_only;
	bool per_cpu;
};

static const struct rung rungs[] = {
	{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false, false},
	{"cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false, true},
	{"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, false, false},
	{"cycles, user only", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, true, false},
	{"task-clock, user only", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, true, false},
};

static int open_event(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	return syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static struct perf_event_attr base_attr(const struct rung *rung)
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
		.enable_on_exec = !rung->per_cpu,
		.disabled = 1,
	};
}

static struct perf_event_attr track_attr(const struct rung *rung)
{
	struct perf_event_attr attr = base_attr(rung);

	attr.mmap = attr.mmap2 = attr.build_id = 1;
	attr.comm = attr.comm_exec = 1;
	attr.task = 1;
	attr.context_switch = 1;
	return attr;
}

static struct perf_event_attr clock_attr(const struct rung *rung, uint64_t rate_hz)
{
	struct perf_event_attr attr = base_attr(rung);

	attr.type = rung->type;
	attr.config = rung->config;
	attr.freq = 1;
	attr.sample_freq = rate_hz;
	attr.exclude_idle = rung->per_cpu;
	return attr;
}

static struct perf_event_attr switch_attr(const struct rung *rung)
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

static int open_cpu(struct perf_events *events, struct perf_cpu *cpu, const struct rung *rung,
	pid_t pid, uint64_t rate_hz)
{
	struct perf_event_attr attr[PERF_ROLE_COUNT];
	int last = rung->user_only ? PERF_CLOCK_DEEP : PERF_SWITCH_DEEP;

	attr[PERF_TRACK] = track_attr(rung);
	attr[PERF_CLOCK] = attr[PERF_CLOCK_DEEP] = clock_attr(rung, rate_hz);
	attr[PERF_SWITCH] = attr[PERF_SWITCH_DEEP] = switch_attr(rung);
	attr[PERF_CLOCK_DEEP].sample_stack_user = STACK_BYTES_DEEP;
	attr[PERF_SWITCH_DEEP].sample_stack_user = STACK_BYTES_DEEP;
	attr[PERF_CLOCK_DEEP].enable_on_exec = attr[PERF_SWITCH_DEEP].enable_on_exec = 0;
	for (int role = PERF_TRACK; role <= last; role++) {
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

static int open_rung(
	struct perf_events *events, const struct rung *rung, pid_t pid, uint64_t rate_hz)
{
	events->per_cpu = rung->per_cpu;
	if (rung->per_cpu && events->cpus.count > PER_CPU_MAX) {
		errno = E2BIG;
		return -1;
	}
	for (size_t i = 0; i < events->cpus.count; i++) {
		int cause;

		if (open_cpu(events, &events->cpus.items[i], rung, pid, rate_hz) == 0)
			continue;
		cause = errno;
		for (size_t j = 0; j <= i; j++)
			close_cpu(&events->cpus.items[j]);
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
static void note_reason(struct perf_events *events, const struct rung *rung, int cause)
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

int perf_events_open(struct perf_events *events, pid_t pid, uint64_t rate_hz, struct error *err)
{
	int cause = 0;

	*events = (struct perf_events){0};
	if (read_cpus(events, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++) {
		if (open_rung(events, &rungs[i], pid, rate_hz) == 0)
			return 0;
		cause = errno;
		note_reason(events, &rungs[i], cause);
	}
	perf_events_close(events);
	errno = cause;
	return error_set_errno(err, "cannot open perf events");
}

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

/* An event may only be directed to a ring that exists already. */
static int start_cpu(const struct perf_events *events, const struct perf_cpu *cpu)
{
	for (int role = 0; role < PERF_ROLE_COUNT; role++) {
		int fd = cpu->fd[role], ring = roles[role].ring;

		if (fd < 0)
			continue;
		if (role != ring && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, cpu->fd[ring]) < 0)
			return -1;
		if (events->per_cpu && roles[role].is_first &&
			ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
			return -1;
	}
	return 0;
}

int perf_events_start(struct perf_events *events, struct error *err)
{
	for (size_t i = 0; i < events->cpus.count; i++)
		if (start_cpu(events, &events->cpus.items[i]) < 0)
			return error_set_errno(err, "cannot start the events of CPU %d",
				events->cpus.items[i].cpu);
	return 0;
}

static void exchange(struct perf_events *events, enum perf_role on, enum perf_role off)
{
	for (size_t i = 0; i < events->cpus.count; i++) {
		const struct perf_cpu *cpu = &events->cpus.items[i];

		if (cpu->fd[on] < 0)
			continue;
		ioctl(cpu->fd[on], PERF_EVENT_IOC_ENABLE, 0);
		ioctl(cpu->fd[off], PERF_EVENT_IOC_DISABLE, 0);
	}
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
	for (size_t i = 0; i < events->cpus.count; i++)
		close_cpu(&events->cpus.items[i]);
	array_release(&events->cpus);
}
