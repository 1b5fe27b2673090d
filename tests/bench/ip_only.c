/*
 * ip_only RATE PROGRAM [ARG...]: runs PROGRAM under the event that cprof uses, sampling nothing but
 * the instruction pointer, and throws the samples away. What this costs the program is the floor of
 * every sampling profiler: the interrupt itself. Prints the event's name and the number of samples
 * on stderr.
 */
#include "collect/ring.h"
#include "collect/tracee.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUS_MAX 64
#define RING	 (1u << 20)

struct choice {
	const char *name;
	uint32_t type;
	uint64_t config;
	bool per_cpu;
};

static const struct choice choices[] = {
	{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false},
	{"cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true},
	{"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, false},
};

static int open_cpu(const struct choice *choice, pid_t pid, int cpu, uint64_t rate)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
		.type = choice->type,
		.config = choice->config,
		.sample_type = PERF_SAMPLE_IP,
		.freq = 1,
		.sample_freq = rate,
		.exclude_idle = choice->per_cpu,
		.inherit = !choice->per_cpu,
		.disabled = !choice->per_cpu,
		.enable_on_exec = !choice->per_cpu,
		.watermark = 1,
		.wakeup_watermark = RING / 2};

	return syscall(SYS_perf_event_open, &attr, choice->per_cpu ? -1 : pid, cpu, -1,
		PERF_FLAG_FD_CLOEXEC);
}

static bool open_all(
	const struct choice *choice, pid_t pid, uint64_t rate, struct ring *rings, long count)
{
	struct error err;

	for (long cpu = 0; cpu < count; cpu++) {
		int fd = open_cpu(choice, pid, cpu, rate);

		if (fd < 0 || ring_open(&rings[cpu], fd, RING, &err) < 0)
			return false;
	}
	return true;
}

static unsigned long drop_samples(struct ring *ring)
{
	const struct perf_event_header *record;
	unsigned long count = 0;

	ring_look(ring);
	while ((record = ring_peek(ring))) {
		count += record->type == PERF_RECORD_SAMPLE;
		ring_skip(ring, record);
	}
	return count;
}

int main(int argc, char **argv)
{
	static struct ring rings[CPUS_MAX];
	struct pollfd polled[CPUS_MAX + 1];
	struct tracee tracee;
	struct tracee_end end;
	struct error err;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long samples = 0;
	size_t choice = 0;
	int cause;

	if (argc < 3 || cpus > CPUS_MAX)
		return 2;
	if (tracee_prepare(&tracee, argv + 2, &err) < 0)
		return 1;
	while (!open_all(&choices[choice], tracee.target.pid, strtoul(argv[1], NULL, 10), rings, cpus))
		if (++choice == sizeof(choices) / sizeof(choices[0])) {
			fprintf(stderr, "ip_only: no perf event may be opened\n");
			return 1;
		}
	if (tracee_start(&tracee, &cause, &err) < 0)
		return 1;
	while (!tracee_has_ended(&tracee, false, &end)) {
		for (long i = 0; i < cpus; i++)
			polled[i] = (struct pollfd){.fd = rings[i].fd, .events = POLLIN};
		polled[cpus] = (struct pollfd){.fd = tracee.target.pid_fd, .events = POLLIN};
		poll(polled, cpus + 1, 100);
		for (long i = 0; i < cpus; i++)
			samples += drop_samples(&rings[i]);
	}
	fprintf(stderr, "%s %lu\n", choices[choice].name, samples);
	return tracee_exit_status(&end);
}
