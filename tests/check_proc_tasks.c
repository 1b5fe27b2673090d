/*
 * What /proc/PID/task/TID/stat says of a thread, and the threads of a process: this one's.
 */
#include "collect/proc_tasks.h"

#include <check.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

START_TEST(a_line_is_taken_apart)
{
	struct proc_task task = {.pid = 7};

	ck_assert(proc_task_parse("4711 (server) S 1 4711 4711 0 -1 4194304 100", &task));
	ck_assert_uint_eq(task.tid, 4711);
	ck_assert_uint_eq(task.pid, 7);
	ck_assert_str_eq(task.name, "server");
	ck_assert_int_eq(task.state, 'S');
	ck_assert(!task.is_kernel_thread);
	ck_assert(proc_task_parse("2 (kthreadd) S 0 0 0 0 -1 2129984 0", &task));
	ck_assert(task.is_kernel_thread);
}
END_TEST

START_TEST(a_name_may_hold_anything)
{
	struct proc_task task;

	ck_assert(proc_task_parse("5 (a) R 1 (b) c) R 1 2 3 4 5 0 6", &task));
	ck_assert_str_eq(task.name, "a) R 1 (b) c");
	ck_assert_int_eq(task.state, 'R');
	ck_assert(proc_task_parse("5 () R 1 2 3 4 5 0 6", &task));
	ck_assert_str_eq(task.name, "");
}
END_TEST

START_TEST(a_long_name_is_cut)
{
	char line[300] = "5 (", name[200];
	struct proc_task task;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	strcat(strcat(line, name), ") R 1 2 3 4 5 0 6");
	ck_assert(proc_task_parse(line, &task));
	ck_assert_uint_eq(strlen(task.name), sizeof(task.name) - 1);
}
END_TEST

START_TEST(other_text_is_none)
{
	static const char *const lines[] = {"", "x", "5", "5 (", "5 )(", "(a) R 1 2 3 4 5 0",
		"5 (a)", "5 (a) ", "5 (a) R", "5 (a) R 1 2 3", "x (a) R 1 2 3 4 5 0 6"};
	struct proc_task task;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(!proc_task_parse(lines[i], &task), "'%s'", lines[i]);
}
END_TEST

static void *report(void *tid)
{
	*(uint32_t *)tid = (uint32_t)syscall(SYS_gettid);
	pause();
	return NULL;
}

struct search {
	uint32_t wanted;
	int found;
};

static void compare(void *context, uint32_t tid)
{
	struct search *search = context;

	search->found += tid == search->wanted;
}

START_TEST(the_threads_of_a_process_are_listed)
{
	volatile uint32_t tid = 0;
	struct search search = {0};
	struct proc_task task;
	pthread_t thread;
	uint32_t pid = (uint32_t)getpid();

	ck_assert_int_eq(pthread_create(&thread, NULL, report, (void *)&tid), 0);
	while (tid == 0)
		usleep(1000);
	pthread_setname_np(thread, "listed (1)");
	search.wanted = tid;
	ck_assert_uint_ge(proc_tasks_each(pid, compare, &search), 2);
	ck_assert_int_eq(search.found, 1);
	ck_assert(proc_task_read(pid, tid, &task));
	ck_assert_str_eq(task.name, "listed (1)");
	ck_assert_uint_eq(task.pid, pid);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(what_is_not_there_has_none)
{
	struct search search = {0};
	struct proc_task task;

	ck_assert_uint_eq(proc_tasks_each(4194305, compare, &search), 0);
	ck_assert(!proc_task_read(4194305, 4194305, &task));
}
END_TEST

Suite *proc_tasks_suite(void);

Suite *proc_tasks_suite(void)
{
	Suite *suite = suite_create("proc_tasks");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, a_line_is_taken_apart);
	tcase_add_test(core, the_threads_of_a_process_are_listed);
	tcase_add_test(limits, a_name_may_hold_anything);
	tcase_add_test(limits, a_long_name_is_cut);
	tcase_add_test(limits, other_text_is_none);
	tcase_add_test(limits, what_is_not_there_has_none);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
