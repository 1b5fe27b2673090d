/*
 * Many rings become one stream in order of time. The rings are memory of the test, which writes
 * them as the kernel does: context switches, whose time is the last field but one (sample_id_all).
 */
#include "base/alloc.h"
#include "collect/perf_events.h"
#include "collect/ring_merge.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { RINGS = 512, DATA_BYTES = 4096 };

/* As the kernel writes it after PERF_RECORD_SWITCH with our PERF_SAMPLE_TYPE. */
struct record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t time_ns;
	uint64_t identifier;
};

static struct ring rings[RINGS];
static struct ring_merge merge;

static void start(void)
{
	memset(rings, 0, sizeof(rings));
	for (int i = 0; i < RINGS; i++) {
		rings[i].fd = -1;
		if (i % 8 == 3)
			continue; /* closed */
		rings[i].page = alloc_zeroed(1, sizeof(*rings[i].page));
		rings[i].data = alloc_zeroed(1, DATA_BYTES);
		rings[i].data_bytes = DATA_BYTES;
	}
	ring_merge_init(&merge, rings, RINGS);
}

static void finish(void)
{
	ring_merge_release(&merge);
	for (int i = 0; i < RINGS; i++) {
		free(rings[i].page);
		free(rings[i].data);
	}
}

static void put(int ring, uint64_t time_ns)
{
	struct record record = {.header = {.type = PERF_RECORD_SWITCH, .size = sizeof(record)},
		.pid = ring,
		.tid = ring,
		.time_ns = time_ns};
	struct perf_event_mmap_page *page = rings[ring].page;

	memcpy(rings[ring].data + page->data_head % DATA_BYTES, &record, sizeof(record));
	page->data_head += sizeof(record);
}

static uint64_t next_time(size_t *ring)
{
	const struct record *record = (const void *)ring_merge_next(&merge, ring);

	if (!record)
		return 0;
	ck_assert_uint_eq(record->pid, *ring);
	return record->time_ns;
}

START_TEST(records_come_in_order_of_time)
{
	uint64_t last = 0, count = 0, time_ns;
	size_t ring;

	for (uint64_t n = 1; n <= 20; n++)
		for (int i = 0; i < RINGS; i++)
			if (rings[i].page)
				put(i, n * 1000 + (uint64_t)i * 7919 % 3000 % (n * 50));
	ring_merge_look(&merge, UINT64_MAX);
	while ((time_ns = next_time(&ring)) != 0) {
		ck_assert_uint_ge(time_ns, last);
		last = time_ns;
		count++;
	}
	ck_assert_uint_eq(count, 20 * RINGS / 8 * 7);
	for (int i = 0; i < RINGS; i++)
		if (rings[i].page)
			ck_assert_uint_eq(rings[i].page->data_tail, rings[i].page->data_head);
}
END_TEST

START_TEST(what_is_not_safe_yet_waits)
{
	size_t ring;

	put(1, 100);
	put(2, 50);
	put(1, 300);
	ring_merge_look(&merge, 300);
	ck_assert_uint_eq(next_time(&ring), 50);
	ck_assert_uint_eq(next_time(&ring), 100);
	ck_assert_uint_eq(next_time(&ring), 0);
	put(2, 200);
	ck_assert_uint_eq(next_time(&ring), 0); /* not looked at yet */
	ring_merge_look(&merge, 301);
	ck_assert_uint_eq(next_time(&ring), 200);
	ck_assert_uint_eq(ring, 2);
	ck_assert_uint_eq(next_time(&ring), 300);
	ck_assert_uint_eq(next_time(&ring), 0);
	ck_assert_uint_eq(rings[1].page->data_tail, rings[1].page->data_head);
}
END_TEST

START_TEST(a_record_keeps_its_room_until_the_next_call)
{
	size_t ring;

	put(5, 10);
	put(5, 20);
	ring_merge_look(&merge, UINT64_MAX);
	ck_assert_uint_eq(next_time(&ring), 10);
	ck_assert_uint_eq(rings[5].page->data_tail, 0);
	ring_merge_look(&merge, UINT64_MAX);
	ck_assert_uint_eq(rings[5].page->data_tail, sizeof(struct record));
	ck_assert_uint_eq(next_time(&ring), 20);
}
END_TEST

START_TEST(no_rings_and_empty_rings_give_nothing)
{
	size_t ring;

	ring_merge_look(&merge, UINT64_MAX);
	ck_assert_ptr_null(ring_merge_next(&merge, &ring));
	ck_assert_ptr_null(ring_merge_next(&merge, &ring));
}
END_TEST

Suite *ring_merge_suite(void);
Suite *ring_merge_suite(void)
{
	Suite *suite = suite_create("ring_merge");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_test(core, records_come_in_order_of_time);
	tcase_add_test(core, what_is_not_safe_yet_waits);
	tcase_add_test(core, a_record_keeps_its_room_until_the_next_call);
	suite_add_tcase(suite, core);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(limits, no_rings_and_empty_rings_give_nothing);
	suite_add_tcase(suite, limits);
	return suite;
}
