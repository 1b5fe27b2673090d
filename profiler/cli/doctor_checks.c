#include "cli/doctor.h"
#include "collect/machine.h"
#include "collect/perf_events.h"
#include "collect/recorder.h"
#include "collect/tracee.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACHINE_HAS_NO_SUCH(cause) \
	((cause) == ENOENT || (cause) == EOPNOTSUPP || (cause) == ENODEV || (cause) == ENXIO)

#define RING_BYTES_ENOUGH (1u << 20)

static void find(struct finding *finding, enum doctor_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void find(struct finding *finding, enum doctor_state state, const char *format, ...)
{
	va_list args;

	finding->state = state;
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

static void remedy(struct finding *finding, const char *command)
{
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", command);
}

void doctor_init(struct doctor *doctor)
{
	*doctor = (struct doctor){.best_rung = -1};
	doctor->has_setting = machine_setting("kernel/perf_event_paranoid", &doctor->paranoid);
	for (size_t i = 0; i < perf_rung_count && doctor->best_rung < 0; i++) {
		int cause = perf_rung_try(&perf_rungs[i]);

		if (cause == 0)
			doctor->best_rung = (int)i;
		else
			doctor->cause = cause;
	}
}

static bool sees_kernel(const struct doctor *doctor)
{
	return doctor->best_rung >= 0 && !perf_rungs[doctor->best_rung].user_only;
}

/* What a larger or smaller setting would change when the caller may not do something. */
static void suggest_paranoid(const struct doctor *doctor, struct finding *finding, long wanted)
{
	if (doctor->has_setting && doctor->paranoid > wanted)
		snprintf(finding->remedy, sizeof(finding->remedy),
			"sudo sysctl kernel.perf_event_paranoid=%ld", wanted);
	else if (geteuid() != 0)
		remedy(finding, "sudo cprof ...");
	else if (machine_is_container() || !machine_has_capability(CAP_SYS_ADMIN))
		remedy(finding, "start the container with --cap-add=PERFMON and a seccomp profile "
				"that allows perf_event_open");
}

static void check_perf_events(const struct doctor *doctor, struct finding *finding)
{
	if (doctor->best_rung >= 0) {
		find(finding, sees_kernel(doctor) ? DOCTOR_YES : DOCTOR_LIMITED,
			"the best event here is %s: %s", perf_rungs[doctor->best_rung].event,
			perf_rungs[doctor->best_rung].merit);
		if (!sees_kernel(doctor))
			suggest_paranoid(doctor, finding, 1);
	} else if (!doctor->has_setting) {
		find(finding, DOCTOR_NO, "this kernel was built without them");
	} else {
		find(finding, DOCTOR_NO,
			"the kernel refuses them: %s; "
			"kernel.perf_event_paranoid is %ld%s",
			strerror(doctor->cause), doctor->paranoid,
			machine_seccomp_mode() > 0 ? ", and a seccomp filter is "
						     "in force, as in containers"
						   : "");
		suggest_paranoid(doctor, finding, 1);
	}
}

/* One rung of the ladder. */
static void check_rung(const struct doctor *doctor, struct finding *finding, const char *event)
{
	size_t i = 0;
	int cause;

	while (strcmp(perf_rungs[i].event, event) != 0)
		i++;
	cause = perf_rung_try(&perf_rungs[i]);
	if (cause == 0)
		find(finding, DOCTOR_YES, "it can be opened%s",
			(int)i == doctor->best_rung ? ", and is what a recording takes" : "");
	else if (MACHINE_HAS_NO_SUCH(cause) && perf_rungs[i].type == PERF_TYPE_HARDWARE)
		find(finding, DOCTOR_NO,
			"this machine does not count cycles, as most virtual "
			"ones; the next event does");
	else if (cause == E2BIG)
		find(finding, DOCTOR_NO, "too many CPUs to watch all for one program");
	else {
		find(finding, DOCTOR_NO, "%s", strerror(cause));
		suggest_paranoid(doctor, finding,
			perf_rungs[i].per_cpu	  ? 0
			: perf_rungs[i].user_only ? 2
						  : 1);
	}
}

static void check_cycles(const struct doctor *doctor, struct finding *finding)
{
	check_rung(doctor, finding, "cycles");
}

static void check_cpu_clock(const struct doctor *doctor, struct finding *finding)
{
	check_rung(doctor, finding, "cpu-clock");
}

static void check_task_clock(const struct doctor *doctor, struct finding *finding)
{
	check_rung(doctor, finding, "task-clock");
}

static void check_user_only(const struct doctor *doctor, struct finding *finding)
{
	check_rung(doctor, finding, "task-clock, user only");
}

static void check_kernel_frames(const struct doctor *doctor, struct finding *finding)
{
	if (sees_kernel(doctor)) {
		find(finding, DOCTOR_YES, "%s", "");
		return;
	}
	find(finding, DOCTOR_NO, "only the program's own code is seen%s",
		doctor->best_rung < 0 ? ", by ptrace" : "");
	suggest_paranoid(doctor, finding, 1);
}

static void check_kernel_names(const struct doctor *doctor, struct finding *finding)
{
	(void)doctor;
	if (machine_shows_kernel_symbols()) {
		find(finding, DOCTOR_YES, "%s", "");
		return;
	}
	find(finding, DOCTOR_NO, "the kernel hides where its functions are (kernel.kptr_restrict)");
	remedy(finding, geteuid() == 0 ? "sysctl kernel.kptr_restrict=0"
				       : "sudo sysctl kernel.kptr_restrict=0 "
					 "kernel.perf_event_paranoid=1");
}

static void check_switch_stacks(const struct doctor *doctor, struct finding *finding)
{
	if (sees_kernel(doctor)) {
		find(finding, DOCTOR_YES, "%s", "");
		return;
	}
	find(finding, DOCTOR_LIMITED,
		"only of waits longer than 5 ms; shorter ones go to the nearest sample");
	suggest_paranoid(doctor, finding, 1);
}

static void check_rate(const struct doctor *doctor, struct finding *finding)
{
	long most, percent;

	(void)doctor;
	if (!machine_setting("kernel/perf_event_max_sample_rate", &most)) {
		find(finding, DOCTOR_NO, "this kernel has no perf events");
		return;
	}
	if (!machine_setting("kernel/perf_cpu_time_max_percent", &percent))
		percent = 0;
	find(finding, most >= 1000 ? DOCTOR_YES : DOCTOR_LIMITED, "up to -F %ld%s", most,
		percent > 0 && percent < 100 ? "; the kernel lowers it by itself when samples take "
					       "too much of its time"
					     : "");
	if (most < 1000)
		remedy(finding, "sudo sysctl kernel.perf_event_max_sample_rate=100000");
}

/* A program that never begins, for a recorder to be opened for. */
static struct recorder *open_recorder(
	const struct recorder_backend *backend, struct tracee *tracee, struct error *err)
{
	static char program[] = "true";
	static char *const argv[] = {program, NULL};
	const struct record_options options = {.backend = backend->name, .rate_hz = 100};

	if (tracee_prepare(tracee, argv, err) < 0)
		return NULL;
	return recorder_open(&options, &tracee->target, err);
}

static bool try_backend(
	const struct recorder_backend *backend, struct recorder_facts *facts, struct error *err)
{
	struct tracee tracee = {.target.pid_fd = -1, .start_fd = -1, .failure_fd = -1};
	struct recorder *recorder = open_recorder(backend, &tracee, err);

	if (recorder)
		*facts = recorder->facts;
	recorder_close(recorder);
	tracee_release(&tracee);
	return recorder;
}

bool doctor_can_record(char *text, size_t size)
{
	struct error err = {0};
	struct recorder_facts facts;

	for (size_t i = 0; recorder_backends[i]; i++) {
		struct error why_not = {0};

		if (try_backend(recorder_backends[i], &facts, &why_not)) {
			snprintf(text, size, "by %s: %s", recorder_backends[i]->summary,
				facts.event);
			return true;
		}
		if (!err.text[0])
			err = why_not;
	}
	snprintf(text, size, "%s", err.text);
	return false;
}

static void check_rings(const struct doctor *doctor, struct finding *finding)
{
	struct recorder_facts facts = {0};
	struct error err = {0};

	(void)doctor;
	for (size_t i = 0; recorder_backends[i] && !facts.ring_bytes; i++)
		if (strcmp(recorder_backends[i]->name, "perf") == 0 &&
			!try_backend(recorder_backends[i], &facts, &err)) {
			find(finding, DOCTOR_NO, "no perf events, no buffers");
			return;
		}
	find(finding, facts.ring_bytes >= RING_BYTES_ENOUGH ? DOCTOR_YES : DOCTOR_LIMITED,
		"%llu KiB for each CPU%s", (unsigned long long)facts.ring_bytes / 1024,
		facts.ring_bytes >= RING_BYTES_ENOUGH
			? ""
			: "; a busy machine may lose samples below 1024 KiB");
	if (facts.ring_bytes < RING_BYTES_ENOUGH)
		remedy(finding, "sudo sysctl kernel.perf_event_mlock_kb=16384");
}

static void check_ptrace(const struct doctor *doctor, struct finding *finding)
{
	int cause = machine_try_ptrace();
	long scope;

	(void)doctor;
	if (!machine_setting("kernel/yama/ptrace_scope", &scope))
		scope = 0;
	if (cause) {
		find(finding, DOCTOR_NO, "%s%s", strerror(cause),
			scope > 2 ? ": kernel.yama.ptrace_scope is 3, until the next boot"
			: machine_seccomp_mode() > 0 ? ": a seccomp filter is in force"
						     : "");
		remedy(finding, scope == 2 ? "sudo cprof ..."
					   : "start the container with --cap-add=SYS_PTRACE");
		return;
	}
	find(finding, DOCTOR_YES, "%s", "");
}

static void check_other_processes(const struct doctor *doctor, struct finding *finding)
{
	bool has_right = machine_has_capability(CAP_SYS_PTRACE);
	long scope;

	if (!machine_setting("kernel/yama/ptrace_scope", &scope))
		scope = 0;
	if (doctor->best_rung < 0 && scope > 0 && !has_right) {
		find(finding, DOCTOR_NO, "kernel.yama.ptrace_scope is %ld", scope);
		remedy(finding, "sudo sysctl kernel.yama.ptrace_scope=0");
	} else if (!has_right) {
		find(finding, DOCTOR_LIMITED, "only the processes of this user%s",
			scope > 0 ? ", without the stacks of long waits "
				    "(kernel.yama.ptrace_scope)"
				  : "");
		remedy(finding, geteuid() == 0 ? "start the container with --cap-add=SYS_PTRACE"
					       : "sudo cprof attach PID");
	} else {
		find(finding, DOCTOR_YES, "those of all users");
	}
}

static void check_memory(const struct doctor *doctor, struct finding *finding)
{
	int cause = machine_try_remote_memory();

	(void)doctor;
	find(finding, cause ? DOCTOR_NO : DOCTOR_YES, "%s", cause ? strerror(cause) : "");
	if (cause)
		remedy(finding, "start the container with --cap-add=SYS_PTRACE");
}

static void check_seccomp(const struct doctor *doctor, struct finding *finding)
{
	int mode = machine_seccomp_mode();

	(void)doctor;
	if (mode <= 0) {
		find(finding, DOCTOR_YES, "no seccomp filter is in force");
		return;
	}
	find(finding, DOCTOR_LIMITED, "a seccomp filter is in force%s: what it refuses is above",
		machine_is_container() ? ", as this is a container" : "");
	remedy(finding, "start the container with --security-opt seccomp=unconfined");
}

static void check_debuginfod(const struct doctor *doctor, struct finding *finding)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	(void)doctor;
	if (urls && *urls) {
		find(finding, DOCTOR_YES, "from %s", urls);
		return;
	}
	find(finding, DOCTOR_NO, "DEBUGINFOD_URLS is not set; it was not tried to reach any");
	remedy(finding, "export DEBUGINFOD_URLS=https://debuginfod.debian.net");
}

const struct check doctor_checks[] = {
	{"perf events", "recording at little cost", check_perf_events},
	{"  cycles", "samples by the processor's own clock", check_cycles},
	{"  cpu-clock", "samples of threads that live shortly, too", check_cpu_clock},
	{"  task-clock", "samples where the two above are not to be had", check_task_clock},
	{"  user only", "samples where the kernel is not to be seen", check_user_only},
	{"kernel frames", "which part of the kernel a program spends its time in",
		check_kernel_frames},
	{"kernel names", "the names of the kernel's functions", check_kernel_names},
	{"stacks of waits", "where a program waits", check_switch_stacks},
	{"sampling rate", "how fine the picture is", check_rate},
	{"ring buffers", "how much may wait to be read before samples are lost", check_rings},
	{"ptrace", "recording where perf events are refused", check_ptrace},
	{"other processes", "cprof attach", check_other_processes},
	{"process memory", "deep stacks and long waits", check_memory},
	{"system calls", "all of the above, in containers", check_seccomp},
	{"debuginfod", "names and source lines of programs without debug information",
		check_debuginfod},
};
const size_t doctor_check_count = sizeof(doctor_checks) / sizeof(doctor_checks[0]);
