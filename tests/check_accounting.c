/*
 * Fake timelines of switches and samples: which stack gets which time. Whatever happens, a thread's
 * stacks add up to its life, to the nanosecond.
 */
#include "collect/accounting.h"

#include <check.h>
#include <stdio.h>

enum { ZERO = 1000000 }; /* when the recording begins; times below count from there */

/* Stacks by name; their numbers are those of one frame each. */
enum { A, B, C, D, STACKS };

static struct profile profile;
static struct tasks tasks;
static struct accounting accounting;
static struct live_process *process;
static struct live_thread *thread;
static stack_id stacks[STACKS];

static struct live_thread *add_thread(uint32_t tid)
{
	struct thread row = {.tid = tid, .process = process->id};

	return tasks_add_thread(&tasks, process, tid, threads_add_thread(&profile.threads, &row));
}

static void start(void)
{
	static const char *const names[STACKS] = {"A", "B", "C", "D"};
	struct process row = {.pid = 1};

	profile_init(&profile);
	for (int i = 0; i < STACKS; i++)
		stacks[i] = stacks_push(
			&profile.stacks, STACK_ROOTED, profile_special_frame(&profile, names[i]));
	accounting = (struct accounting){
		.profile = &profile, .zero_ns = ZERO, .has_switch_stacks = true};
	process = tasks_add_process(
		&tasks, 1, threads_add_process(&profile.threads, &row), address_space_new());
	thread = add_thread(1);
}

static void finish(void)
{
	tasks_release(&tasks);
	profile_release(&profile);
}

/* --- events, at a time since ZERO ---------------------------------------------------------------
 */

static void begin(uint64_t time_ns, bool is_on_cpu)
{
	accounting_begin(thread, ZERO + time_ns, is_on_cpu);
}

/* Was there before the recording. */
static void found(bool may_run)
{
	accounting_found(thread, ZERO, may_run);
}

static void sample(uint64_t time_ns, int stack)
{
	accounting_sample(&accounting, thread, ZERO + time_ns, stacks[stack]);
}

static void off_stack(int stack, uint64_t weight)
{
	accounting_off_stack(thread, stacks[stack], weight);
}

static void out(uint64_t time_ns)
{
	accounting_switch_out(&accounting, thread, ZERO + time_ns, false);
}

static void preempted(uint64_t time_ns)
{
	accounting_switch_out(&accounting, thread, ZERO + time_ns, true);
}

static void in(uint64_t time_ns)
{
	accounting_switch_in(&accounting, thread, ZERO + time_ns);
}

static void tick(uint64_t time_ns, uint64_t cpu_ns, uint64_t runnable_ns)
{
	accounting.has_ticks = true;
	accounting_tick(&accounting, thread, ZERO + time_ns, cpu_ns, runnable_ns);
}

static void waits_in(uint64_t time_ns, int stack)
{
	accounting_wait_stack(&accounting, thread, ZERO + time_ns, stacks[stack]);
}

static void settle(uint64_t time_ns)
{
	accounting_settle(&accounting, thread, ZERO + time_ns);
}

static void region(uint64_t time_ns, bool in_region)
{
	accounting_advance(thread, ZERO + time_ns);
	process->in_region = in_region;
}

static void end(uint64_t time_ns)
{
	accounting_end(&accounting, thread, ZERO + time_ns);
}

/* --- what came of it ----------------------------------------------------------------------------
 */

static uint64_t sum(enum metric metric, stack_id stack, int in_region)
{
	uint64_t total = 0;

	for (size_t i = 0; i < profile.counts.count; i++) {
		const struct count *count = &profile.counts.items[i];

		if ((!stack || count->stack == stack) &&
			(in_region < 0 || count->in_region == in_region))
			total += count->value[metric];
	}
	return total;
}

static uint64_t all(enum metric metric)
{
	return sum(metric, 0, -1);
}

#define ck_assert_time(metric, stack, expected) \
	ck_assert_uint_eq(sum(metric, stacks[stack], -1), expected)

/* A special frame's stack, "[not sampled]". */
static uint64_t not_sampled(enum metric metric)
{
	frame_id frame = profile_special_frame(&profile, "[not sampled]");

	return sum(metric, stacks_push(&profile.stacks, STACK_NOT_WALKED, frame), -1);
}

/* Of each stack, wall time is CPU, blocked and runnable time. */
static void check_parts(void)
{
	for (size_t i = 0; i < profile.counts.count; i++) {
		const uint64_t *value = profile.counts.items[i].value;

		ck_assert_uint_eq(value[METRIC_WALL],
			value[METRIC_CPU] + value[METRIC_BLOCKED] + value[METRIC_RUNNABLE]);
	}
}

/* --- on the CPU ---------------------------------------------------------------------------------
 */

START_TEST(samples_share_the_time_since_the_one_before)
{
	begin(0, true);
	sample(1000, A);
	sample(2500, B);
	sample(2600, A);
	end(3000);
	ck_assert_time(METRIC_CPU, A, 1000 + 100 + 400);
	ck_assert_time(METRIC_CPU, B, 1500);
	ck_assert_time(METRIC_SAMPLES, A, 2);
	ck_assert_time(METRIC_SAMPLES, B, 1);
	ck_assert_uint_eq(all(METRIC_WALL), 3000);
	ck_assert_uint_eq(profile.threads.threads.items[0].cpu_ns, 3000);
	check_parts();
}
END_TEST

/* "R" in /proc: it runs, or waits for a CPU; what it does next tells which. */
START_TEST(a_thread_that_was_there_ran_when_it_next_leaves_the_cpu)
{
	found(true);
	out(1000);
	in(1500);
	sample(2000, A);
	end(2000);
	ck_assert_time(METRIC_CPU, A, 1500);
	ck_assert_uint_eq(all(METRIC_BLOCKED), 500);
	ck_assert_uint_eq(all(METRIC_WALL), 2000);
	check_parts();
}
END_TEST

START_TEST(a_thread_that_was_there_waited_for_a_cpu_when_it_next_gets_one)
{
	found(true);
	in(1000);
	sample(2000, A);
	end(2000);
	ck_assert_time(METRIC_CPU, A, 1000);
	ck_assert_uint_eq(all(METRIC_RUNNABLE), 1000);
	ck_assert_uint_eq(all(METRIC_WALL), 2000);
	check_parts();
}
END_TEST

START_TEST(a_thread_that_was_there_waits_where_it_is_seen)
{
	found(false);
	off_stack(B, 1);
	end(5000);
	ck_assert_time(METRIC_BLOCKED, B, 5000);
	ck_assert_uint_eq(all(METRIC_WALL), 5000);
	check_parts();
}
END_TEST

START_TEST(cpu_time_waits_over_a_switch_for_the_next_sample)
{
	begin(0, true);
	off_stack(C, 1);
	out(700);
	in(10700);
	sample(11000, A);
	end(11000);
	ck_assert_time(METRIC_CPU, A, 1000);
	ck_assert_time(METRIC_BLOCKED, C, 10000);
	ck_assert_uint_eq(all(METRIC_CPU), 1000);
	check_parts();
}
END_TEST

START_TEST(a_thread_without_samples_is_not_sampled)
{
	begin(0, false);
	in(100);
	off_stack(C, 1);
	out(300);
	in(1000);
	end(1050);
	ck_assert_uint_eq(not_sampled(METRIC_CPU), 250);
	ck_assert_uint_eq(not_sampled(METRIC_RUNNABLE), 100); /* before its first turn */
	ck_assert_time(METRIC_BLOCKED, C, 700);
	ck_assert_uint_eq(profile.threads.threads.items[0].not_sampled_ns, 250);
	ck_assert_uint_eq(all(METRIC_WALL), 1050);
	ck_assert_uint_eq(all(METRIC_SAMPLES), 0);
}
END_TEST

START_TEST(a_sampled_thread_has_nothing_not_sampled)
{
	begin(0, true);
	sample(10, A);
	end(1000000);
	ck_assert_uint_eq(profile.threads.threads.items[0].not_sampled_ns, 0);
	ck_assert_time(METRIC_CPU, A, 1000000);
}
END_TEST

/* In squared microseconds, for the errors: two samples of 1 and 3 ms. */
START_TEST(squares_are_those_of_the_samples_weights)
{
	begin(0, true);
	sample(1000000, A);
	sample(4000000, A);
	end(4000000);
	ck_assert_time(METRIC_CPU_SQUARES, A, 1000 * 1000 + 3000 * 3000);
}
END_TEST

/* --- off the CPU --------------------------------------------------------------------------------
 */

START_TEST(waiting_belongs_to_the_stack_that_left)
{
	begin(0, true);
	sample(100, A);
	off_stack(B, 1);
	out(100);
	in(5100);
	sample(5200, A);
	end(5200);
	ck_assert_time(METRIC_BLOCKED, B, 5000);
	ck_assert_time(METRIC_RUNNABLE, B, 0);
	ck_assert_time(METRIC_CPU, B, 0);
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns, 5000);
	ck_assert_uint_eq(profile.info.off_cpu_inferred_ns, 0);
	ck_assert_uint_eq(profile.info.switches, 1);
	check_parts();
}
END_TEST

START_TEST(who_was_preempted_could_have_run)
{
	begin(0, true);
	off_stack(B, 1);
	preempted(100);
	in(600);
	off_stack(B, 1);
	out(700);
	in(1700);
	end(1700);
	ck_assert_time(METRIC_RUNNABLE, B, 500);
	ck_assert_time(METRIC_BLOCKED, B, 1000);
}
END_TEST

/* B was seen to wait 300 ns and C 100: what nobody saw is taken to be like that, and said so. */
START_TEST(unseen_waits_are_like_those_that_were_seen)
{
	begin(0, true);
	sample(100, A);
	off_stack(B, 1);
	out(100);
	in(400);
	off_stack(C, 1);
	out(500);
	in(600);
	out(700);
	in(1900);
	settle(1900); /* none stood for others: not yet */
	ck_assert_uint_eq(all(METRIC_BLOCKED), 400);
	sample(2000, D);
	ck_assert_uint_eq(all(METRIC_BLOCKED), 400);
	end(2000);
	ck_assert_time(METRIC_BLOCKED, B, 300 + 900);
	ck_assert_time(METRIC_BLOCKED, C, 100 + 300);
	ck_assert_time(METRIC_BLOCKED, A, 0);
	ck_assert_time(METRIC_BLOCKED, D, 0);
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns, 400);
	ck_assert_uint_eq(profile.info.off_cpu_inferred_ns, 1200);
	ck_assert_uint_eq(all(METRIC_WALL), 2000);
}
END_TEST

START_TEST(waits_of_a_thread_that_shows_none_go_to_its_last_sample)
{
	begin(0, true);
	sample(100, A);
	out(300);
	in(1300);
	sample(1400, B);
	end(1500);
	ck_assert_time(METRIC_BLOCKED, B, 1000);
	ck_assert_uint_eq(profile.info.off_cpu_inferred_ns, 1000);
	ck_assert_uint_eq(all(METRIC_WALL), 1500);
}
END_TEST

/* The first sample may come after many waits: it has nothing to do with them. */
START_TEST(the_first_sample_does_not_take_the_waits_before_it)
{
	begin(0, true);
	for (uint64_t round = 0; round < 10; round++) {
		if (round == 5)
			off_stack(B, 1);
		out(1000 * round + 100);
		in(1000 * round + 900);
	}
	sample(9950, A);
	end(10000);
	ck_assert_time(METRIC_BLOCKED, B, 8000);
	ck_assert_time(METRIC_BLOCKED, A, 0);
}
END_TEST

/* Nothing tells the stacks of switches: the next sample on the CPU gets the waiting. */
START_TEST(without_switch_stacks_waiting_goes_to_the_next_sample)
{
	accounting.has_switch_stacks = false;
	begin(0, true);
	sample(100, A);
	out(200);
	in(1200);
	sample(1300, B);
	out(1400);
	in(1900);
	end(1900);
	ck_assert_time(METRIC_BLOCKED, B, 1000 + 500);
	ck_assert_time(METRIC_BLOCKED, A, 0);
	ck_assert_uint_eq(profile.info.off_cpu_inferred_ns, 1500);
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns, 0);
	ck_assert_uint_eq(all(METRIC_WALL), 1900);
	check_parts();
}
END_TEST

/* A long wait's stack is read while it lasts: it then counts as seen. */
START_TEST(a_stack_may_be_found_during_the_wait)
{
	accounting.has_switch_stacks = false;
	begin(0, true);
	sample(100, A);
	out(200);
	off_stack(C, 1);
	in(90200);
	sample(90300, B);
	end(90300);
	ck_assert_time(METRIC_BLOCKED, C, 90000);
	ck_assert_time(METRIC_BLOCKED, B, 0);
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns, 90000);
}
END_TEST

/*
 * Of many switches a few show their stack, and stand for those that do not: B for 3 more like its
 * 100 ns, C for one more like its 300 ns. The 1200 ns that nobody saw are split 1 : 1.
 */
START_TEST(unseen_waits_are_shared_by_weight_and_length)
{
	begin(0, true);
	sample(10, A);
	off_stack(B, 4);
	out(100);
	in(200);
	off_stack(C, 2);
	out(300);
	in(600);
	out(700);
	in(1900);
	settle(1900);
	ck_assert_time(METRIC_BLOCKED, B, 100 + 600);
	ck_assert_time(METRIC_BLOCKED, C, 300 + 600);
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns, 400);
	ck_assert_uint_eq(profile.info.off_cpu_shared_ns, 1200);
	end(2000);
	ck_assert_uint_eq(profile.info.off_cpu_inferred_ns, 0);
	ck_assert_uint_eq(all(METRIC_WALL), 2000);
	check_parts();
}
END_TEST

START_TEST(blocked_and_runnable_are_shared_apart)
{
	begin(0, true);
	sample(10, A);
	off_stack(B, 2);
	preempted(100);
	in(200);
	off_stack(C, 2);
	out(300);
	in(400);
	preempted(500);
	in(1500);
	out(1600);
	in(3600);
	end(3600);
	ck_assert_time(METRIC_RUNNABLE, B, 100 + 1000);
	ck_assert_time(METRIC_BLOCKED, C, 100 + 2000);
	ck_assert_uint_eq(all(METRIC_RUNNABLE), 1100);
	ck_assert_uint_eq(all(METRIC_BLOCKED), 2100);
}
END_TEST

/* 1000 ns among three alike is 333 each; the one that is left goes with the next sharing, or last.
 */
START_TEST(sharing_loses_nothing_to_rounding)
{
	begin(0, true);
	sample(10, A);
	for (int stack = A; stack <= C; stack++) {
		off_stack(stack, 2);
		out(100 + 200 * (uint64_t)stack);
		in(200 + 200 * (uint64_t)stack);
	}
	out(1000);
	in(2000);
	settle(2000);
	ck_assert_time(METRIC_BLOCKED, B, 100 + 333);
	ck_assert_time(METRIC_BLOCKED, C, 100 + 333);
	end(2100);
	ck_assert_uint_eq(all(METRIC_WALL), 2100);
	ck_assert_uint_eq(all(METRIC_BLOCKED), 1300);
}
END_TEST

/* --- regions ------------------------------------------------------------------------------------
 */

START_TEST(a_region_cuts_time_where_it_begins_and_ends)
{
	begin(0, true);
	sample(100, A);
	region(150, true);
	sample(200, B);
	region(270, false);
	sample(300, C);
	end(300);
	ck_assert_uint_eq(sum(METRIC_CPU, 0, true), 120);
	ck_assert_uint_eq(sum(METRIC_CPU, stacks[B], true), 50);
	ck_assert_uint_eq(sum(METRIC_CPU, stacks[B], false), 50);
	ck_assert_uint_eq(sum(METRIC_CPU, stacks[C], true), 70);
	ck_assert_uint_eq(sum(METRIC_SAMPLES, stacks[B], true), 1);
	ck_assert_uint_eq(sum(METRIC_SAMPLES, stacks[C], true), 0);
	ck_assert_uint_eq(sum(METRIC_SAMPLES, stacks[C], false), 1);
	ck_assert_uint_eq(all(METRIC_CPU), 300);
}
END_TEST

START_TEST(a_region_may_end_while_a_thread_waits)
{
	begin(0, true);
	sample(100, A);
	region(200, true);
	off_stack(B, 1);
	out(300);
	region(1000, false);
	in(5000);
	sample(5100, A);
	end(5100);
	ck_assert_uint_eq(sum(METRIC_BLOCKED, stacks[B], true), 700);
	ck_assert_uint_eq(sum(METRIC_BLOCKED, stacks[B], false), 4000);
	ck_assert_uint_eq(sum(METRIC_CPU, 0, true), 100);
	ck_assert_uint_eq(all(METRIC_WALL), 5100);
}
END_TEST

/* --- limits -------------------------------------------------------------------------------------
 */

START_TEST(a_lost_switch_in_is_made_up_for)
{
	begin(0, true);
	off_stack(B, 1);
	out(100);
	sample(1100, A); /* so it runs */
	ck_assert(thread->is_on_cpu);
	end(1200);
	ck_assert_time(METRIC_BLOCKED, B, 1000);
	ck_assert_uint_eq(all(METRIC_WALL), 1200);
	check_parts();
}
END_TEST

START_TEST(two_switches_the_same_way_lose_no_time)
{
	begin(0, true);
	sample(10, A);
	in(100);
	off_stack(B, 1);
	out(200);
	out(500);
	in(600);
	in(700);
	end(800);
	ck_assert_uint_eq(all(METRIC_WALL), 800);
	check_parts();
}
END_TEST

START_TEST(time_that_goes_back_counts_nothing)
{
	begin(1000, true);
	sample(2000, A);
	sample(1500, B);
	out(1200);
	in(2500);
	end(2400);
	ck_assert_time(METRIC_SAMPLES, B, 1);
	ck_assert_time(METRIC_CPU, B, 0);
	ck_assert_uint_eq(all(METRIC_WALL), 1500);
}
END_TEST

START_TEST(a_thread_may_end_at_once_or_asleep)
{
	begin(500, false);
	end(500);
	ck_assert_uint_eq(all(METRIC_WALL), 0);
	thread = add_thread(2);
	begin(600, true);
	off_stack(B, 1);
	out(700);
	end(1700);
	ck_assert_time(METRIC_BLOCKED, B, 1000);
	ck_assert_uint_eq(not_sampled(METRIC_CPU), 100);
}
END_TEST

/* As many different stacks as there are, more than are remembered: the totals stand. */
START_TEST(ticks_give_a_sample_its_cpu_time)
{
	begin(0, true);
	tick(1000, 900, 100);
	sample(1000, A);
	tick(3000, 1500, 0);
	sample(3000, B);
	tick(4000, 1000, 0);
	end(4000);
	ck_assert_time(METRIC_CPU, A, 900);
	ck_assert_time(METRIC_RUNNABLE, A, 100);
	ck_assert_time(METRIC_CPU, B, 1500 + 1000);
	ck_assert_time(METRIC_BLOCKED, B, 500); /* where, nobody saw */
	ck_assert_uint_eq(all(METRIC_WALL), 4000);
	ck_assert_uint_eq(all(METRIC_SAMPLES), 2);
	check_parts();
}
END_TEST

START_TEST(ticks_give_the_time_of_a_wait_to_its_stack)
{
	begin(0, true);
	tick(1000, 400, 0); /* it runs, and then is seen to wait */
	waits_in(1000, C);
	tick(9000, 200, 300);
	sample(9000, A);
	tick(9500, 100, 0); /* another wait */
	waits_in(9500, D);
	tick(10000, 0, 0);
	end(10000);
	ck_assert_time(METRIC_BLOCKED, C, 600 + 7500);
	ck_assert_time(METRIC_BLOCKED, D, 400 + 500);
	ck_assert_time(METRIC_CPU, A, 400 + 200 + 100);
	ck_assert_time(METRIC_RUNNABLE, A, 300);
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns, 7500 + 500);
	ck_assert_uint_eq(profile.info.off_cpu_inferred_ns, 600 + 400 + 300);
	ck_assert_uint_eq(all(METRIC_WALL), 10000);
	check_parts();
}
END_TEST

START_TEST(ticks_without_a_sample_are_not_sampled)
{
	begin(0, true);
	tick(1000, 700, 0);
	end(1000);
	ck_assert_uint_eq(not_sampled(METRIC_CPU), 700);
	ck_assert_uint_eq(not_sampled(METRIC_BLOCKED), 300);
	check_parts();
}
END_TEST

START_TEST(ticks_of_a_faster_clock_do_not_lose_time)
{
	begin(0, true);
	for (uint64_t i = 1; i <= 100; i++) {
		tick(i * 1000, i % 2 ? 1010 : 990, 50);
		sample(i * 1000, A);
	}
	end(100000);
	ck_assert_time(METRIC_CPU, A, 100000);
	ck_assert_uint_eq(all(METRIC_WALL), 100000);
	check_parts();
}
END_TEST

START_TEST(ticks_split_what_crosses_a_region)
{
	begin(0, true);
	region(500, true);
	tick(1000, 800, 100);
	sample(1000, A);
	region(1000, false);
	tick(2000, 0, 0);
	end(2000);
	ck_assert_uint_eq(sum(METRIC_CPU, stacks[A], true), 400);
	ck_assert_uint_eq(sum(METRIC_RUNNABLE, stacks[A], true), 50);
	ck_assert_uint_eq(sum(METRIC_WALL, stacks[A], true), 500);
	ck_assert_uint_eq(all(METRIC_WALL), 2000);
	check_parts();
}
END_TEST

START_TEST(a_thread_may_wait_in_hundreds_of_places)
{
	begin(0, true);
	for (uint64_t round = 0; round < 500; round++) {
		char name[32];

		snprintf(name, sizeof(name), "place %d", (int)round);
		if (round % 2)
			accounting_off_stack(thread,
				stacks_push(&profile.stacks, STACK_ROOTED,
					profile_special_frame(&profile, name)),
				1);
		out(1000 * round + 100);
		in(1000 * round + 900);
	}
	end(500000);
	ck_assert_uint_eq(all(METRIC_BLOCKED), 500 * 800);
	ck_assert_uint_eq(all(METRIC_WALL), 500000);
	ck_assert_uint_le(thread->seen.count, 100);
}
END_TEST

START_TEST(lives_of_years_do_not_overflow)
{
	const uint64_t year = UINT64_C(31557600) * 1000000000;

	begin(0, true);
	sample(1, A);
	off_stack(B, UINT32_MAX);
	out(year);
	in(2 * year);
	out(2 * year + 5);
	in(10 * year);
	settle(10 * year);
	end(11 * year);
	ck_assert_uint_eq(all(METRIC_WALL), 11 * year);
	check_parts();
}
END_TEST

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (random_state >> 33) % limit;
}

/* What the thread truly did. */
struct truth {
	uint64_t now, wall[2], cpu[2], samples;
	bool is_on_cpu, in_region;
};

static void pass_time(struct truth *truth, uint64_t length)
{
	truth->now += length;
	truth->wall[truth->in_region] += length;
	truth->cpu[truth->in_region] += truth->is_on_cpu ? length : 0;
}

static void leave(struct truth *truth)
{
	if (random_below(2))
		off_stack((int)random_below(STACKS), random_below(3) ? random_below(50) : 1);
	if (random_below(2))
		preempted(truth->now);
	else
		out(truth->now);
	truth->is_on_cpu = false;
}

static void something_happens(struct truth *truth)
{
	pass_time(truth, random_below(10) ? random_below(1000) : random_below(1000000));
	switch (random_below(8)) {
	case 0:
	case 1:
	case 2:
		if (truth->is_on_cpu) {
			sample(truth->now, (int)random_below(STACKS));
			truth->samples++;
		}
		break;
	case 3:
		truth->in_region = random_below(2);
		region(truth->now, truth->in_region);
		break;
	case 4:
		settle(truth->now);
		break;
	default:
		if (truth->is_on_cpu) {
			leave(truth);
		} else {
			in(truth->now);
			truth->is_on_cpu = true;
		}
	}
}

static void live(int events)
{
	struct truth truth = {.is_on_cpu = random_below(2)};

	process->in_region = false;
	begin(0, truth.is_on_cpu);
	for (int i = 0; i < events; i++)
		something_happens(&truth);
	pass_time(&truth, random_below(1000));
	end(truth.now);
	for (int region = 0; region < 2; region++) {
		ck_assert_uint_eq(sum(METRIC_WALL, 0, region), truth.wall[region]);
		ck_assert_uint_eq(sum(METRIC_CPU, 0, region), truth.cpu[region]);
	}
	ck_assert_uint_eq(all(METRIC_SAMPLES), truth.samples);
	ck_assert_uint_eq(profile.threads.threads.items[0].cpu_ns, all(METRIC_CPU));
	ck_assert_uint_eq(profile.info.off_cpu_measured_ns + profile.info.off_cpu_shared_ns +
				  profile.info.off_cpu_inferred_ns,
		all(METRIC_WALL) - all(METRIC_CPU));
	check_parts();
}

START_TEST(any_life_adds_up)
{
	random_state = 20240607;
	for (int life = 0; life < 2000; life++) {
		finish();
		start();
		accounting.has_switch_stacks = life % 2;
		live((int)random_below(life % 10 ? 40 : 400));
	}
}
END_TEST

Suite *accounting_suite(void);
Suite *accounting_suite(void)
{
	Suite *suite = suite_create("accounting");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, samples_share_the_time_since_the_one_before);
	tcase_add_test(core, a_thread_that_was_there_ran_when_it_next_leaves_the_cpu);
	tcase_add_test(core, a_thread_that_was_there_waited_for_a_cpu_when_it_next_gets_one);
	tcase_add_test(core, a_thread_that_was_there_waits_where_it_is_seen);
	tcase_add_test(core, cpu_time_waits_over_a_switch_for_the_next_sample);
	tcase_add_test(core, a_thread_without_samples_is_not_sampled);
	tcase_add_test(core, a_sampled_thread_has_nothing_not_sampled);
	tcase_add_test(core, squares_are_those_of_the_samples_weights);
	tcase_add_test(core, waiting_belongs_to_the_stack_that_left);
	tcase_add_test(core, who_was_preempted_could_have_run);
	tcase_add_test(core, unseen_waits_are_like_those_that_were_seen);
	tcase_add_test(core, waits_of_a_thread_that_shows_none_go_to_its_last_sample);
	tcase_add_test(core, the_first_sample_does_not_take_the_waits_before_it);
	tcase_add_test(core, without_switch_stacks_waiting_goes_to_the_next_sample);
	tcase_add_test(core, a_stack_may_be_found_during_the_wait);
	tcase_add_test(core, unseen_waits_are_shared_by_weight_and_length);
	tcase_add_test(core, blocked_and_runnable_are_shared_apart);
	tcase_add_test(core, sharing_loses_nothing_to_rounding);
	tcase_add_test(core, a_region_cuts_time_where_it_begins_and_ends);
	tcase_add_test(core, a_region_may_end_while_a_thread_waits);
	tcase_add_test(limits, a_lost_switch_in_is_made_up_for);
	tcase_add_test(limits, two_switches_the_same_way_lose_no_time);
	tcase_add_test(limits, time_that_goes_back_counts_nothing);
	tcase_add_test(limits, a_thread_may_end_at_once_or_asleep);
	tcase_add_test(core, ticks_give_a_sample_its_cpu_time);
	tcase_add_test(core, ticks_give_the_time_of_a_wait_to_its_stack);
	tcase_add_test(core, ticks_without_a_sample_are_not_sampled);
	tcase_add_test(core, ticks_split_what_crosses_a_region);
	tcase_add_test(limits, ticks_of_a_faster_clock_do_not_lose_time);
	tcase_add_test(limits, a_thread_may_wait_in_hundreds_of_places);
	tcase_add_test(limits, lives_of_years_do_not_overflow);
	tcase_add_test(limits, any_life_adds_up);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
