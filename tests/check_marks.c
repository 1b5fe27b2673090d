/* What cprof.h writes and marks.c reads, both in this process; memory that a program has spoilt. */
#include "collect/marks.h"

#include "agent/cprof.h"

#include <check.h>
#include <stdlib.h>

static struct marks marks;

static void start(void)
{
	struct error err;

	ck_assert_msg(
		marks_open(&marks, &(struct target){.pid = getpid()}, &err) == 0, "%s", err.text);
}

static void finish(void)
{
	marks_close(&marks);
}

static bool next(struct event *event)
{
	return marks_next(&marks, UINT64_MAX, event);
}

static void expect(uint8_t kind, const char *name)
{
	struct event event;

	ck_assert(next(&event));
	ck_assert_int_eq(event.kind, EVENT_MARK);
	ck_assert_uint_eq(event.mark.kind, kind);
	ck_assert_str_eq(event.mark.name, name);
}

START_TEST(marks_arrive_in_order)
{
	struct event event;
	struct timespec before, after;

	ck_assert(!next(&event));
	clock_gettime(CLOCK_MONOTONIC, &before);
	cprof_start();
	clock_gettime(CLOCK_MONOTONIC, &after);
	cprof_mark("half way");
	cprof_stop();
	ck_assert(next(&event));
	ck_assert_int_eq(event.kind, EVENT_MARK);
	ck_assert_uint_eq(event.mark.kind, CPROF_MARK_START);
	ck_assert_str_eq(event.mark.name, "");
	ck_assert_uint_eq(event.pid, (uint32_t)getpid());
	ck_assert_uint_eq(event.tid, (uint32_t)syscall(SYS_gettid));
	ck_assert_uint_ge(
		event.time_ns, (uint64_t)before.tv_sec * 1000000000 + (uint64_t)before.tv_nsec);
	ck_assert_uint_le(
		event.time_ns, (uint64_t)after.tv_sec * 1000000000 + (uint64_t)after.tv_nsec);
	expect(CPROF_MARK_NAMED, "half way");
	expect(CPROF_MARK_STOP, "");
	ck_assert(!next(&event));
	ck_assert_uint_eq(marks.lost, 0);
}
END_TEST

START_TEST(a_mark_waits_until_its_time)
{
	struct event event;
	uint64_t time_ns;

	cprof_mark("one");
	cprof_mark("two");
	time_ns = marks.shared->slots[0].time_ns;
	marks.shared->slots[1].time_ns = time_ns + 10;
	ck_assert(!marks_next(&marks, time_ns, &event));
	ck_assert(marks_next(&marks, time_ns + 1, &event));
	ck_assert_str_eq(event.mark.name, "one");
	ck_assert(!marks_next(&marks, time_ns + 10, &event));
	ck_assert(marks_next(&marks, time_ns + 11, &event));
	ck_assert_str_eq(event.mark.name, "two");
}
END_TEST

START_TEST(a_name_is_cut_to_its_room)
{
	char name[200], cut[CPROF_MARK_NAME_MAX];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memcpy(cut, name, sizeof(cut));
	cut[sizeof(cut) - 1] = '\0';
	cprof_mark(name);
	cprof_mark("");
	cprof_mark(NULL);
	expect(CPROF_MARK_NAMED, cut);
	expect(CPROF_MARK_NAMED, "");
	expect(CPROF_MARK_NAMED, "");
}
END_TEST

START_TEST(marks_keep_errno)
{
	errno = 42;
	cprof_mark("looks for the recorder");
	ck_assert_int_eq(errno, 42);
	cprof_mark("has found it");
	ck_assert_int_eq(errno, 42);
}
END_TEST

START_TEST(slots_are_used_again_and_again)
{
	char name[32];

	for (int round = 0; round < 5 * CPROF_MARKS_SLOTS; round++) {
		snprintf(name, sizeof(name), "%d", round);
		cprof_mark(name);
		if (round % 700 == 699 || round == 5 * CPROF_MARKS_SLOTS - 1)
			for (int read = round - round % 700; read <= round; read++) {
				snprintf(name, sizeof(name), "%d", read);
				expect(CPROF_MARK_NAMED, name);
			}
	}
	ck_assert_uint_eq(marks.lost, 0);
}
END_TEST

START_TEST(only_the_owner_may_see_it)
{
	struct stat status;

	ck_assert_int_eq(stat(marks.path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_uint_eq(status.st_uid, geteuid());
}
END_TEST

START_TEST(closing_takes_it_away)
{
	struct event event;
	char path[sizeof(marks.path)];

	memcpy(path, marks.path, sizeof(path));
	cprof_mark("seen");
	ck_assert_int_eq(access(path, F_OK), 0);
	marks_close(&marks);
	ck_assert_int_eq(access(path, F_OK), -1);
	cprof_mark("goes nowhere");
	ck_assert(!marks_next(&marks, UINT64_MAX, &event));
	marks_close(&marks);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(what_is_overwritten_is_counted)
{
	struct event event;
	char name[32];
	int expected = 100, count = 0;

	for (int round = 0; round < CPROF_MARKS_SLOTS + 100; round++) {
		snprintf(name, sizeof(name), "%d", round);
		cprof_mark(name);
	}
	while (next(&event)) {
		snprintf(name, sizeof(name), "%d", expected + count++);
		ck_assert_str_eq(event.mark.name, name);
	}
	ck_assert_int_eq(count, CPROF_MARKS_SLOTS);
	ck_assert_uint_eq(marks.lost, 100);
}
END_TEST

START_TEST(a_mark_is_not_read_while_it_is_written)
{
	struct event event;

	cprof_mark("written");
	marks.shared->slots[0].number = 0;
	ck_assert(!next(&event));
	ck_assert_uint_eq(marks.lost, 0);
	marks.shared->slots[0].number = 1;
	expect(CPROF_MARK_NAMED, "written");
}
END_TEST

/* The writer was killed: the slot stays open, and the next mark shows that nobody will close it. */
START_TEST(an_unfinished_mark_does_not_stop_the_others)
{
	struct event event;

	cprof_mark("never finished");
	marks.shared->slots[0].number = 0;
	cprof_mark("after it");
	expect(CPROF_MARK_NAMED, "after it");
	ck_assert_uint_eq(marks.lost, 1);
	ck_assert(!next(&event));
}
END_TEST

/* The memory is the program's: whatever stands there may not harm us or our file. */
START_TEST(nonsense_is_passed_over)
{
	struct event event;

	cprof_mark("of no kind");
	cprof_mark("good");
	marks.shared->slots[0].kind = 77;
	memset(marks.shared->slots[1].name, 'x', sizeof(marks.shared->slots[1].name));
	ck_assert(next(&event));
	ck_assert_uint_eq(strlen(event.mark.name), CPROF_MARK_NAME_MAX - 1);
	ck_assert_uint_eq(marks.lost, 1);
	marks.shared->next = UINT64_MAX;
	ck_assert(!next(&event));
	marks.shared->next = 0;
	ck_assert(!next(&event));
	memset(marks.shared, 0xff, sizeof(*marks.shared));
	ck_assert(!next(&event));
}
END_TEST

START_TEST(a_left_over_is_replaced)
{
	struct marks second;
	struct event event;
	struct error err;

	cprof_mark("of the recording that died");
	ck_assert_int_eq(marks_open(&second, &(struct target){.pid = getpid()}, &err), 0);
	ck_assert(!marks_next(&second, UINT64_MAX, &event));
	marks_close(&second);
}
END_TEST

/* The next recording removes what a killed one left; not what a living one uses, or others' files.
 */
START_TEST(left_overs_of_the_dead_are_removed)
{
	static const char *const left = "/dev/shm/cprof.4194999", *const other =
									  "/dev/shm/cprof.x1";
	struct marks second;
	struct error err;

	close(open(left, O_RDWR | O_CREAT, 0600)); /* above the highest pid there is */
	close(open(other, O_RDWR | O_CREAT, 0600));
	ck_assert_int_eq(marks_open(&second, &(struct target){.pid = getppid()}, &err), 0);
	ck_assert_int_eq(access(left, F_OK), -1);
	ck_assert_int_eq(access(other, F_OK), 0);
	ck_assert_int_eq(access(marks.path, F_OK), 0);
	marks_close(&second);
	unlink(other);
}
END_TEST

START_TEST(what_is_in_the_way_is_an_error)
{
	struct marks other;
	struct error err;
	char path[64];

	marks_close(&marks);
	snprintf(path, sizeof(path), "/dev/shm/cprof.%d", (int)getpid());
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(marks_open(&other, &(struct target){.pid = getpid()}, &err), -1);
	rmdir(path);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	marks_close(&other);
}
END_TEST

Suite *marks_suite(void);
Suite *marks_suite(void)
{
	Suite *suite = suite_create("marks");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, marks_arrive_in_order);
	tcase_add_test(core, a_mark_waits_until_its_time);
	tcase_add_test(core, a_name_is_cut_to_its_room);
	tcase_add_test(core, marks_keep_errno);
	tcase_add_test(core, slots_are_used_again_and_again);
	tcase_add_test(core, only_the_owner_may_see_it);
	tcase_add_test(core, closing_takes_it_away);
	tcase_add_test(limits, what_is_overwritten_is_counted);
	tcase_add_test(limits, a_mark_is_not_read_while_it_is_written);
	tcase_add_test(limits, an_unfinished_mark_does_not_stop_the_others);
	tcase_add_test(limits, nonsense_is_passed_over);
	tcase_add_test(limits, a_left_over_is_replaced);
	tcase_add_test(limits, left_overs_of_the_dead_are_removed);
	tcase_add_test(limits, what_is_in_the_way_is_an_error);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
