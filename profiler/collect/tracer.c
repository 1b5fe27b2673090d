#include "collect/tracer.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "collect/blocked.h"
#include "collect/interrupted_calls.h"
#include "collect/pacer.h"
#include "collect/proc_tasks.h"
#include "collect/remote_memory.h"
#include "collect/traced_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS \
	(PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC)

#define STACK_BYTES	 (16u << 10)
#define STACK_BYTES_DEEP (1u << 20)

#define CODE_SEGMENT_64 0x33

/* A thread that has waited for long is looked at less often: after this part of its wait again. */
#define WAIT_PART	 32
#define WAIT_LOOK_NS	 20000000u
#define WAIT_LOOK_NS_PER 50000u /* ... or, with many threads, so much for each of them */

#define NAMES_EVERY_NS 1000000000u
#define TIMER_SLACK_NS 1000

struct tracer {
	const struct record_options *options;
	const struct target *target;
	struct event_queue *queue;
	pthread_t thread;
	atomic_bool is_stopping;
	atomic_size_t stack_bytes;
	atomic_uint suspected_pid; /* 0: none */

	pthread_mutex_t lock; /* of what follows, up to the figures */
	pthread_cond_t started;
	bool has_started;
	int start_errno;
	struct tracer_figures figures;

	/* the thread's own */
	struct traced_threads threads;
	struct pacer pacer;
	uint8_t *stack; /* STACK_BYTES_DEEP, more than blocked.h needs */
	uint64_t tick_ns, next_tick_ns, interval_ns, names_ns;
	uint64_t stopped_ns, cpu_ns; /* since the last tick: threads held, CPU time of threads */
	int own_fd;		     /* the tracer's schedstat */
	uint64_t delay_ns;	     /* how long it has waited for CPUs */
	uint64_t woken_ns;	     /* when it has last begun to do something */
	uint64_t own_cpu_ns;	     /* as of the last tick */
	uint64_t stops;
};

_Static_assert(BLOCKED_STACK_BYTES <= STACK_BYTES_DEEP, "one buffer for both");

/* --- events ----------------------------------------------------------------------------------- */

static struct event event_of(const struct traced_thread *thread, enum event_kind kind)
{
	return (struct event){.kind = kind,
		.pid = thread->process->pid,
		.tid = thread->tid,
		.time_ns = clock_now_ns()};
}

static void add(struct tracer *tracer, const struct event *event)
{
	event_queue_add(tracer->queue, event, false);
}

/*
 * What the thread has done since its last tick; of a thread that is off the CPU. Its tid was
 * another when it has exec'd since.
 */
static void tell_tick_as(struct tracer *tracer, struct traced_thread *thread, uint32_t tid)
{
	struct event event = event_of(thread, EVENT_TICK);
	struct schedstat stat;

	if (!thread->process->has_begun || !traced_thread_schedstat(thread, &stat))
		return;
	event.tid = tid;
	event.tick.cpu_ns = stat.cpu_ns - thread->told.cpu_ns;
	event.tick.runnable_ns = stat.runnable_ns - thread->told.runnable_ns + thread->stopped_ns;
	tracer->cpu_ns += event.tick.cpu_ns;
	thread->told = stat;
	thread->stopped_ns = 0;
	add(tracer, &event);
}

static void tell_tick(struct tracer *tracer, struct traced_thread *thread)
{
	tell_tick_as(tracer, thread, thread->tid);
}

static void tell_name(struct tracer *tracer, struct traced_thread *thread)
{
	struct event event;

	if (!thread->process->has_begun || !traced_thread_read_name(thread))
		return;
	event = event_of(thread, EVENT_COMM);
	event.comm.name = thread->name;
	add(tracer, &event);
}

static void tell_exit(struct tracer *tracer, struct traced_thread *thread)
{
	struct event event = event_of(thread, EVENT_EXIT);

	if (thread->process->has_begun)
		add(tracer, &event);
}

struct mmap_context {
	struct tracer *tracer;
	struct event event;
};

static void tell_mmap(void *context, const struct event_mmap *mapping)
{
	struct mmap_context *mmap = context;

	mmap->event.mmap = *mapping;
	event_queue_add(mmap->tracer->queue, &mmap->event, true);
}

static void tell_maps(struct tracer *tracer, struct traced_thread *thread)
{
	struct mmap_context context = {tracer, event_of(thread, EVENT_MMAP)};

	exec_maps_read(&thread->process->maps, thread->process->pid, tell_mmap, &context);
}

/* --- threads come and go ---------------------------------------------------------------------- */

/* The process of a thread that is known by its tid only, and that process's parent; 0: it is gone.
 */
static uint32_t read_process(uint32_t tid, uint32_t *parent)
{
	char path[32], line[128];
	unsigned pid = 0;
	FILE *file;

	*parent = 0;
	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %u", &pid) == 1 || sscanf(line, "PPid: %u", parent) == 1)
			continue;
	fclose(file);
	return pid;
}

static bool process_has_thread(uint32_t pid, uint32_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u", pid, tid);
	return access(path, F_OK) == 0;
}

/*
 * A thread that came by fork or clone. It stops of itself, sometimes before its parent's stop tells
 * of it: then its parent is looked up.
 */
static struct traced_thread *adopt(
	struct tracer *tracer, uint32_t tid, const struct traced_thread *parent_thread)
{
	const struct traced_process *parent = parent_thread ? parent_thread->process : NULL;
	struct traced_thread *thread;
	struct event event;
	uint32_t pid = tid, parent_pid;

	if (parent) {
		pid = process_has_thread(parent->pid, tid) ? parent->pid : tid;
	} else {
		pid = read_process(tid, &parent_pid);
		parent = traced_threads_process(&tracer->threads, pid ? pid : parent_pid);
		if (!parent)
			parent = traced_threads_process(&tracer->threads, parent_pid);
		if (!parent) /* it has ended; its child belongs to whoever collects orphans */
			parent = traced_threads_process(&tracer->threads, tracer->target->pid);
		pid = pid ? pid : tid;
	}
	thread = traced_threads_add(&tracer->threads, tid, pid, parent);
	event = event_of(thread, EVENT_FORK);
	event.fork.parent_pid = parent ? parent->pid : 0;
	event.fork.parent_tid = parent_thread ? parent_thread->tid : event.fork.parent_pid;
	if (thread->process->has_begun)
		add(tracer, &event);
	return thread;
}

static void handle_exec(struct tracer *tracer, struct traced_thread *thread)
{
	unsigned long former = thread->tid;
	struct traced_process *process = thread->process;
	struct traced_thread *executing;
	struct event event;

	ptrace(PTRACE_GETEVENTMSG, thread->tid, NULL, &former);
	executing = traced_threads_find(&tracer->threads, former);
	if (executing && executing != thread && executing->process == process) {
		traced_threads_become_leader(&tracer->threads, executing);
		thread = executing;
	}
	if (process->has_begun)
		tell_tick_as(tracer, thread, former);
	else
		traced_thread_schedstat(thread, &thread->told);
	process->has_begun = true;
	thread->is_blocked = false;
	exec_maps_clear(&process->maps);
	traced_thread_read_name(thread);
	event = event_of(thread, EVENT_COMM);
	event.comm.name = thread->name;
	event.comm.is_exec = true;
	add(tracer, &event);
	tell_maps(tracer, thread);
}

static void handle_birth(struct tracer *tracer, struct traced_thread *thread)
{
	unsigned long tid;

	if (ptrace(PTRACE_GETEVENTMSG, thread->tid, NULL, &tid) == 0 &&
		!traced_threads_find(&tracer->threads, tid))
		adopt(tracer, tid, thread);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void set_registers(struct walk_registers *to, const struct user_regs_struct *from)
{
	*to = (struct walk_registers){
		.r = {from->rax, from->rdx, from->rcx, from->rbx, from->rsi, from->rdi, from->rbp,
			from->rsp, from->r8, from->r9, from->r10, from->r11, from->r12, from->r13,
			from->r14, from->r15},
		.ip = from->rip,
		.known = WALK_ALL_KNOWN,
	};
}

/* A call that our stop has cut short begins again: see interrupted_calls.h. */
static void mend_call(
	struct traced_thread *thread, const struct user_regs_struct *registers, uint64_t waited_ns)
{
	if (interrupted_call_begins_again(registers, waited_ns))
		ptrace(PTRACE_POKEUSER, thread->tid, offsetof(struct user_regs_struct, rax),
			INTERRUPTED_CALL_AGAIN);
}

static void look_at_maps(struct tracer *tracer, struct traced_thread *thread, uint64_t ip)
{
	if (tracer->suspected_pid == thread->process->pid) {
		tracer->suspected_pid = 0;
		exec_maps_suspect(&thread->process->maps);
	}
	if (exec_maps_is_due(&thread->process->maps, ip, clock_now_ns()))
		tell_maps(tracer, thread);
}

/* Copies what is needed of a stopped thread. */
static void take_sample(struct tracer *tracer, struct traced_thread *thread)
{
	struct event event = event_of(thread, EVENT_SAMPLE);
	struct event_sample *sample = &event.sample;
	struct user_regs_struct registers;
	size_t size = tracer->stack_bytes;

	if (ptrace(PTRACE_GETREGS, thread->tid, NULL, &registers) < 0)
		return;
	mend_call(thread, &registers, 0);
	tell_tick(tracer, thread);
	*sample = (struct event_sample){.weight = 1, .stack = tracer->stack};
	sample->has_user = registers.cs == CODE_SEGMENT_64;
	if (sample->has_user) {
		set_registers(&sample->registers, &registers);
		sample->stack_bytes = remote_memory_read(
			thread->process->pid, registers.rsp, tracer->stack, size);
		sample->stack_is_cut = sample->stack_bytes == size;
		look_at_maps(tracer, thread, registers.rip);
	}
	thread->is_blocked = false;
	add(tracer, &event);
}

static void tell_wait(struct tracer *tracer, struct traced_thread *thread)
{
	struct event event = event_of(thread, EVENT_SWITCH_STACK);

	thread->is_blocked =
		blocked_read(thread->process->pid, thread->tid, tracer->stack, &event.sample);
	if (!thread->is_blocked)
		return;
	tell_tick(tracer, thread);
	look_at_maps(tracer, thread, event.sample.registers.ip);
	thread->blocked_ns = event.time_ns;
	add(tracer, &event);
}

/* The longer it waits the later it is looked at again. */
static void postpone(struct tracer *tracer, struct traced_thread *thread)
{
	uint64_t now = tracer->tick_ns, pause = (now - thread->blocked_ns) / WAIT_PART;
	uint64_t most = tracer->threads.thread_count * WAIT_LOOK_NS_PER;

	if (most < WAIT_LOOK_NS)
		most = WAIT_LOOK_NS;
	thread->look_ns = now + (pause < most ? pause : most);
}

static bool still_waits(struct traced_thread *thread)
{
	struct schedstat stat;

	return thread->is_blocked && traced_thread_schedstat(thread, &stat) &&
	       stat.turns == thread->told.turns && stat.cpu_ns == thread->told.cpu_ns;
}

static void look_at(void *context, struct traced_thread *thread)
{
	struct tracer *tracer = context;

	if (!thread->process->has_begun || thread->is_interrupted || thread->is_listening ||
		tracer->tick_ns < thread->look_ns)
		return;
	if (still_waits(thread)) {
		postpone(tracer, thread);
		return;
	}
	thread->look_ns = 0;
	if (!traced_thread_is_running(thread)) {
		tell_wait(tracer, thread);
		return;
	}
	thread->interrupted_delay_ns = tracer->delay_ns;
	thread->is_interrupted = ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) == 0;
}

/* --- stops ------------------------------------------------------------------------------------ */

/* How long a thread that was woken had been waiting, as far as it was seen; else not long. */
static uint64_t waited_ns(struct traced_thread *thread)
{
	struct schedstat stat;

	if (!thread->is_blocked || !traced_thread_schedstat(thread, &stat) ||
		stat.turns > thread->told.turns + 1)
		return 0;
	return clock_now_ns() - thread->blocked_ns;
}

/* A signal on its way to the thread; it is passed on as it is. */
static int handle_signal(struct traced_thread *thread, int signal)
{
	struct user_regs_struct registers;

	/* Also without us, a call that was cut short by these returns EINTR. */
	if (signal != SIGSTOP && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU &&
		signal != SIGCONT && ptrace(PTRACE_GETREGS, thread->tid, NULL, &registers) == 0)
		mend_call(thread, &registers, waited_ns(thread));
	return signal;
}

/*
 * The thread goes on. It was held since the tracer, told of the stop, had a CPU and has turned to
 * it, and before that while the tracer waited for the CPU. (Before that, it had not stopped yet.)
 */
static void note_hold(struct tracer *tracer, struct traced_thread *thread)
{
	uint64_t held_ns =
		clock_now_ns() - tracer->woken_ns + tracer->delay_ns - thread->interrupted_delay_ns;

	thread->stopped_ns += held_ns;
	tracer->stopped_ns += held_ns;
	tracer->stops++;
}

static void handle_stop(struct tracer *tracer, uint32_t tid, int status)
{
	struct traced_thread *thread = traced_threads_find(&tracer->threads, tid);
	int signal = WSTOPSIG(status), event = status >> 16, deliver = 0;
	bool is_listening = event == PTRACE_EVENT_STOP && signal != SIGTRAP, was_interrupted;

	if (!thread)
		thread = adopt(tracer, tid, NULL);
	was_interrupted = thread->is_interrupted;
	thread->is_interrupted = false; /* any stop does for the one that was asked for */
	thread->is_listening = is_listening;
	if (event == 0)
		deliver = handle_signal(thread, signal);
	else if (event == PTRACE_EVENT_EXEC)
		handle_exec(tracer, thread);
	else if (event != PTRACE_EVENT_STOP)
		handle_birth(tracer, thread);
	else if (was_interrupted && !is_listening)
		take_sample(tracer, thread);
	else
		handle_signal(thread, 0); /* a stop that was asked for during another */
	if (is_listening) {
		ptrace(PTRACE_LISTEN, tid, NULL, NULL);
		return;
	}
	ptrace(PTRACE_CONT, tid, NULL, (void *)(long)deliver);
	if (event == PTRACE_EVENT_STOP && was_interrupted)
		note_hold(tracer, thread);
}

static void handle_end(struct tracer *tracer, uint32_t tid)
{
	struct traced_thread *thread = traced_threads_find(&tracer->threads, tid);

	if (!thread)
		return;
	tell_tick(tracer, thread);
	tell_name(tracer, thread);
	tell_exit(tracer, thread);
	traced_threads_remove(&tracer->threads, thread);
}

static void set_end(struct target_end *end, int status, const struct rusage *usage)
{
	end->status = status;
	end->usage = *usage;
	end->is_set = true;
}

/* One child's news; a thread that has ended is looked at before it is gone for good. */
static bool handle_child(struct tracer *tracer)
{
	siginfo_t info = {0};
	struct rusage usage;
	int status;
	pid_t tid;

	if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) < 0 ||
		info.si_pid == 0)
		return false;
	if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		handle_end(tracer, info.si_pid);
	tid = wait4(info.si_pid, &status, WNOHANG | __WALL, &usage);
	if (tid <= 0)
		return tid == 0;
	if (WIFSTOPPED(status))
		handle_stop(tracer, tid, status);
	else if (tid == tracer->target->pid && tracer->target->end)
		set_end(tracer->target->end, status, &usage);
	return true;
}

/* --- the loop --------------------------------------------------------------------------------- */

static uint64_t own_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void note_waking(struct tracer *tracer)
{
	struct schedstat stat;

	tracer->woken_ns = clock_now_ns();
	if (schedstat_read(tracer->own_fd, &stat))
		tracer->delay_ns = stat.runnable_ns;
}

static void publish(struct tracer *tracer, uint64_t elapsed_ns)
{
	pthread_mutex_lock(&tracer->lock);
	tracer->figures.stops = tracer->stops;
	tracer->figures.stopped_ns += tracer->stopped_ns;
	tracer->figures.looks++;
	tracer->figures.looked_ns += elapsed_ns;
	tracer->figures.cost_ppm = pacer_cost_ppm(&tracer->pacer);
	pthread_mutex_unlock(&tracer->lock);
}

/* What the time since the tick before has cost decides about the time to the next. */
static void pace(struct tracer *tracer, uint64_t now)
{
	uint64_t own_ns = own_cpu_ns(), elapsed_ns = now - tracer->tick_ns;

	tracer->interval_ns = pacer_next(&tracer->pacer,
		tracer->stopped_ns + own_ns - tracer->own_cpu_ns, elapsed_ns, tracer->cpu_ns);
	publish(tracer, elapsed_ns);
	tracer->own_cpu_ns = own_ns;
	tracer->stopped_ns = tracer->cpu_ns = 0;
}

static void look_at_name(void *context, struct traced_thread *thread)
{
	tell_name(context, thread);
}

static void tick(struct tracer *tracer, uint64_t now)
{
	pace(tracer, now);
	tracer->tick_ns = now;
	tracer->next_tick_ns += tracer->interval_ns;
	if (tracer->next_tick_ns <= now)
		tracer->next_tick_ns = now + tracer->interval_ns;
	if (!event_queue_is_full(tracer->queue))
		traced_threads_visit(&tracer->threads, look_at, tracer);
	if (now - tracer->names_ns >= NAMES_EVERY_NS) {
		traced_threads_visit(&tracer->threads, look_at_name, tracer);
		tracer->names_ns = now;
	}
}

/* Until a child has news or the next tick is due. */
static void wait_for_child(const struct tracer *tracer)
{
	uint64_t now = clock_now_ns(), pause_ns;
	struct timespec pause;
	sigset_t child;

	if (now >= tracer->next_tick_ns)
		return;
	pause_ns = tracer->next_tick_ns - now;
	pause = (struct timespec){pause_ns / 1000000000, pause_ns % 1000000000};
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &pause);
}

static void last_look(void *context, struct traced_thread *thread)
{
	tell_tick(context, thread);
	tell_name(context, thread);
}

static void report_start(struct tracer *tracer, int cause)
{
	pthread_mutex_lock(&tracer->lock);
	tracer->has_started = true;
	tracer->start_errno = cause;
	pthread_cond_signal(&tracer->started);
	pthread_mutex_unlock(&tracer->lock);
}

struct seizure {
	struct tracer *tracer;
	bool found_more; /* in this pass */
	int cause;	 /* errno of what could not be seized last */
};

/* A thread of an attached process; what it has done before is not told. */
static void seize_thread(void *context, uint32_t tid)
{
	struct seizure *seizure = context;
	struct tracer *tracer = seizure->tracer;
	const struct target *target = tracer->target;
	struct traced_thread *thread;

	if ((target->tid && target->tid != (pid_t)tid) ||
		traced_threads_find(&tracer->threads, tid))
		return;
	if (ptrace(PTRACE_SEIZE, tid, NULL, target->tid ? PTRACE_O_TRACEEXEC : OPTIONS) < 0) {
		seizure->cause = errno; /* it has ended, or was begun by one that is traced */
		return;
	}
	thread = traced_threads_add(&tracer->threads, tid, (uint32_t)target->pid, NULL);
	thread->process->has_begun = true;
	traced_thread_schedstat(thread, &thread->told);
	traced_thread_read_name(thread);
	seizure->found_more = true;
}

/* Until a look at the process finds no thread that is new; 0 or errno. */
static int seize_attached(struct tracer *tracer)
{
	struct seizure seizure = {.tracer = tracer};

	do {
		seizure.found_more = false;
		proc_tasks_each((uint32_t)tracer->target->pid, seize_thread, &seizure);
	} while (seizure.found_more);
	if (tracer->threads.thread_count > 0)
		return 0;
	return seizure.cause ? seizure.cause : ESRCH;
}

static int seize_program(struct tracer *tracer)
{
	pid_t pid = tracer->target->pid;

	if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) < 0)
		return errno;
	traced_threads_add(&tracer->threads, pid, pid, NULL);
	return 0;
}

static bool take_hold(struct tracer *tracer)
{
	int cause = tracer->target->is_attached ? seize_attached(tracer) : seize_program(tracer);

	report_start(tracer, cause);
	return cause == 0;
}

/* A stopped thread waits for us: while all CPUs are busy, we must have the next turn. Only some
 * may. */
static void ask_for_priority(void)
{
	struct sched_param first = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first) < 0)
		setpriority(PRIO_PROCESS, 0, -10); /* of this thread */
}

static void *trace(void *context)
{
	struct tracer *tracer = context;

	ask_for_priority();
	tracer->own_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	if (!take_hold(tracer))
		return NULL;
	tracer->tick_ns = tracer->next_tick_ns = tracer->names_ns = clock_now_ns();
	while (!tracer->is_stopping) {
		uint64_t now;

		note_waking(tracer);
		while (handle_child(tracer))
			;
		now = clock_now_ns();
		if (now >= tracer->next_tick_ns)
			tick(tracer, now);
		wait_for_child(tracer);
	}
	while (handle_child(tracer))
		;
	traced_threads_visit(&tracer->threads, last_look, tracer);
	return NULL; /* and the kernel lets go of whoever is left */
}

/* --- for the other threads -------------------------------------------------------------------- */

/* Signals are for the thread that records. SIGCHLD must be for nobody, so that it can be waited
 * for. */
static int start_thread(struct tracer *tracer)
{
	sigset_t all, before;
	int cause;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	cause = pthread_create(&tracer->thread, NULL, trace, tracer);
	sigaddset(&before, SIGCHLD);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return cause;
}

/* Only a child of ours has an end that others wait for, too. */
static void watch_end(const struct target *target, bool is_watched)
{
	if (target->end)
		target->end->is_watched = is_watched;
}

struct tracer *tracer_start(const struct record_options *options, const struct target *target,
	struct event_queue *queue, struct error *err)
{
	struct tracer *tracer = alloc_zeroed(1, sizeof(*tracer));
	int cause;

	tracer->options = options;
	tracer->target = target;
	tracer->queue = queue;
	tracer->stack_bytes = STACK_BYTES;
	tracer->own_fd = -1;
	tracer->stack = alloc_bytes(STACK_BYTES_DEEP);
	pacer_init(&tracer->pacer, options->rate_hz, options->max_overhead_percent);
	pthread_mutex_init(&tracer->lock, NULL);
	pthread_cond_init(&tracer->started, NULL);
	signal(SIGCHLD, SIG_DFL); /* ignored, as it may be since before us, it loses children */
	watch_end(target, true);
	cause = start_thread(tracer);
	if (cause == 0) {
		pthread_mutex_lock(&tracer->lock);
		while (!tracer->has_started)
			pthread_cond_wait(&tracer->started, &tracer->lock);
		cause = tracer->start_errno;
		pthread_mutex_unlock(&tracer->lock);
		if (cause == 0)
			return tracer;
		pthread_join(tracer->thread, NULL);
	}
	watch_end(target, false);
	tracer_free(tracer);
	errno = cause;
	error_set_errno(err, "cannot trace process %d", (int)target->pid);
	return NULL;
}

void tracer_copy_more(struct tracer *tracer)
{
	size_t bytes = tracer->stack_bytes;

	if (bytes < STACK_BYTES_DEEP)
		tracer->stack_bytes = 4 * bytes;
}

void tracer_suspect_maps(struct tracer *tracer, uint32_t pid)
{
	tracer->suspected_pid = pid;
}

void tracer_stop(struct tracer *tracer)
{
	if (tracer->is_stopping)
		return;
	tracer->is_stopping = true;
	pthread_kill(tracer->thread, SIGCHLD);
	pthread_join(tracer->thread, NULL);
	watch_end(tracer->target, false);
}

struct tracer_figures tracer_figures(struct tracer *tracer)
{
	struct tracer_figures figures;

	pthread_mutex_lock(&tracer->lock);
	figures = tracer->figures;
	pthread_mutex_unlock(&tracer->lock);
	return figures;
}

void tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return;
	traced_threads_release(&tracer->threads);
	pthread_cond_destroy(&tracer->started);
	pthread_mutex_destroy(&tracer->lock);
	if (tracer->own_fd >= 0)
		close(tracer->own_fd);
	free(tracer->stack);
	free(tracer);
}
