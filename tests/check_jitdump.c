#include "jit/jitdump.h"

#include "base/bytes.h"

#include <check.h>
#include <stdlib.h>

Suite *jitdump_suite(void);

static struct bytes bytes;

static void put32(uint32_t value)
{
	bytes_put(&bytes, &value, sizeof(value));
}

static void put64(uint64_t value)
{
	bytes_put(&bytes, &value, sizeof(value));
}

static void put_text(const char *text)
{
	bytes_put(&bytes, text, strlen(text) + 1);
}

static void put_header(uint32_t magic, uint32_t size, uint64_t flags)
{
	put32(magic);
	put32(1);
	put32(size);
	put32(62);
	put32(0);
	put32(4711);
	put64(1000);
	put64(flags);
}

/* A record of this kind; its size is filled in by end_record(). */
static size_t begin_record(uint32_t id, uint64_t time_ns)
{
	size_t start = bytes.count;

	put32(id);
	put32(0);
	put64(time_ns);
	return start;
}

static void end_record(size_t start)
{
	uint32_t size = bytes.count - start;

	memcpy(bytes.items + start + 4, &size, sizeof(size));
}

static void put_load(uint64_t time_ns, uint64_t address, uint64_t size, const char *name)
{
	size_t start = begin_record(JITDUMP_LOAD, time_ns);

	put32(1);
	put32(2);
	put64(address);
	put64(address);
	put64(size);
	put64(7);
	put_text(name);
	put64(0xc3c3c3c3c3c3c3c3); /* the code */
	end_record(start);
}

static void put_move(uint64_t time_ns, uint64_t from, uint64_t to, uint64_t size)
{
	size_t start = begin_record(JITDUMP_MOVE, time_ns);

	put32(1);
	put32(2);
	put64(to);
	put64(from);
	put64(to);
	put64(size);
	put64(7);
	end_record(start);
}

static void put_debug(uint64_t time_ns, uint64_t address, uint64_t count)
{
	size_t start = begin_record(JITDUMP_DEBUG, time_ns);

	put64(address);
	put64(count);
	put64(address);
	put32(10);
	put32(0);
	put_text("fib.js");
	put64(address + 4);
	put32(11);
	put32(0);
	put_text("\xff");
	end_record(start);
}

static void setup(void)
{
	bytes = (struct bytes){0};
}

static void teardown(void)
{
	array_release(&bytes);
}

static enum jitdump_state next(size_t *at, struct jitdump_record *record, size_t *wanted)
{
	const uint8_t *from = bytes.items + *at;
	enum jitdump_state state = jitdump_next(&from, bytes.items + bytes.count, record, wanted);

	*at = from - bytes.items;
	return state;
}

START_TEST(header_is_read)
{
	struct jitdump_header header;

	put_header(0x4a695444, 40, 0);
	ck_assert_int_eq(jitdump_header_read(bytes.items, 39, &header), JITDUMP_NEEDS_MORE);
	ck_assert_int_eq(jitdump_header_read(bytes.items, 40, &header), JITDUMP_READ);
	ck_assert_uint_eq(header.size, 40);
	ck_assert_uint_eq(header.pid, 4711);
	ck_assert_uint_eq(header.time_ns, 1000);
	ck_assert(!header.has_foreign_times);
	bytes.count = 0;
	put_header(0x4a695444, 48, 1);
	ck_assert_int_eq(jitdump_header_read(bytes.items, 40, &header), JITDUMP_READ);
	ck_assert(header.has_foreign_times);
}
END_TEST

START_TEST(records_are_read)
{
	struct jitdump_record record;
	struct jitdump_line line;
	size_t at = 0, wanted;

	put_debug(4, 0x1000, 2);
	put_load(5, 0x1000, 8, "fib");
	put_move(6, 0x1000, 0x2000, 8);
	end_record(begin_record(JITDUMP_CLOSE, 7));

	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
	ck_assert_int_eq(record.kind, JITDUMP_DEBUG);
	ck_assert(jitdump_next_line(&record.lines, &line));
	ck_assert_uint_eq(line.address, 0x1000);
	ck_assert_uint_eq(line.line, 10);
	ck_assert_str_eq(line.file, "fib.js");
	ck_assert(jitdump_next_line(&record.lines, &line));
	ck_assert_uint_eq(line.line, 11);
	ck_assert_str_eq(line.file, "fib.js");
	ck_assert(!jitdump_next_line(&record.lines, &line));

	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
	ck_assert_int_eq(record.kind, JITDUMP_LOAD);
	ck_assert_uint_eq(record.time_ns, 5);
	ck_assert_uint_eq(record.address, 0x1000);
	ck_assert_uint_eq(record.size, 8);
	ck_assert_str_eq(record.name, "fib");

	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
	ck_assert_int_eq(record.kind, JITDUMP_MOVE);
	ck_assert_uint_eq(record.old_address, 0x1000);
	ck_assert_uint_eq(record.address, 0x2000);

	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
	ck_assert_int_eq(record.kind, JITDUMP_CLOSE);
	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_NEEDS_MORE);
}
END_TEST

START_TEST(record_that_is_not_all_there_waits)
{
	struct jitdump_record record;
	size_t whole, at = 0, wanted;

	put_load(5, 0x1000, 8, "fib");
	whole = bytes.count;
	for (bytes.count = 0; bytes.count < whole; bytes.count++) {
		ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_NEEDS_MORE);
		ck_assert_uint_eq(at, 0);
		ck_assert_uint_eq(wanted, bytes.count < 16 ? 16 : whole);
	}
	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
}
END_TEST

START_TEST(other_files_are_refused)
{
	static const uint32_t magics[] = {0x4454694a /* the other byte order */, 0, 0x464c457f};
	struct jitdump_header header;

	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		bytes.count = 0;
		put_header(magics[i], 40, 0);
		ck_assert_int_eq(
			jitdump_header_read(bytes.items, bytes.count, &header), JITDUMP_DAMAGED);
	}
	bytes.count = 0;
	put_header(0x4a695444, 39, 0);
	ck_assert_int_eq(jitdump_header_read(bytes.items, 40, &header), JITDUMP_DAMAGED);
}
END_TEST

START_TEST(damage_is_found)
{
	struct jitdump_record record;
	struct jitdump_line line;
	size_t at = 0, wanted, start;

	put_load(5, 0x1000, 0, "no size"); /* passed over */
	put_load(5, UINT64_MAX - 3, 8, "wraps");
	start = begin_record(JITDUMP_LOAD, 5); /* no name's end */
	for (int i = 0; i < 6; i++)
		put64(UINT64_MAX);
	end_record(start);
	end_record(begin_record(JITDUMP_MOVE, 5)); /* too short */
	end_record(begin_record(77, 5));	   /* unknown */
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
		ck_assert_int_eq(record.kind, JITDUMP_OTHER);
	}
	put_debug(5, 0x1000, UINT64_MAX); /* more lines than it has */
	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_READ);
	ck_assert(jitdump_next_line(&record.lines, &line));
	ck_assert(jitdump_next_line(&record.lines, &line));
	ck_assert(!jitdump_next_line(&record.lines, &line));
	start = begin_record(JITDUMP_LOAD, 5); /* of size 0 */
	ck_assert_int_eq(next(&at, &record, &wanted), JITDUMP_DAMAGED);
	ck_assert_uint_eq(at, start);
}
END_TEST

Suite *jitdump_suite(void)
{
	Suite *suite = suite_create("jitdump");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_add_test(core, header_is_read);
	tcase_add_test(core, records_are_read);
	tcase_add_test(core, record_that_is_not_all_there_waits);
	tcase_add_test(limits, other_files_are_refused);
	tcase_add_test(limits, damage_is_found);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
