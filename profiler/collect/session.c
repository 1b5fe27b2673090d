#include "collect/session.h"

#include "base/clock.h"
#include "collect/accounting.h"
#include "collect/attached.h"
#include "collect/blocked.h"
#include "collect/hidden.h"
#include "collect/marks.h"
#include "collect/stack_builder.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/*
 * How often rings are looked at that are not yet half full. Where switches show no stack, threads
 * that wait must be found soon; where stacks are deeper than their copies, their rest is read from
 * the process before it moves on.
 */
#define WAIT_MS	       100
#define WAIT_MS_SOON   10
#define LONG_WAIT_NS   5000000u
#define REUSED_NS      1000000u /* a tid is not used again so soon */
#define LOOK_SHARE     10u	/* a tenth */
#define LOOK_EVERY_MAX 1024u
/* A program may set marks as fast as they are read, for hours. */
#define MARKS_AT_ONCE	  4096
#define MARKS_MAX	  (1u << 20)
#define FLUSH_EVERY_NS	  1000000000u
#define LAST_SWITCH_TRIES 5 /* of 1 ms */

struct session {
	struct session_options options;
	const struct target *target;
	struct profile *profile;
	struct profile_writer *writer;
	struct recorder *recorder;
	struct images images;
	struct tasks tasks;
	struct accounting accounting;
	struct stack_builder builder;
	struct marks marks;
	struct timeline timeline;
	uint32_t root_pid;
	bool has_begun;			/* the program was exec'd */
	uint64_t attached_ns;		/* what an attached process had then is known from /proc */
	size_t hidden_count;		/* threads whose events were taken away */
	struct live_thread *vanished;	/* one that has ended unseen */
	size_t exiting_count;		/* threads that have exited, but not yet ended */
	uint64_t now_ns;		/* time of the last event */
	uint64_t looked_ns;		/* when long waits were last looked at */
	uint32_t look_turn, look_every; /* only each so many-th thread is looked at in a turn */
	bool expects_blocked;		/* some thread may turn out to wait for long */
	bool reads_stacks;		/* copies are not enough for some thread */
	bool samples_need_deep, switches_need_deep; /* some stack was larger than its copy */
	uint8_t *blocked_stack;			    /* BLOCKED_STACK_BYTES */
	uint64_t flushed_ns;			    /* when the journal was last written */
};

static uint64_t since_zero(const struct session *session, uint64_t time_ns)
{
	uint64_t zero_ns = session->accounting.zero_ns;

	return time_ns > zero_ns ? time_ns - zero_ns : 0;
}

/* --- processes and threads -------------------------------------------------------------------- */

static struct live_thread *add_thread(struct session *session, struct live_process *process,
	uint32_t tid, uint64_t time_ns, bool is_on_cpu)
{
	struct threads *threads = &session->profile->threads;
	struct thread row = {.tid = tid,
		.process = process->id,
		.name = threads_process(threads, process->id)->name,
		.start_ns = since_zero(session, time_ns)};
	struct live_thread *thread =
		tasks_add_thread(&session->tasks, process, tid, threads_add_thread(threads, &row));

	accounting_begin(thread, time_ns, is_on_cpu);
	return thread;
}

static struct live_process *add_process(
	struct session *session, uint32_t pid, const struct live_process *parent, uint64_t time_ns)
{
	struct threads *threads = &session->profile->threads;
	struct process row = {.pid = pid,
		.parent = parent ? parent->id : 0,
		.name = parent ? threads_process(threads, parent->id)->name : 0,
		.executable = parent ? threads_process(threads, parent->id)->executable : 0,
		.start_ns = since_zero(session, time_ns)};
	struct address_space *space =
		parent ? address_space_copy(parent->space) : address_space_new();
	const struct jit_names *jit = parent ? parent->space->jit : NULL;
	struct live_process *process =
		tasks_add_process(&session->tasks, pid, threads_add_process(threads, &row), space);

	process->in_region = parent && parent->in_region;
	process->has_execd = !parent;
	if (jit)
		space->jit = jit_names_copy(jit, pid);
	return process;
}

/* What is known of a program's own code is known now. */
static void end_program(struct live_process *process, struct profile *profile)
{
	if (process->space->jit)
		jit_names_finish(process->space->jit, profile);
}

static void end_thread(struct session *session, struct live_thread *thread, uint64_t time_ns)
{
	struct threads *threads = &session->profile->threads;
	uint64_t end_ns = since_zero(session, time_ns);
	struct thread *row = threads_thread(threads, thread->id);

	accounting_end(&session->accounting, thread, time_ns);
	row->end_ns = end_ns;
	threads_process(threads, row->process)->end_ns = end_ns;
	session->exiting_count -= thread->has_exited;
	session->hidden_count -= thread->hidden_stack != 0;
	if (thread == thread->process->threads && !thread->next)
		end_program(thread->process, session->profile);
	tasks_remove_thread(&session->tasks, thread);
}

/*
 * The record of its exit was lost, or that of its last switch: what is known of it ends here. One
 * that has exited has done nothing since, of one that is hidden nothing more is known.
 */
static void end_stale(struct session *session, struct live_thread *thread, uint64_t time_ns)
{
	bool has_ended = thread->has_exited || thread->hidden_stack;

	end_thread(session, thread, has_ended ? thread->since_ns : time_ns);
}

/* At an exec that gains rights the kernel takes away the events, as at an exit: see hidden.h. */
static bool is_within_exec(const struct session *session, const struct live_process *process)
{
	return threads_process(&session->profile->threads, process->id)->executable == 0;
}

static void hide(struct session *session, struct live_thread *thread, uint64_t time_ns)
{
	hidden_begin(&session->accounting, thread, time_ns);
	session->hidden_count++;
}

static void handle_exit(struct session *session, const struct event *event)
{
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);

	if (!thread || thread->has_exited)
		return;
	if (is_within_exec(session, thread->process)) {
		if (!session->recorder->facts.sees_everyone)
			hide(session, thread, event->time_ns);
		return;
	}
	if (!session->recorder->facts.sees_everyone) {
		end_thread(session, thread, event->time_ns);
		return;
	}
	if (thread->is_on_cpu)
		accounting_advance(thread, event->time_ns);
	thread->has_exited = true;
	session->exiting_count++;
}

/* It was seen in /proc, or is told twice: see perf_events.h. */
static bool is_known(
	const struct session *session, const struct live_thread *thread, uint64_t time_ns)
{
	const struct thread *row = threads_thread(&session->profile->threads, thread->id);

	return session->target->is_attached &&
	       (time_ns < session->attached_ns ||
		       since_zero(session, time_ns) < row->start_ns + REUSED_NS);
}

static void handle_fork(struct session *session, const struct event *event)
{
	struct live_process *parent = tasks_process(&session->tasks, event->fork.parent_pid);
	struct live_process *process = parent;
	struct live_thread *stale = tasks_thread(&session->tasks, event->tid);

	if (!session->has_begun || !parent || session->target->tid)
		return;
	if (stale && is_known(session, stale, event->time_ns))
		return;
	if (stale)
		end_stale(session, stale, event->time_ns);
	if (event->pid != event->fork.parent_pid)
		process = add_process(session, event->pid, parent, event->time_ns);
	add_thread(session, process, event->tid, event->time_ns, false);
}

static struct live_process *begin(struct session *session, uint64_t time_ns)
{
	session->has_begun = true;
	session->accounting.zero_ns = time_ns;
	return add_process(session, session->root_pid, NULL, time_ns);
}

static void handle_found(struct session *session, const struct event *event)
{
	struct live_process *process = tasks_process(&session->tasks, event->pid);
	struct live_thread *thread;

	if (!process)
		process = begin(session, event->time_ns);
	thread = add_thread(session, process, event->tid, event->time_ns, false);
	accounting_found(thread, event->time_ns, event->may_run);
}

/* The rows of a process that has run a program and goes on with another: see model/threads.h. */
static void add_program(struct session *session, struct live_process *process, uint64_t time_ns)
{
	struct threads *threads = &session->profile->threads;
	struct process row = {.pid = process->pid,
		.parent = process->id,
		.start_ns = since_zero(session, time_ns)};

	process->id = threads_add_process(threads, &row);
}

static void end_others(struct session *session, struct live_thread *thread, uint64_t time_ns)
{
	struct live_thread *next;

	for (struct live_thread *other = thread->process->threads; other; other = next) {
		const struct thread *row = threads_thread(&session->profile->threads, other->id);

		next = other->next;
		if (other == thread)
			continue;
		if (other->tid == thread->tid)
			thread->before_ns = other->before_ns;
		end_thread(session, other, time_ns);
		if (row->tid == thread->tid)
			thread->before_ns += row->cpu_ns;
	}
}

/* A new program: all other threads are gone, and so are all mappings. */
static struct live_process *handle_exec(struct session *session, const struct event *event)
{
	struct live_process *process = tasks_process(&session->tasks, event->pid);
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);

	if (!process && !session->has_begun && event->pid == session->root_pid)
		process = begin(session, event->time_ns);
	else if (!process)
		return NULL;
	else if (process->has_execd) {
		add_program(session, process, event->time_ns);
		thread = NULL;
	}
	process->has_execd = true;
	process->in_region = false;
	if (!thread) /* or whatever thread exec'd has taken the leader's tid */
		thread = add_thread(session, process, event->tid, event->time_ns, true);
	end_others(session, thread, event->time_ns);
	stack_memory_clear(&thread->memory);
	end_program(process, session->profile);
	address_space_clear(process->space);
	threads_process(&session->profile->threads, process->id)->executable = 0;
	return process;
}

static void handle_comm(struct session *session, const struct event *event)
{
	struct threads *threads = &session->profile->threads;
	struct live_process *process = event->comm.is_exec
					       ? handle_exec(session, event)
					       : tasks_process(&session->tasks, event->pid);
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);
	string_id name;

	if (!process)
		return;
	name = strings_intern(&session->profile->strings, event->comm.name);
	if (thread)
		threads_thread(threads, thread->id)->name = name;
	if (event->tid == event->pid)
		threads_process(threads, process->id)->name = name;
}

static struct jit_names *jit_of(struct live_process *process)
{
	if (!process->space->jit)
		process->space->jit = jit_names_new(process->pid);
	return process->space->jit;
}

/* A jitdump is mapped as if it were code only so that we see it. */
static bool take_jit_dump(struct live_process *process, const struct event_mmap *mapping)
{
	if (!jit_names_is_dump(mapping->path))
		return false;
	jit_names_add_dump(jit_of(process), mapping->path);
	return true;
}

static void handle_mmap(struct session *session, const struct event *event)
{
	struct live_process *process = tasks_process(&session->tasks, event->pid);
	struct image *image;
	struct process *row;

	if (!process || take_jit_dump(process, &event->mmap))
		return;
	/* The thread, since the process's first one may have ended before it. */
	image = images_for_mapping(&session->images, session->profile, event->tid, &event->mmap);
	address_space_map(process->space, &event->mmap, image);
	if (image->is_jit)
		jit_of(process);
	row = threads_process(&session->profile->threads, process->id);
	if (row->executable)
		return;
	/* The first mapping after exec is the executable's. */
	row->executable = strings_intern(&session->profile->strings, event->mmap.path);
	modules_at(&session->profile->modules, image->module)->flags |= MODULE_IS_PROGRAM;
}

/* --- samples ---------------------------------------------------------------------------------- */

/* Most programs need a small part of what can be copied of a stack: more is only when it was cut.
 */
static void adapt_copy(struct session *session, bool is_sample)
{
	if (!session->builder.was_cut)
		return;
	session->samples_need_deep |= is_sample;
	session->switches_need_deep |= !is_sample;
	session->recorder->backend->set_deep(
		session->recorder, session->samples_need_deep, session->switches_need_deep);
}

static stack_id build_stack(
	struct session *session, struct live_thread *thread, const struct event *event)
{
	stack_id stack;

	session->builder.time_ns = event->time_ns;
	stack = stack_builder_build(&session->builder, thread, &event->sample);
	session->reads_stacks |= session->builder.was_read;
	adapt_copy(session, event->kind == EVENT_SAMPLE);
	if (session->builder.was_unmapped && session->recorder->backend->suspect_maps)
		session->recorder->backend->suspect_maps(session->recorder, event->pid);
	return stack;
}

static void handle_sample(struct session *session, const struct event *event)
{
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);

	if (!thread)
		return;
	accounting_sample(
		&session->accounting, thread, event->time_ns, build_stack(session, thread, event));
	session->profile->info.heuristic_samples += session->builder.was_guessed;
	session->profile->info.narrow_samples += session->builder.was_32bit;
	session->profile->info.completed_samples += session->builder.was_completed;
	session->profile->info.restored_samples += session->builder.was_restored;
}

static void handle_switch_stack(struct session *session, const struct event *event)
{
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);
	stack_id stack;

	if (!thread)
		return;
	stack = build_stack(session, thread, event);
	if (session->accounting.has_ticks)
		accounting_wait_stack(&session->accounting, thread, event->time_ns, stack);
	else
		accounting_off_stack(thread, stack, event->sample.weight);
}

static void handle_tick(struct session *session, const struct event *event)
{
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);

	if (thread)
		accounting_tick(&session->accounting, thread, event->time_ns, event->tick.cpu_ns,
			event->tick.runnable_ns);
}

/* A long wait whose beginning showed no stack: it is read while the thread waits. */
static void look_at_blocked(void *context, struct live_thread *thread)
{
	struct session *session = context;
	struct event_sample sample;

	if (thread->is_on_cpu || thread->off_stack || thread->off_stack_was_looked_for ||
		thread->hidden_stack ||
		thread->tid % session->look_every != session->look_turn % session->look_every)
		return;
	if (session->looked_ns < thread->since_ns + LONG_WAIT_NS) {
		session->expects_blocked = true;
		return;
	}
	thread->off_stack_was_looked_for = true;
	session->builder.time_ns = session->now_ns;
	if (blocked_read(thread->process->pid, thread->tid, session->blocked_stack, &sample))
		accounting_off_stack(
			thread, stack_builder_build(&session->builder, thread, &sample), 1);
}

/*
 * A look at a thread takes some 30 us, and a thousand of them may wait for something new at each
 * turn. Looking gets LOOK_SHARE of the time: where that is too little, each turn looks at every
 * second, fourth ... thread. What waits for long is found all the same, a few turns later.
 */
static void pace_looks(struct session *session, uint64_t turn_ns, uint64_t looking_ns)
{
	if (looking_ns > turn_ns / LOOK_SHARE && session->look_every < LOOK_EVERY_MAX)
		session->look_every *= 2;
	else if (looking_ns < turn_ns / LOOK_SHARE / 4 && session->look_every > 1)
		session->look_every /= 2;
}

static void look_at_all_blocked(struct session *session)
{
	uint64_t last_ns = session->looked_ns;

	session->looked_ns = clock_now_ns();
	session->look_turn++;
	session->expects_blocked = !session->recorder->facts.has_switch_stacks;
	tasks_visit(&session->tasks, look_at_blocked, session);
	if (last_ns)
		pace_looks(
			session, session->looked_ns - last_ns, clock_now_ns() - session->looked_ns);
}

static void look_at_hidden(void *context, struct live_thread *thread)
{
	struct session *session = context;

	if (thread->hidden_stack && !hidden_look(&session->accounting, thread, session->looked_ns))
		session->vanished = thread;
}

static void look_at_pid(void *context, struct live_thread *thread)
{
	struct session *session = context;

	if (!thread->has_exited && kill(thread->process->pid, 0) < 0 && errno == ESRCH)
		session->vanished = thread;
}

static void end_vanished(
	struct session *session, void (*look)(void *context, struct live_thread *thread))
{
	do {
		session->vanished = NULL;
		tasks_visit(&session->tasks, look, session);
		if (session->vanished)
			end_stale(session, session->vanished, session->looked_ns);
	} while (session->vanished);
}

/* Those whose end no event tells of. The records of exits may be among those that were lost. */
static void look_for_vanished(struct session *session, bool waits_for_descendants)
{
	if (session->hidden_count > 0) {
		if (session->now_ns < session->looked_ns)
			session->now_ns = session->looked_ns;
		end_vanished(session, look_at_hidden);
	}
	if (waits_for_descendants && session->profile->info.lost > 0)
		end_vanished(session, look_at_pid);
}

static void handle_switch(struct session *session, const struct event *event)
{
	struct live_thread *thread = tasks_thread(&session->tasks, event->tid);

	if (!thread)
		return;
	if (event->kind == EVENT_SWITCH_OUT && thread->has_exited && !event->was_preempted)
		end_thread(session, thread, event->time_ns);
	else if (event->kind == EVENT_SWITCH_OUT)
		accounting_switch_out(
			&session->accounting, thread, event->time_ns, event->was_preempted);
	else
		accounting_switch_in(&session->accounting, thread, event->time_ns);
}

/* --- marks ------------------------------------------------------------------------------------ */

static void set_region(struct live_process *process, bool in_region, uint64_t time_ns)
{
	for (struct live_thread *thread = process->threads; thread; thread = thread->next)
		accounting_advance(thread, time_ns);
	process->in_region = in_region;
}

static void handle_mark(struct session *session, const struct event *event)
{
	struct live_process *process = tasks_process(&session->tasks, event->pid);

	if (!process)
		return;
	*array_add(&session->profile->marks) = (struct mark){
		.time_ns = since_zero(session, event->time_ns),
		.process = process->id,
		.name = strings_intern(&session->profile->strings, event->mark.name),
		.kind = event->mark.kind,
	};
	if (event->mark.kind != MARK_NAMED)
		set_region(process, event->mark.kind == MARK_START, event->time_ns);
}

static void handle_marks(struct session *session, uint64_t before_ns)
{
	struct event mark;

	for (int i = 0; i < MARKS_AT_ONCE && marks_next(&session->marks, before_ns, &mark); i++)
		if (session->profile->marks.count < MARKS_MAX)
			handle_mark(session, &mark);
		else
			session->marks.lost++;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void handle(struct session *session, const struct event *event)
{
	struct profile_info *info = &session->profile->info;

	if (event->time_ns > session->now_ns)
		session->now_ns = event->time_ns;
	switch (event->kind) {
	case EVENT_FOUND:
		handle_found(session, event);
		break;
	case EVENT_SAMPLE:
		handle_sample(session, event);
		break;
	case EVENT_SWITCH_STACK:
		handle_switch_stack(session, event);
		break;
	case EVENT_SWITCH_OUT:
	case EVENT_SWITCH_IN:
		handle_switch(session, event);
		break;
	case EVENT_TICK:
		handle_tick(session, event);
		break;
	case EVENT_FORK:
		handle_fork(session, event);
		break;
	case EVENT_EXIT:
		handle_exit(session, event);
		break;
	case EVENT_COMM:
		handle_comm(session, event);
		break;
	case EVENT_MMAP:
		handle_mmap(session, event);
		break;
	case EVENT_LOST:
		info->lost += event->count;
		break;
	case EVENT_THROTTLE:
		info->throttled++;
		break;
	case EVENT_MARK:
	case EVENT_NONE:
		break;
	}
}

/* Everything that is there for now. */
static int handle_events(struct session *session, struct error *err)
{
	struct event event;
	int got;

	while ((got = recorder_next(session->recorder, &event, err)) > 0) {
		handle_marks(session, event.time_ns);
		/* What an attached process did before is in the state that it was found in. */
		if (event.time_ns >= session->accounting.zero_ns || event.kind == EVENT_LOST)
			handle(session, &event);
	}
	return got;
}

static void settle_thread(void *context, struct live_thread *thread)
{
	struct session *session = context;

	accounting_settle(&session->accounting, thread, session->now_ns);
}

static void describe_cost(struct session *session)
{
	struct profile_info *info = &session->profile->info;
	const struct recorder_facts *facts = &session->recorder->facts;

	info->stops = facts->stops;
	info->stopped_ns = facts->stopped_ns;
	info->look_rate_hz = (uint64_t)(facts->look_rate_hz + 0.5);
	info->cost_ppm = facts->cost_ppm;
}

static int flush(struct session *session, struct error *err)
{
	describe_cost(session);
	session->profile->info.duration_ns = since_zero(session, session->now_ns);
	session->profile->info.elapsed_ns = session->profile->info.duration_ns;
	tasks_visit(&session->tasks, settle_thread, session);
	return profile_writer_flush(session->writer, session->profile,
		session->options.has_timeline ? &session->timeline : NULL, err);
}

static int flush_if_due(struct session *session, struct error *err)
{
	uint64_t now = clock_now_ns();

	if (now - session->flushed_ns < FLUSH_EVERY_NS)
		return 0;
	session->flushed_ns = now;
	return flush(session, err);
}

static bool is_over(const struct session *session, bool has_ended)
{
	const struct session_options *options = &session->options;
	bool nobody_is_left;

	if (options->stop && *options->stop)
		return true;
	if (options->duration_ns && session->has_begun &&
		since_zero(session, clock_now_ns()) >= options->duration_ns)
		return true;
	nobody_is_left = session->tasks.thread_count == session->exiting_count;
	if (session->target->tid && nobody_is_left)
		return true;
	return has_ended && (!options->wait_for_all || nobody_is_left);
}

/* What still runs is recorded to this moment. */
static void end_all(struct session *session)
{
	uint64_t end_ns = session->now_ns;

	for (size_t i = 0; i < session->tasks.thread_buckets; i++)
		while (session->tasks.threads[i]) {
			struct live_thread *thread = session->tasks.threads[i];
			process_id process = thread->process->id;

			if (!thread->has_exited)
				threads_process(&session->profile->threads, process)->was_alive =
					true;
			end_stale(session, thread, end_ns);
		}
}

/* Whoever waits for a program learns of its end a moment before it has left the CPU. */
static int wait_for_last_switches(struct session *session, struct error *err)
{
	for (int tries = 0; tries < LAST_SWITCH_TRIES && session->exiting_count > 0; tries++) {
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		if (handle_events(session, err) < 0)
			return -1;
	}
	return 0;
}

/* As long as the recording goes on. */
static int run_loop(struct session *session, bool *has_ended, struct error *err)
{
	while (!is_over(session, *has_ended)) {
		int fd = *has_ended ? -1 : session->target->pid_fd;

		session->recorder->backend->wait(session->recorder, fd,
			session->expects_blocked || session->reads_stacks ? WAIT_MS_SOON : WAIT_MS);
		*has_ended = target_has_ended(session->target);
		if (handle_events(session, err) < 0)
			return -1;
		look_at_all_blocked(session);
		look_for_vanished(session, *has_ended);
		if (flush_if_due(session, err) < 0)
			return -1;
	}
	return 0;
}

int session_run(struct session *session, bool *has_ended, struct error *err)
{
	uint64_t end_ns;
	int result;

	*has_ended = false;
	session->flushed_ns = clock_now_ns();
	result = run_loop(session, has_ended, err);
	end_ns = clock_now_ns();
	session->recorder->backend->drain(session->recorder); /* also when recording failed */
	if (result < 0)
		return result;
	if (handle_events(session, err) < 0)
		return -1;
	if (wait_for_last_switches(session, err) < 0)
		return -1;
	session->looked_ns = clock_now_ns();
	look_for_vanished(session, false);
	handle_marks(session, UINT64_MAX);
	if (session->tasks.thread_count > 0 && end_ns > session->now_ns)
		session->now_ns = end_ns;
	end_all(session);
	describe_cost(session);
	images_note_missing_rows(&session->images, session->profile);
	session->profile->info.duration_ns = since_zero(session, session->now_ns);
	session->profile->info.elapsed_ns = session->profile->info.duration_ns;
	session->profile->info.lost += session->marks.lost;
	return 0;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static uint64_t metrics_of(const struct recorder_facts *facts)
{
	uint64_t set = METRIC_BIT(METRIC_CPU) | METRIC_BIT(METRIC_SAMPLES) |
		       METRIC_BIT(METRIC_CPU_SQUARES) | METRIC_BIT(METRIC_WALL);

	if (facts->has_switches)
		set |= METRIC_BIT(METRIC_BLOCKED) | METRIC_BIT(METRIC_RUNNABLE);
	return set;
}

static void describe(struct session *session)
{
	struct profile_info *info = &session->profile->info;
	const struct recorder_facts *facts = &session->recorder->facts;
	struct strings *strings = &session->profile->strings;

	info->backend = strings_intern(strings, session->recorder->backend->name);
	info->event = strings_intern(strings, facts->event);
	info->backend_note = strings_intern(strings, facts->note);
	info->metrics = metrics_of(facts);
	info->rate_asked_hz = session->options.record.rate_hz;
}

static void handle_state(void *context, const struct event *event)
{
	handle(context, event);
}

/* Events are being recorded by now: what changes while the state is read is not missed. */
static int begin_attached(struct session *session, struct error *err)
{
	if (attached_read(session->target, clock_now_ns(), handle_state, session, err) < 0)
		return -1;
	session->attached_ns = clock_now_ns();
	return 0;
}

struct session *session_open(const struct session_options *options, const struct target *target,
	struct profile *profile, struct profile_writer *writer, struct error *err)
{
	struct session *session = alloc_zeroed(1, sizeof(*session));

	session->options = *options;
	session->look_every = 1;
	session->target = target;
	session->profile = profile;
	session->writer = writer;
	session->root_pid = target->pid;
	session->blocked_stack = alloc_bytes(BLOCKED_STACK_BYTES);
	stack_builder_init(&session->builder, profile);
	session->recorder = recorder_open(&options->record, target, err);
	if (!session->recorder || marks_open(&session->marks, target, err) < 0) {
		session_close(session);
		return NULL;
	}
	session->accounting = (struct accounting){.profile = profile,
		.has_switch_stacks = session->recorder->facts.has_switch_stacks,
		.has_ticks = session->recorder->facts.has_ticks};
	profile->timeline = options->has_timeline ? &session->timeline : NULL;
	describe(session);
	if (target->is_attached && begin_attached(session, err) < 0) {
		session_close(session);
		return NULL;
	}
	return session;
}

const struct images *session_images(const struct session *session)
{
	return &session->images;
}

struct timeline *session_timeline(struct session *session)
{
	return session->options.has_timeline ? &session->timeline : NULL;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	session->profile->timeline = NULL;
	recorder_close(session->recorder);
	marks_close(&session->marks);
	tasks_release(&session->tasks);
	images_release(&session->images);
	stack_builder_release(&session->builder);
	timeline_release(&session->timeline);
	free(session->blocked_stack);
	free(session);
}
