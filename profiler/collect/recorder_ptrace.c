/*
 * recorder_ptrace: events from ptrace(2) and /proc, where perf events are forbidden. Every thread
 * that runs is stopped for a moment at each tick; see tracer.h.
 */
#include "base/alloc.h"
#include "collect/descriptors.h"
#include "collect/machine.h"
#include "collect/recorder.h"
#include "collect/tracer.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <unistd.h>

struct recorder_ptrace {
	struct recorder recorder; /* first */
	struct event_queue queue;
	struct tracer *tracer;
};

static int read_yama_scope(void)
{
	long scope;

	return machine_setting("kernel/yama/ptrace_scope", &scope) ? (int)scope : 0;
}

static int explain_refusal(struct error *err, int cause)
{
	int scope = read_yama_scope();

	if (scope >= 2)
		return error_set(err,
			"not allowed to trace: kernel.yama.ptrace_scope is %d: %s, or record with "
			"perf events after `sudo sysctl kernel.perf_event_paranoid=1`",
			scope,
			scope == 2 ? "record as root with `sudo cprof run ...`"
				   : "it can be lowered only by a restart of the machine");
	errno = cause;
	return error_set_errno(err,
		"not allowed to trace (a container may forbid it, and a program that cprof itself "
		"runs under): record outside of it, or with perf events after `sudo sysctl "
		"kernel.perf_event_paranoid=1`");
}

static bool ptrace_usable(struct error *why_not)
{
	int cause;

	if (access("/proc/self/syscall", R_OK) < 0 || access("/proc/self/schedstat", R_OK) < 0) {
		error_set_errno(why_not, "cannot see what threads do: /proc lacks `syscall` or "
					 "`schedstat`");
		return false;
	}
	cause = machine_try_ptrace();
	if (cause)
		explain_refusal(why_not, cause);
	return cause == 0;
}

static void ptrace_close(struct recorder *recorder)
{
	struct recorder_ptrace *self = (struct recorder_ptrace *)recorder;

	if (!self)
		return;
	if (self->tracer)
		tracer_stop(self->tracer);
	tracer_free(self->tracer);
	event_queue_release(&self->queue);
	free(self);
}

extern const struct recorder_backend recorder_ptrace;

/* Yama's scope 1 lets a process trace its descendants only. */
static bool refuses_others(const struct target *target, struct error *err)
{
	if (!target->is_attached || read_yama_scope() == 0 ||
		machine_has_capability(CAP_SYS_PTRACE))
		return false;
	error_set(err,
		"not allowed to trace process %d: kernel.yama.ptrace_scope is %d: record as root "
		"with "
		"`sudo cprof attach %d`, or allow it with `sudo sysctl kernel.yama.ptrace_scope=0`",
		(int)target->pid, read_yama_scope(), (int)target->pid);
	return true;
}

static struct recorder *ptrace_open(
	const struct record_options *options, const struct target *target, struct error *err)
{
	struct recorder_ptrace *self;

	if (refuses_others(target, err))
		return NULL;
	self = alloc_zeroed(1, sizeof(*self));
	self->recorder.backend = &recorder_ptrace;
	self->recorder.facts = (struct recorder_facts){.event = "stops",
		.has_switches = true,
		.has_switch_stacks = true,
		.has_ticks = true};
	descriptors_raise_limit();
	if (event_queue_init(&self->queue, err) == 0)
		self->tracer = tracer_start(options, target, &self->queue, err);
	if (self->tracer)
		return &self->recorder;
	ptrace_close(&self->recorder);
	return NULL;
}

static void read_figures(struct recorder_ptrace *self)
{
	struct recorder_facts *facts = &self->recorder.facts;
	struct tracer_figures figures = tracer_figures(self->tracer);

	facts->stops = figures.stops;
	facts->stopped_ns = figures.stopped_ns;
	facts->cost_ppm = figures.cost_ppm;
	facts->look_rate_hz =
		figures.looked_ns ? (double)figures.looks * 1e9 / (double)figures.looked_ns : 0;
}

static int ptrace_next(struct recorder *recorder, struct event *event, struct error *err)
{
	struct recorder_ptrace *self = (struct recorder_ptrace *)recorder;

	(void)err;
	if (event_queue_take(&self->queue, event))
		return 1;
	read_figures(self);
	return 0;
}

static void ptrace_wait(struct recorder *recorder, int fd, int timeout_ms)
{
	event_queue_wait(&((struct recorder_ptrace *)recorder)->queue, fd, timeout_ms);
}

static void ptrace_drain(struct recorder *recorder)
{
	tracer_stop(((struct recorder_ptrace *)recorder)->tracer);
}

static void ptrace_set_deep(struct recorder *recorder, bool samples, bool switches)
{
	(void)switches; /* of those who wait, all of the stack is read */
	if (samples)
		tracer_copy_more(((struct recorder_ptrace *)recorder)->tracer);
}

static void ptrace_suspect_maps(struct recorder *recorder, uint32_t pid)
{
	tracer_suspect_maps(((struct recorder_ptrace *)recorder)->tracer, pid);
}

const struct recorder_backend recorder_ptrace = {
	.name = "ptrace",
	.summary = "stops of the program's threads, where perf events are forbidden",
	.usable = ptrace_usable,
	.open = ptrace_open,
	.next = ptrace_next,
	.wait = ptrace_wait,
	.drain = ptrace_drain,
	.set_deep = ptrace_set_deep,
	.suspect_maps = ptrace_suspect_maps,
	.close = ptrace_close,
};
