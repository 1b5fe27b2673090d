#include "collect/accounting.h"

#include <string.h>

#define SEEN_MAX 32

static const enum metric off_metric[OFF_KIND_COUNT] = {
	[OFF_BLOCKED] = METRIC_BLOCKED,
	[OFF_RUNNABLE] = METRIC_RUNNABLE,
};

static void add(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack, bool in_region, const uint64_t value[METRIC_COUNT])
{
	uint64_t since_zero = time_ns > accounting->zero_ns ? time_ns - accounting->zero_ns : 0;

	profile_add(accounting->profile, since_zero, thread->id, stack, in_region, value);
}

static void add_cpu(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack, bool in_region, uint64_t length_ns, bool is_sample)
{
	uint64_t value[METRIC_COUNT] = {0}, length_us = length_ns / 1000;

	if (length_ns == 0 && !is_sample)
		return;
	value[METRIC_WALL] = value[METRIC_CPU] = length_ns;
	value[METRIC_SAMPLES] = is_sample;
	value[METRIC_CPU_SQUARES] = is_sample ? length_us * length_us : 0;
	threads_thread(&accounting->profile->threads, thread->id)->cpu_ns += length_ns;
	add(accounting, thread, time_ns, stack, in_region, value);
}

static void add_off(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack, bool in_region, enum off_kind kind, uint64_t length_ns)
{
	uint64_t value[METRIC_COUNT] = {0};

	if (length_ns == 0)
		return;
	value[METRIC_WALL] = value[off_metric[kind]] = length_ns;
	add(accounting, thread, time_ns, stack, in_region, value);
}

void accounting_advance(struct live_thread *thread, uint64_t time_ns)
{
	if (time_ns <= thread->since_ns)
		return;
	thread->open_ns[thread->process->in_region] += time_ns - thread->since_ns;
	thread->since_ns = time_ns;
}

void accounting_hidden(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack, uint64_t cpu_ns)
{
	uint64_t value[METRIC_COUNT] = {0};
	struct thread *row = threads_thread(&accounting->profile->threads, thread->id);

	if (time_ns <= thread->since_ns)
		return;
	value[METRIC_WALL] = time_ns - thread->since_ns;
	value[METRIC_CPU] = cpu_ns < value[METRIC_WALL] ? cpu_ns : value[METRIC_WALL];
	row->cpu_ns += value[METRIC_CPU];
	row->not_sampled_ns += value[METRIC_CPU];
	add(accounting, thread, time_ns, stack, thread->process->in_region, value);
	thread->since_ns = time_ns;
}

void accounting_begin(struct live_thread *thread, uint64_t time_ns, bool is_on_cpu)
{
	thread->since_ns = time_ns;
	thread->is_on_cpu = is_on_cpu;
	thread->was_preempted = true;
}

void accounting_found(struct live_thread *thread, uint64_t time_ns, bool may_run)
{
	accounting_begin(thread, time_ns, may_run);
	thread->was_preempted = thread->may_be_off_cpu = may_run;
}

/* Gives the CPU time that no stack has yet to `stack`; the sample itself counts in `region`. */
static void give_cpu(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	stack_id stack, bool is_sample)
{
	bool now = thread->process->in_region;

	add_cpu(accounting, thread, time_ns, stack, !now, thread->open_ns[!now], false);
	add_cpu(accounting, thread, time_ns, stack, now, thread->open_ns[now], is_sample);
	thread->open_ns[0] = thread->open_ns[1] = 0;
}

/* The time of both regions that is pooled, to one stack, as a guess. */
static void give_pool_of(struct accounting *accounting, struct live_thread *thread,
	uint64_t time_ns, stack_id stack, enum off_kind kind)
{
	for (int region = 0; region < 2; region++) {
		uint64_t *pool = &thread->pool_ns[kind][region];

		add_off(accounting, thread, time_ns, stack, region, kind, *pool);
		accounting->profile->info.off_cpu_inferred_ns += *pool;
		*pool = 0;
	}
}

static void give_pool(
	struct accounting *accounting, struct live_thread *thread, uint64_t time_ns, stack_id stack)
{
	for (int kind = 0; kind < OFF_KIND_COUNT; kind++)
		give_pool_of(accounting, thread, time_ns, stack, kind);
}

void accounting_sample(
	struct accounting *accounting, struct live_thread *thread, uint64_t time_ns, stack_id stack)
{
	thread->may_be_off_cpu = false;
	if (!thread->is_on_cpu) /* the record of its coming back was lost */
		accounting_switch_in(accounting, thread, time_ns);
	accounting_advance(thread, time_ns);
	give_cpu(accounting, thread, time_ns, stack, true);
	if (!accounting->has_switch_stacks)
		give_pool(accounting, thread, time_ns, stack);
	else if (accounting->has_ticks)
		give_pool_of(accounting, thread, time_ns, stack, OFF_RUNNABLE);
	thread->last_stack = stack;
}

void accounting_off_stack(struct live_thread *thread, stack_id stack, uint64_t weight)
{
	thread->off_stack = stack;
	thread->off_weight = weight ? weight : 1;
}

/*
 * CPU time keeps open over a switch: it belongs to the next sample. Its place is taken by the time
 * off the CPU, so it moves to where that is not in the way.
 */
static void stash_cpu(struct live_thread *thread)
{
	memcpy(thread->cpu_ns, thread->open_ns, sizeof(thread->cpu_ns));
	thread->open_ns[0] = thread->open_ns[1] = 0;
}

void accounting_switch_out(struct accounting *accounting, struct live_thread *thread,
	uint64_t time_ns, bool was_preempted)
{
	thread->may_be_off_cpu = false;
	if (!thread->is_on_cpu) /* the record of its coming back was lost */
		accounting_switch_in(accounting, thread, time_ns);
	accounting_advance(thread, time_ns);
	accounting->profile->info.switches++;
	stash_cpu(thread);
	thread->is_on_cpu = false;
	thread->was_preempted = was_preempted;
	thread->off_stack_was_looked_for = false;
}

static void estimate(struct live_thread *thread, enum off_kind kind)
{
	for (int region = 0; region < 2; region++)
		if (thread->open_ns[region])
			*array_add(&thread->estimates) =
				(struct off_estimate){.stack = thread->off_stack,
					.kind = kind,
					.in_region = region,
					.weight_ns = (double)(thread->off_weight - 1) *
						     (double)thread->open_ns[region]};
}

/* Adds an interval that was seen to what its thread is known to wait for. */
static void remember(struct live_thread *thread, enum off_kind kind, uint64_t length_ns)
{
	size_t i = 0;

	while (i < thread->seen.count && (thread->seen.items[i].stack != thread->off_stack ||
						 thread->seen.items[i].kind != kind))
		i++;
	if (i == SEEN_MAX)
		return;
	if (i == thread->seen.count)
		*array_add(&thread->seen) =
			(struct off_estimate){.stack = thread->off_stack, .kind = kind};
	thread->seen.items[i].weight_ns += (double)length_ns;
}

/* Time off the CPU whose stack, if it is known, is off_stack. */
static void account_off(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	enum off_kind kind, bool in_region, uint64_t length_ns)
{
	if (!thread->off_stack) {
		thread->pool_ns[kind][in_region] += length_ns;
		return;
	}
	add_off(accounting, thread, time_ns, thread->off_stack, in_region, kind, length_ns);
	remember(thread, kind, length_ns);
	accounting->profile->info.off_cpu_measured_ns += length_ns;
}

void accounting_switch_in(
	struct accounting *accounting, struct live_thread *thread, uint64_t time_ns)
{
	enum off_kind kind = thread->was_preempted ? OFF_RUNNABLE : OFF_BLOCKED;

	if (thread->may_be_off_cpu) /* now it is known that it was */
		thread->is_on_cpu = thread->may_be_off_cpu = false;
	if (thread->is_on_cpu) {
		accounting_advance(thread, time_ns);
		return;
	}
	accounting_advance(thread, time_ns);
	for (int region = 0; region < 2; region++)
		account_off(accounting, thread, time_ns, kind, region, thread->open_ns[region]);
	if (thread->off_stack && thread->off_weight > 1)
		estimate(thread, kind);
	memcpy(thread->open_ns, thread->cpu_ns, sizeof(thread->open_ns));
	thread->off_stack = 0;
	thread->is_on_cpu = true;
}

/* A part of a whole that is told in other units, or by another clock. */
static uint64_t part_of(uint64_t length_ns, uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)length_ns * (double)part / (double)whole) : 0;
}

/*
 * Between ticks the thread counts as off the CPU: open_ns is the time that no tick has told of yet,
 * cpu_ns waits for a sample. What was in the marked region is not told: it has its share of each.
 */
void accounting_tick(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns,
	uint64_t cpu_ns, uint64_t runnable_ns)
{
	uint64_t wall_ns;

	if (thread->is_on_cpu)
		memset(thread->cpu_ns, 0, sizeof(thread->cpu_ns)); /* a sample has taken it */
	thread->is_on_cpu = thread->may_be_off_cpu = false;
	thread->was_preempted = false;
	accounting_advance(thread, time_ns);
	wall_ns = thread->open_ns[0] + thread->open_ns[1];
	/* The scheduler's clock and ours differ a little: what is too much belongs to the next
	 * tick. */
	cpu_ns += thread->over_ns;
	thread->over_ns = cpu_ns > wall_ns ? cpu_ns - wall_ns : 0;
	cpu_ns -= thread->over_ns;
	if (runnable_ns > wall_ns - cpu_ns)
		runnable_ns = wall_ns - cpu_ns;
	for (int region = 0; region < 2; region++) {
		uint64_t length_ns = thread->open_ns[region];
		uint64_t on_ns = part_of(length_ns, cpu_ns, wall_ns);
		uint64_t ready_ns = part_of(length_ns, runnable_ns, wall_ns);

		if (ready_ns > length_ns - on_ns)
			ready_ns = length_ns - on_ns;
		thread->cpu_ns[region] += on_ns;
		thread->pool_ns[OFF_RUNNABLE][region] += ready_ns;
		account_off(accounting, thread, time_ns, OFF_BLOCKED, region,
			length_ns - on_ns - ready_ns);
		thread->open_ns[region] = 0;
	}
	thread->off_stack = 0;
}

void accounting_wait_stack(
	struct accounting *accounting, struct live_thread *thread, uint64_t time_ns, stack_id stack)
{
	give_pool_of(accounting, thread, time_ns, stack, OFF_BLOCKED);
	accounting_off_stack(thread, stack, 1);
}

/* Shares out one pool among the estimates of its kind; returns how much. */
static uint64_t share_pool(struct accounting *accounting, struct live_thread *thread,
	uint64_t time_ns, const struct off_estimates *estimates, enum off_kind kind, bool in_region)
{
	uint64_t *pool = &thread->pool_ns[kind][in_region], left = *pool, shared;
	double total = 0, part;

	for (size_t i = 0; i < estimates->count; i++)
		if (estimates->items[i].kind == kind)
			total += estimates->items[i].weight_ns;
	if (total <= 0)
		return 0;
	part = (double)left / total;
	for (size_t i = 0; i < estimates->count; i++) {
		const struct off_estimate *estimate = &estimates->items[i];
		double exact = estimate->weight_ns * part;
		uint64_t length_ns = exact < (double)left ? (uint64_t)exact : left;

		if (estimate->kind != kind)
			continue;
		add_off(accounting, thread, time_ns, estimate->stack, in_region, kind, length_ns);
		left -= length_ns;
	}
	shared = *pool - left;
	*pool = left; /* the roundings */
	return shared;
}

static uint64_t share_pools(struct accounting *accounting, struct live_thread *thread,
	uint64_t time_ns, const struct off_estimates *estimates)
{
	uint64_t shared = 0;

	for (int kind = 0; kind < OFF_KIND_COUNT; kind++)
		for (int region = 0; region < 2; region++)
			shared += share_pool(accounting, thread, time_ns, estimates, kind, region);
	return shared;
}

void accounting_settle(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns)
{
	accounting->profile->info.off_cpu_shared_ns +=
		share_pools(accounting, thread, time_ns, &thread->estimates);
	thread->estimates.count = 0;
}

static stack_id special_stack(struct profile *profile, const char *name)
{
	frame_id frame = profile_special_frame(profile, name);

	return stacks_push(&profile->stacks, STACK_NOT_WALKED, frame);
}

void accounting_end(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns)
{
	struct profile *profile = accounting->profile;
	stack_id stack = thread->last_stack;

	if (accounting->has_ticks) /* the last one was a moment ago */
		accounting_tick(accounting, thread, time_ns, 0, 0);
	if (!thread->is_on_cpu) /* CPU time may still be open from before it left */
		accounting_switch_in(accounting, thread, time_ns);
	accounting_advance(thread, time_ns);
	accounting_settle(accounting, thread, time_ns);
	if (accounting->has_switch_stacks)
		accounting->profile->info.off_cpu_inferred_ns +=
			share_pools(accounting, thread, time_ns, &thread->seen);
	if (!stack) {
		stack = special_stack(profile, "[not sampled]");
		threads_thread(&profile->threads, thread->id)->not_sampled_ns +=
			thread->open_ns[0] + thread->open_ns[1];
	}
	give_cpu(accounting, thread, time_ns, stack, false);
	give_pool(accounting, thread, time_ns, stack);
}
