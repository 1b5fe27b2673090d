/*
 * Looks that cost more or less: the pace follows, and the limit is kept over any longer time.
 */
#include "collect/pacer.h"

#include <check.h>

#define MS 1000000u

/* Looks for `seconds`, each of which costs cost_ns, at a program that uses so many CPUs. */
static uint64_t look_for(struct pacer *pacer, double seconds, uint64_t cost_ns, double cpus)
{
	uint64_t passed_ns = 0, interval_ns = pacer->shortest_ns, looks = 0;

	while ((double)passed_ns < seconds * 1e9) {
		passed_ns += interval_ns;
		interval_ns = pacer_next(
			pacer, cost_ns, interval_ns, (uint64_t)((double)interval_ns * cpus));
		looks++;
	}
	return looks;
}

START_TEST(cheap_looks_keep_the_rate)
{
	struct pacer pacer;

	pacer_init(&pacer, 1000, 5);
	ck_assert_uint_eq(look_for(&pacer, 1, MS / 50, 1), 1000);
	ck_assert_uint_eq(pacer_cost_ppm(&pacer), 20000);
}
END_TEST

START_TEST(dear_looks_are_taken_less_often)
{
	struct pacer pacer;
	uint64_t looks;

	pacer_init(&pacer, 1000, 5);
	looks = look_for(&pacer, 10, MS, 1); /* 20 ms apart they cost 5 % */
	ck_assert_uint_ge(looks, 450);
	ck_assert_uint_le(looks, 510);
	ck_assert_uint_le(pacer_cost_ppm(&pacer), 51000);
}
END_TEST

START_TEST(the_limit_is_what_was_asked_for)
{
	struct pacer pacer;

	pacer_init(&pacer, 1000, 1);
	look_for(&pacer, 10, MS / 10, 1);
	ck_assert_uint_ge(pacer_cost_ppm(&pacer), 8000);
	ck_assert_uint_le(pacer_cost_ppm(&pacer), 10500);
}
END_TEST

START_TEST(many_cpus_share_the_cost)
{
	struct pacer pacer;
	uint64_t looks;

	pacer_init(&pacer, 1000, 5);
	looks = look_for(&pacer, 10, MS / 5, 4); /* 1 ms apart they cost 5 % of four CPUs */
	ck_assert_uint_ge(looks, 8500);
	ck_assert_uint_le(pacer_cost_ppm(&pacer), 51000);
}
END_TEST

START_TEST(a_single_dear_look_is_waited_for)
{
	struct pacer pacer;

	pacer_init(&pacer, 1000, 5);
	look_for(&pacer, 1, MS / 50, 1);
	ck_assert_uint_gt(pacer_next(&pacer, 50 * MS, MS, MS), 400 * MS);
	ck_assert_uint_le(pacer_next(&pacer, 5000 * (uint64_t)MS, MS, MS), 1000 * MS);
}
END_TEST

START_TEST(nothing_has_passed_yet)
{
	struct pacer pacer;

	pacer_init(&pacer, 999, 5);
	ck_assert_uint_eq(pacer_cost_ppm(&pacer), 0);
	ck_assert_uint_eq(pacer_next(&pacer, 0, 0, 0), 1000000000 / 999);
}
END_TEST

Suite *pacer_suite(void);

Suite *pacer_suite(void)
{
	Suite *suite = suite_create("pacer");
	TCase *core = tcase_create("core");
	TCase *limits = tcase_create("limits");

	tcase_add_test(core, cheap_looks_keep_the_rate);
	tcase_add_test(core, dear_looks_are_taken_less_often);
	tcase_add_test(core, the_limit_is_what_was_asked_for);
	tcase_add_test(core, many_cpus_share_the_cost);
	tcase_add_test(limits, a_single_dear_look_is_waited_for);
	tcase_add_test(limits, nothing_has_passed_yet);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
