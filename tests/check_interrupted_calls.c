/*
 * Registers of threads that were stopped: which calls begin again.
 */
#include "collect/interrupted_calls.h"

#include <check.h>
#include <errno.h>
#include <sys/syscall.h>

#define SHORT 0
#define LONG  1000000000u

static struct user_regs_struct stopped_in(long number, long result)
{
	return (struct user_regs_struct){
		.cs = 0x33, .orig_rax = (unsigned long)number, .rax = (unsigned long)result};
}

START_TEST(a_call_just_entered_begins_again)
{
	struct user_regs_struct registers = stopped_in(SYS_epoll_wait, -EINTR);

	registers.r10 = 1000;
	ck_assert(interrupted_call_begins_again(&registers, SHORT));
	registers = stopped_in(SYS_recvfrom, -EINTR);
	ck_assert(interrupted_call_begins_again(&registers, SHORT));
}
END_TEST

START_TEST(after_a_long_wait_only_without_a_limit)
{
	struct user_regs_struct registers = stopped_in(SYS_epoll_wait, -EINTR);

	registers.r10 = 1000;
	ck_assert(!interrupted_call_begins_again(&registers, LONG));
	registers.r10 = 0xffffffff; /* -1 as an int */
	ck_assert(interrupted_call_begins_again(&registers, LONG));
	registers = stopped_in(SYS_rt_sigtimedwait, -EINTR);
	ck_assert(interrupted_call_begins_again(&registers, LONG));
	registers.rdx = 0x7ffc00001000;
	ck_assert(!interrupted_call_begins_again(&registers, LONG));
	registers = stopped_in(SYS_semop, -EINTR);
	ck_assert(interrupted_call_begins_again(&registers, LONG));
	registers = stopped_in(SYS_recvfrom, -EINTR);
	ck_assert(!interrupted_call_begins_again(&registers, LONG));
}
END_TEST

START_TEST(everything_else_is_left_alone)
{
	struct user_regs_struct registers = stopped_in(SYS_epoll_wait, 1);

	ck_assert(!interrupted_call_begins_again(&registers, SHORT)); /* an event came */
	registers = stopped_in(SYS_epoll_wait, -EBADF);
	ck_assert(!interrupted_call_begins_again(&registers, SHORT));
	registers = stopped_in(SYS_close, -EINTR); /* the descriptor is gone all the same */
	ck_assert(!interrupted_call_begins_again(&registers, SHORT));
	registers = stopped_in(-1, -EINTR); /* in no call: a number that looks like an error */
	ck_assert(!interrupted_call_begins_again(&registers, SHORT));
	registers = stopped_in(SYS_epoll_wait, -EINTR);
	registers.cs = 0x23; /* 32-bit code has other numbers */
	ck_assert(!interrupted_call_begins_again(&registers, SHORT));
}
END_TEST

Suite *interrupted_calls_suite(void);

Suite *interrupted_calls_suite(void)
{
	Suite *suite = suite_create("interrupted_calls");
	TCase *core = tcase_create("core");
	TCase *limits = tcase_create("limits");

	tcase_add_test(core, a_call_just_entered_begins_again);
	tcase_add_test(core, after_a_long_wait_only_without_a_limit);
	tcase_add_test(limits, everything_else_is_left_alone);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
