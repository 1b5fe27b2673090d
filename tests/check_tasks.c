/* Live processes and threads: found by number, kept in their process's list, gone with the last. */
#include "collect/tasks.h"

#include <check.h>

static struct tasks tasks;

static void start(void)
{
	tasks = (struct tasks){0};
}

static void finish(void)
{
	tasks_release(&tasks);
}

static struct live_process *add_process(uint32_t pid, process_id id)
{
	return tasks_add_process(&tasks, pid, id, address_space_new());
}

/* The tids of a process's list, in its order, as a number of digits. */
static unsigned long listed(const struct live_process *process)
{
	unsigned long digits = 0;

	for (const struct live_thread *thread = process->threads; thread; thread = thread->next) {
		ck_assert_ptr_eq(*thread->link, thread);
		ck_assert_ptr_eq(thread->process, process);
		digits = digits * 10 + thread->tid;
	}
	return digits;
}

START_TEST(nothing_is_there_at_first)
{
	ck_assert_ptr_null(tasks_thread(&tasks, 1));
	ck_assert_ptr_null(tasks_process(&tasks, 1));
	tasks_visit(&tasks, NULL, NULL);
}
END_TEST

START_TEST(threads_are_found_and_listed)
{
	struct live_process *one = add_process(1, 11), *two = add_process(2, 12);
	struct live_thread *thread = tasks_add_thread(&tasks, one, 1, 21);

	tasks_add_thread(&tasks, one, 3, 22);
	tasks_add_thread(&tasks, two, 2, 23);
	tasks_add_thread(&tasks, one, 4, 24);
	ck_assert_ptr_eq(tasks_thread(&tasks, 1), thread);
	ck_assert_uint_eq(tasks_thread(&tasks, 3)->id, 22);
	ck_assert_ptr_eq(tasks_thread(&tasks, 2)->process, two);
	ck_assert_ptr_eq(tasks_process(&tasks, 1), one);
	ck_assert_uint_eq(tasks_process(&tasks, 2)->id, 12);
	ck_assert_ptr_null(tasks_process(&tasks, 3));
	ck_assert_ptr_null(tasks_thread(&tasks, 5));
	ck_assert_uint_eq(listed(one), 431);
	ck_assert_uint_eq(listed(two), 2);
	ck_assert_uint_eq(tasks.thread_count, 4);
	ck_assert_uint_eq(tasks.process_count, 2);
}
END_TEST

START_TEST(a_thread_is_removed_from_anywhere_in_the_list)
{
	struct live_process *process = add_process(1, 1);

	for (uint32_t tid = 1; tid <= 4; tid++)
		tasks_add_thread(&tasks, process, tid, tid);
	ck_assert_uint_eq(listed(process), 4321);
	tasks_remove_thread(&tasks, tasks_thread(&tasks, 3));
	ck_assert_uint_eq(listed(process), 421);
	tasks_remove_thread(&tasks, tasks_thread(&tasks, 4));
	ck_assert_uint_eq(listed(process), 21);
	tasks_remove_thread(&tasks, tasks_thread(&tasks, 1));
	ck_assert_uint_eq(listed(process), 2);
	ck_assert_ptr_null(tasks_thread(&tasks, 3));
	ck_assert_ptr_nonnull(tasks_thread(&tasks, 2));
	ck_assert_uint_eq(tasks.thread_count, 1);
}
END_TEST

START_TEST(the_last_thread_takes_the_process_along)
{
	struct live_process *process = add_process(1, 1);

	add_process(2, 2);
	tasks_add_thread(&tasks, process, 7, 1);
	tasks_add_thread(&tasks, process, 8, 2);
	*array_add(&tasks_thread(&tasks, 8)->estimates) = (struct off_estimate){.stack = 1};
	tasks_remove_thread(&tasks, tasks_thread(&tasks, 8));
	ck_assert_ptr_eq(tasks_process(&tasks, 1), process);
	tasks_remove_thread(&tasks, tasks_thread(&tasks, 7));
	ck_assert_ptr_null(tasks_process(&tasks, 1));
	ck_assert_ptr_nonnull(tasks_process(&tasks, 2));
	ck_assert_uint_eq(tasks.process_count, 1);
}
END_TEST

static void add_tid(void *context, struct live_thread *thread)
{
	*(uint64_t *)context += thread->tid;
}

START_TEST(every_thread_is_visited_once)
{
	struct live_process *process = add_process(1, 1);
	uint64_t sum = 0;

	for (uint32_t tid = 1; tid <= 1000; tid++)
		tasks_add_thread(&tasks, process, tid, tid);
	tasks_visit(&tasks, add_tid, &sum);
	ck_assert_uint_eq(sum, 1000 * 1001 / 2);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

/* Pids that fall into the same buckets, in more than any first size of table. */
START_TEST(thousands_come_and_go)
{
	enum { COUNT = 5000, STRIDE = 1024 };

	for (uint32_t i = 1; i <= COUNT; i++) {
		struct live_process *process = add_process(i * STRIDE, i);

		tasks_add_thread(&tasks, process, i * STRIDE, i);
		tasks_add_thread(&tasks, process, i * STRIDE + 1, COUNT + i);
	}
	ck_assert_uint_eq(tasks.thread_count, 2 * COUNT);
	for (uint32_t i = 1; i <= COUNT; i++) {
		ck_assert_uint_eq(tasks_process(&tasks, i * STRIDE)->id, i);
		ck_assert_uint_eq(tasks_thread(&tasks, i * STRIDE)->id, i);
		ck_assert_uint_eq(tasks_thread(&tasks, i * STRIDE + 1)->id, COUNT + i);
	}
	for (uint32_t i = 2; i <= COUNT; i += 2) {
		tasks_remove_thread(&tasks, tasks_thread(&tasks, i * STRIDE));
		tasks_remove_thread(&tasks, tasks_thread(&tasks, i * STRIDE + 1));
	}
	ck_assert_uint_eq(tasks.process_count, COUNT / 2);
	for (uint32_t i = 1; i <= COUNT; i++)
		ck_assert_int_eq(tasks_process(&tasks, i * STRIDE) != NULL, i % 2);
}
END_TEST

START_TEST(a_number_is_used_again)
{
	struct live_process *process = add_process(5, 1);

	tasks_add_thread(&tasks, process, 5, 1);
	tasks_remove_thread(&tasks, tasks_thread(&tasks, 5));
	process = add_process(5, 2);
	tasks_add_thread(&tasks, process, 5, 2);
	ck_assert_uint_eq(tasks_process(&tasks, 5)->id, 2);
	ck_assert_uint_eq(tasks_thread(&tasks, 5)->id, 2);
}
END_TEST

START_TEST(releasing_takes_processes_without_threads_too)
{
	add_process(1, 1);
	tasks_add_thread(&tasks, add_process(UINT32_MAX, 2), UINT32_MAX, 1);
	tasks_release(&tasks);
	ck_assert_uint_eq(tasks.process_count, 0);
	ck_assert_ptr_null(tasks_thread(&tasks, UINT32_MAX));
}
END_TEST

Suite *tasks_suite(void);
Suite *tasks_suite(void)
{
	Suite *suite = suite_create("tasks");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, nothing_is_there_at_first);
	tcase_add_test(core, threads_are_found_and_listed);
	tcase_add_test(core, a_thread_is_removed_from_anywhere_in_the_list);
	tcase_add_test(core, the_last_thread_takes_the_process_along);
	tcase_add_test(core, every_thread_is_visited_once);
	tcase_add_test(limits, thousands_come_and_go);
	tcase_add_test(limits, a_number_is_used_again);
	tcase_add_test(limits, releasing_takes_processes_without_threads_too);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
