/*
 * The ring that the kernel writes and we read: here the test is the kernel. Records are headers
 * with a number behind them; the memory is ours, not mapped.
 */
#include "base/alloc.h"
#include "collect/ring.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_BYTES = 128 << 10, LARGEST = 65528 };

static struct perf_event_mmap_page page;
static uint8_t data[DATA_BYTES] __attribute__((aligned(8)));
static struct ring ring;
static uint64_t written; /* bytes, as the kernel counts them */

static void start(void)
{
	memset(data, 0xee, sizeof(data));
	page = (struct perf_event_mmap_page){0};
	ring = (struct ring){.fd = -1, .page = &page, .data = data, .data_bytes = DATA_BYTES};
	ring.wrapped = alloc_bytes(65536);
	written = 0;
}

static void finish(void)
{
	free(ring.wrapped);
}

static void put_bytes(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[written++ % DATA_BYTES] = ((const uint8_t *)bytes)[i];
}

/* A record whose body is `number` over and over; the kernel never overtakes the reader. */
static void put(uint16_t size, uint64_t number)
{
	struct perf_event_header header = {.type = PERF_RECORD_SAMPLE, .size = size};

	ck_assert_uint_le(written + size - page.data_tail, DATA_BYTES);
	put_bytes(&header, sizeof(header));
	for (size_t at = sizeof(header); at < size; at += sizeof(number))
		put_bytes(&number, sizeof(number));
	page.data_head = written;
}

static void expect(uint16_t size, uint64_t number)
{
	const struct perf_event_header *record = ring_peek(&ring);
	const uint64_t *words = (const void *)(record + 1);
	size_t wrong = 0;

	ck_assert_ptr_nonnull(record);
	ck_assert_uint_eq(record->size, size);
	for (size_t i = 0; i < (size - sizeof(*record)) / sizeof(*words); i++)
		wrong += words[i] != number;
	ck_assert_uint_eq(wrong, 0);
}

static void take(uint16_t size, uint64_t number)
{
	expect(size, number);
	ring_skip(&ring, ring_peek(&ring));
}

START_TEST(records_come_in_the_order_they_were_written)
{
	ring_look(&ring);
	ck_assert_ptr_null(ring_peek(&ring));
	put(24, 1);
	put(48, 2);
	put(8, 0);
	ck_assert_ptr_null(ring_peek(&ring)); /* nobody has looked yet */
	ring_look(&ring);
	take(24, 1);
	take(48, 2);
	take(8, 0);
	ck_assert_ptr_null(ring_peek(&ring));
}
END_TEST

START_TEST(a_record_stays_until_it_is_skipped)
{
	put(24, 1);
	put(24, 2);
	ring_look(&ring);
	ck_assert_ptr_eq(ring_peek(&ring), ring_peek(&ring));
	ck_assert_uint_eq(page.data_tail, 0);
	take(24, 1);
	ck_assert_uint_eq(page.data_tail, 24);
	take(24, 2);
	ck_assert_uint_eq(page.data_tail, 48);
}
END_TEST

START_TEST(what_comes_later_is_seen_at_the_next_look)
{
	put(24, 1);
	ring_look(&ring);
	put(24, 2);
	take(24, 1);
	ck_assert_ptr_null(ring_peek(&ring));
	ring_look(&ring);
	take(24, 2);
}
END_TEST

/* Moves the next record to be written to `offset` in the ring's first round. */
static void fill_to(uint64_t offset)
{
	while (written < offset) {
		uint64_t left = offset - written;

		put(left > 32768 ? 32768 : (uint16_t)left, 77);
		ring_look(&ring);
		take(left > 32768 ? 32768 : (uint16_t)left, 77);
	}
}

START_TEST(a_record_that_wraps_is_whole)
{
	fill_to(DATA_BYTES - 16);
	put(64, 5);
	put(24, 6);
	ring_look(&ring);
	expect(64, 5);
	expect(64, 5);
	ck_assert_ptr_eq(ring_peek(&ring), ring.wrapped);
	take(64, 5);
	ck_assert_uint_eq(page.data_tail, DATA_BYTES + 48);
	take(24, 6);
	ck_assert_ptr_null(ring_peek(&ring));
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(a_record_may_end_where_the_memory_does)
{
	fill_to(DATA_BYTES - 64);
	put(64, 5);
	put(64, 6);
	ring_look(&ring);
	ck_assert_ptr_eq(ring_peek(&ring), (void *)(data + DATA_BYTES - 64));
	take(64, 5);
	ck_assert_ptr_eq(ring_peek(&ring), (void *)data);
	take(64, 6);
}
END_TEST

START_TEST(only_the_header_may_lie_before_the_end)
{
	fill_to(DATA_BYTES - 8);
	put(40, 9);
	ring_look(&ring);
	take(40, 9);
}
END_TEST

START_TEST(the_largest_record_may_wrap)
{
	for (uint64_t offset = 8; offset < LARGEST; offset += 8191 * 8) {
		finish();
		start();
		fill_to(DATA_BYTES - offset);
		put(LARGEST, offset);
		ring_look(&ring);
		take(LARGEST, offset);
	}
}
END_TEST

/* Round after round, each wrap at another place; the second wrapped record is not the first. */
START_TEST(rounds_without_end)
{
	uint64_t number = 0;

	for (int i = 0; i < 2000; i++) {
		uint16_t size = (uint16_t)(8 * (1 + (i * 37) % 700)), next = (uint16_t)(size + 16);

		put(size, number);
		put(next, number + 1);
		ring_look(&ring);
		take(size, number);
		take(next, number + 1);
		number += 2;
	}
	ck_assert_uint_gt(written, 20 * (uint64_t)DATA_BYTES);
	ck_assert_uint_eq(page.data_tail, written);
}
END_TEST

START_TEST(a_full_ring_is_emptied)
{
	fill_to(4096);
	put(65528, 1);
	put(65528, 2);
	put(16, 3);
	ck_assert_uint_eq(written - page.data_tail, DATA_BYTES);
	ring_look(&ring);
	take(65528, 1);
	take(65528, 2);
	take(16, 3);
	ck_assert_ptr_null(ring_peek(&ring));
}
END_TEST

START_TEST(what_cannot_be_mapped_is_an_error)
{
	struct ring none;
	struct error err;

	ck_assert_int_eq(ring_open(&none, -1, 512 << 10, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot map"));
	ring_close(&none);
}
END_TEST

Suite *ring_suite(void);
Suite *ring_suite(void)
{
	Suite *suite = suite_create("ring");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, records_come_in_the_order_they_were_written);
	tcase_add_test(core, a_record_stays_until_it_is_skipped);
	tcase_add_test(core, what_comes_later_is_seen_at_the_next_look);
	tcase_add_test(core, a_record_that_wraps_is_whole);
	tcase_add_test(limits, a_record_may_end_where_the_memory_does);
	tcase_add_test(limits, only_the_header_may_lie_before_the_end);
	tcase_add_test(limits, the_largest_record_may_wrap);
	tcase_add_test(limits, rounds_without_end);
	tcase_add_test(limits, a_full_ring_is_emptied);
	tcase_add_test(limits, what_cannot_be_mapped_is_an_error);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
