/*
 * Stacks that are read from a process: what lies beyond a sample's copy, and where a thread waits.
 * The process is this one, or a child that waits.
 */
#include "base/alloc.h"
#include "collect/blocked.h"
#include "collect/outer_stack.h"
#include "collect/remote_memory.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, COPY = 16384, WHOLE = 1 << 20 };

/* A stack of numbers, the first COPY bytes of which went with the sample. */
static uint64_t *memory;
static uint8_t copy[COPY];
static struct event_sample sample;
static struct outer_stack *outer;

static void start(void)
{
	memory = mmap(
		NULL, WHOLE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	ck_assert_int_eq(munmap((uint8_t *)memory + WHOLE, PAGE), 0);
	for (size_t i = 0; i < WHOLE / sizeof(*memory); i++)
		memory[i] = i;
	memcpy(copy, memory, COPY);
	sample = (struct event_sample){.has_user = true,
		.stack = copy,
		.stack_bytes = COPY,
		.stack_is_cut = true,
		.registers.r[UNWIND_RSP] = (uint64_t)(uintptr_t)memory};
	outer = alloc_zeroed(1, sizeof(*outer));
	outer_stack_begin(outer, (uint32_t)getpid(), &sample);
}

static void finish(void)
{
	munmap(memory, WHOLE);
	free(outer);
}

static uint64_t address_of(size_t index)
{
	return (uint64_t)(uintptr_t)&memory[index];
}

static bool read_outer(size_t index, uint64_t *value)
{
	return outer_stack_read(outer, address_of(index), value);
}

START_TEST(the_rest_of_a_cut_stack_is_read)
{
	uint64_t value;

	for (size_t i = COPY / 8; i < WHOLE / 8; i += 97) {
		ck_assert(read_outer(i, &value));
		ck_assert_uint_eq(value, i);
	}
	ck_assert(read_outer(WHOLE / 8 - 1, &value));
	ck_assert_uint_eq(value, WHOLE / 8 - 1);
	ck_assert(read_outer(COPY / 8, &value)); /* back again */
	ck_assert_uint_eq(value, COPY / 8);
}
END_TEST

/* Three frames of the copy, and a fourth whose CFA lies beyond it. */
enum { FRAMES = 4 };
static uint64_t cfas[FRAMES];
static uint8_t flags[FRAMES];

static struct walk_result walk_of_copy(void)
{
	struct walk_result walk = {.cfas = cfas, .flags = flags, .depth = FRAMES};

	memset(flags, WALK_RETURN, sizeof(flags));
	flags[0] = 0;
	cfas[0] = address_of(10);
	cfas[1] = address_of(COPY / 8 - 64);
	cfas[2] = address_of(COPY / 8 - 4);
	cfas[3] = address_of(COPY / 8 + 100);
	return walk;
}

START_TEST(the_copy_vouches_for_frames_that_it_holds)
{
	struct walk_result walk = walk_of_copy();

	ck_assert_uint_eq(outer_stack_inside(&sample, &walk), 4); /* the last one's ip */
	cfas[1] = address_of(COPY / 8 + 1);
	ck_assert_uint_eq(outer_stack_inside(&sample, &walk), 2);
	cfas[0] = 0;
	ck_assert_uint_eq(outer_stack_inside(&sample, &walk), 1);
	cfas[0] = address_of(1); /* a return address at rsp: nothing lies below it */
	ck_assert_uint_eq(outer_stack_inside(&sample, &walk), 2);
}
END_TEST

/* A trampoline has the interrupted registers above rsp, which may point to any other stack. */
START_TEST(the_copy_vouches_for_an_interrupted_frame)
{
	struct walk_result walk = walk_of_copy();

	flags[1] |= WALK_SIGNAL;
	cfas[1] = 4096;
	cfas[2] = 4200;
	ck_assert_uint_eq(outer_stack_inside(&sample, &walk), 3);
	ck_assert(outer_stack_is_unchanged(outer, &walk, 3));
	memory[10 + 40 / 8]++;
	ck_assert(!outer_stack_is_unchanged(outer, &walk, 3));
	cfas[0] = address_of(COPY / 8 - 10); /* its registers are cut */
	ck_assert_uint_eq(outer_stack_inside(&sample, &walk), 2);
}
END_TEST

START_TEST(a_stack_that_moved_on_is_not_trusted)
{
	struct walk_result walk = walk_of_copy();

	ck_assert(outer_stack_is_unchanged(outer, &walk, 4));
	memory[COPY / 8 - 5]++; /* the outermost return address that was copied */
	ck_assert(!outer_stack_is_unchanged(outer, &walk, 4));
	memory[COPY / 8 - 5]--;
	memory[COPY / 8 - 66]++; /* what the next frame saved below its own */
	ck_assert(!outer_stack_is_unchanged(outer, &walk, 4));
	memory[COPY / 8 - 66]--;
	ck_assert(outer_stack_is_unchanged(outer, &walk, 4));
	outer->pid = 0; /* no process */
	ck_assert(!outer_stack_is_unchanged(outer, &walk, 4));
}
END_TEST

START_TEST(inner_frames_and_local_variables_may_change)
{
	struct walk_result walk = walk_of_copy();

	memory[0]++;
	memory[9]++; /* of frame 0, far inside */
	memory[COPY / 8 - 30]++;
	memory[COPY / 8 - 1]++;
	ck_assert(outer_stack_is_unchanged(outer, &walk, 4));
}
END_TEST

START_TEST(a_copy_within_one_frame_has_no_border)
{
	struct walk_result walk = walk_of_copy();

	ck_assert(!outer_stack_is_unchanged(outer, &walk, 1));
	ck_assert(outer_stack_is_mostly(outer, &walk, 0));
	ck_assert(outer_stack_is_mostly(outer, &walk, 1));
	ck_assert(!outer_stack_is_mostly(outer, &walk, 2));
}
END_TEST

START_TEST(only_what_a_larger_copy_could_hold_asks_for_one)
{
	uint64_t value;

	ck_assert(!outer->was_read);
	ck_assert(read_outer(COPY / 8, &value));
	ck_assert(outer->was_read && outer->was_beyond);
	outer_stack_begin(outer, (uint32_t)getpid(), &sample);
	ck_assert(outer_stack_read(outer, (uint64_t)(uintptr_t)&cfas[0], &value));
	ck_assert(outer->was_read && !outer->was_beyond);
	sample.stack_is_cut = false;
	outer_stack_begin(outer, (uint32_t)getpid(), &sample);
	ck_assert(read_outer(COPY / 8, &value));
	ck_assert(!outer->was_beyond);
}
END_TEST

/* What was read for one sample is not there for the next. */
START_TEST(each_sample_reads_anew)
{
	uint64_t value;

	ck_assert(read_outer(COPY / 8, &value));
	memory[COPY / 8] = 42;
	outer_stack_begin(outer, (uint32_t)getpid(), &sample);
	ck_assert(read_outer(COPY / 8, &value));
	ck_assert_uint_eq(value, 42);
}
END_TEST

START_TEST(memory_is_read_across_pages)
{
	uint8_t *bytes = alloc_bytes(WHOLE);
	uint64_t start_address = address_of(0) + 100;

	ck_assert_uint_eq(remote_memory_read((uint32_t)getpid(), start_address, bytes, WHOLE - 100),
		WHOLE - 100);
	ck_assert_mem_eq(bytes, (uint8_t *)memory + 100, WHOLE - 100);
	free(bytes);
}
END_TEST

static pid_t fork_waiting(void)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		for (;;)
			pause();
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* Until the child has come to its system call. */
static bool read_blocked(pid_t child, uint8_t *buffer, struct event_sample *blocked)
{
	for (int i = 0; i < 2000; i++) {
		if (blocked_read((uint32_t)child, (uint32_t)child, buffer, blocked))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return false;
}

START_TEST(a_waiting_process_shows_its_stack)
{
	uint8_t *buffer = alloc_bytes(BLOCKED_STACK_BYTES);
	uint64_t marker = 0x5ca1ab1e0ddba11, here = (uint64_t)(uintptr_t)&marker;
	struct event_sample blocked;
	pid_t child = fork_waiting(); /* with this very frame on its stack */

	ck_assert(read_blocked(child, buffer, &blocked));
	ck_assert(blocked.has_user);
	ck_assert_uint_eq(blocked.registers.known, 1u << UNWIND_RSP);
	ck_assert_uint_ne(blocked.registers.ip, 0);
	ck_assert_ptr_eq(blocked.stack, buffer);
	ck_assert_uint_lt(blocked.registers.r[UNWIND_RSP], here);
	ck_assert_uint_lt(here - blocked.registers.r[UNWIND_RSP], blocked.stack_bytes);
	ck_assert_mem_eq(
		blocked.stack + (here - blocked.registers.r[UNWIND_RSP]), &marker, sizeof(marker));
	end_child(child);
	free(buffer);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(nothing_is_read_where_nothing_is)
{
	uint64_t value = 1;
	uint8_t bytes[64];

	ck_assert(!read_outer(WHOLE / 8, &value));
	ck_assert(read_outer(WHOLE / 8 - 1, &value));
	ck_assert(!outer_stack_read(outer, address_of(WHOLE / 8) - 4, &value)); /* half of it */
	ck_assert(!outer_stack_read(outer, UINT64_MAX - 3, &value));
	ck_assert_uint_eq(
		remote_memory_read((uint32_t)getpid(), address_of(WHOLE / 8) - 24, bytes, 64), 24);
	ck_assert_uint_eq(remote_memory_read((uint32_t)getpid(), 16, bytes, 64), 0);
	ck_assert_uint_eq(remote_memory_read((uint32_t)getpid(), UINT64_MAX - 10, bytes, 64), 0);
	ck_assert_uint_eq(remote_memory_read((uint32_t)getpid(), address_of(0), bytes, 0), 0);
}
END_TEST

START_TEST(who_is_gone_shows_nothing)
{
	uint8_t *buffer = alloc_bytes(BLOCKED_STACK_BYTES), bytes[8];
	struct event_sample blocked;
	pid_t child = fork_waiting();

	end_child(child);
	ck_assert(!blocked_read((uint32_t)child, (uint32_t)child, buffer, &blocked));
	ck_assert_uint_eq(remote_memory_read((uint32_t)child, address_of(0), bytes, 8), 0);
	free(buffer);
}
END_TEST

START_TEST(who_runs_shows_nothing)
{
	uint8_t *buffer = alloc_bytes(BLOCKED_STACK_BYTES);
	struct event_sample blocked;
	pid_t child = fork();
	bool was_seen_running = false;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		for (volatile uint64_t i = 0;; i++)
			;
	/* While it waits for a CPU it may be looked at: it will get one. */
	for (int i = 0; i < 3000 && !was_seen_running; i++) {
		was_seen_running =
			!blocked_read((uint32_t)child, (uint32_t)child, buffer, &blocked);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	end_child(child);
	ck_assert(was_seen_running);
	free(buffer);
}
END_TEST

Suite *remote_stack_suite(void);
Suite *remote_stack_suite(void)
{
	Suite *suite = suite_create("remote_stack");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, the_rest_of_a_cut_stack_is_read);
	tcase_add_test(core, a_stack_that_moved_on_is_not_trusted);
	tcase_add_test(core, inner_frames_and_local_variables_may_change);
	tcase_add_test(core, the_copy_vouches_for_frames_that_it_holds);
	tcase_add_test(core, the_copy_vouches_for_an_interrupted_frame);
	tcase_add_test(core, only_what_a_larger_copy_could_hold_asks_for_one);
	tcase_add_test(core, each_sample_reads_anew);
	tcase_add_test(core, memory_is_read_across_pages);
	tcase_add_test(core, a_waiting_process_shows_its_stack);
	tcase_add_test(limits, nothing_is_read_where_nothing_is);
	tcase_add_test(limits, a_copy_within_one_frame_has_no_border);
	tcase_add_test(limits, who_is_gone_shows_nothing);
	tcase_add_test(limits, who_runs_shows_nothing);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
