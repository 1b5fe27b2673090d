/*
 * The kernel's records as events. Each record lies once against the end and once against the start
 * of readable memory, so that a byte read beside it is a crash, in every build.
 */
#include "collect/perf_record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Ids of the events on our CPU. */
enum { TRACK = 100, CLOCK, CLOCK_DEEP, SWITCH_DEEP };

/* The ring that decode() says it reads. */
static bool is_of_switches;

#define RECORD_MAX 65536

static union {
	struct perf_event_header header;
	uint8_t bytes[RECORD_MAX];
} record; /* under construction */
static size_t record_size;
static uint8_t *fenced; /* RECORD_MAX readable bytes with nothing before and behind them */
static struct event event;

static void start(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory =
		mmap(NULL, RECORD_MAX + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	fenced = memory + page;
	ck_assert_int_eq(mprotect(fenced, RECORD_MAX, PROT_READ | PROT_WRITE), 0);
}

static void finish(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	munmap(fenced - page, RECORD_MAX + 2 * page);
}

/* --- making records --------------------------------------------------------------------------- */

static void put(const void *bytes, size_t size)
{
	ck_assert_uint_le(record_size + size, RECORD_MAX);
	memcpy(record.bytes + record_size, bytes, size);
	record_size += size;
}

#define WORDS(...)  put((const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}))
#define HALVES(...) put((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}))

static void begin(uint32_t type, uint16_t misc)
{
	record_size = 0;
	put(&(struct perf_event_header){.type = type, .misc = misc}, sizeof(record.header));
}

/* Padded with zeros to a multiple of 8, its own end included. */
static void put_text(const char *text)
{
	size_t length = strlen(text);

	put(text, length);
	put("\0\0\0\0\0\0\0", 8 - length % 8);
}

/* How every record but a sample ends. */
static void put_trailer(void)
{
	HALVES(71, 72);
	WORDS(123456789, TRACK);
}

static const uint8_t build_id[20] = {
	0xab, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void make_mmap2(const char *path)
{
	begin(PERF_RECORD_MMAP2, PERF_RECORD_MISC_MMAP_BUILD_ID);
	HALVES(70, 75);
	WORDS(0x7f0000001000, 0x2000, 0x1000);
	put("\x14\0\0\0", 4);
	put(build_id, sizeof(build_id));
	HALVES(5, 2);
	put_text(path);
	put_trailer();
}

static void make_comm(uint16_t misc)
{
	begin(PERF_RECORD_COMM, misc);
	HALVES(70, 75);
	put_text("worker");
	put_trailer();
}

static void make_task(uint32_t type)
{
	begin(type, 0);
	HALVES(80, 70, 81, 75); /* pid, ppid, tid, ptid */
	WORDS(123456780);
	put_trailer();
}

static void make_lost(void)
{
	begin(PERF_RECORD_LOST, 0);
	WORDS(CLOCK, 17);
	put_trailer();
}

static void make_lost_samples(void)
{
	begin(PERF_RECORD_LOST_SAMPLES, 0);
	WORDS(19);
	put_trailer();
}

static void make_bare(uint32_t type, uint16_t misc)
{
	begin(type, misc);
	put_trailer();
}

/* 0x1000 + DWARF number for each register, in the kernel's order. */
static void put_registers(void)
{
	WORDS(PERF_SAMPLE_REGS_ABI_64, 0x1000, 0x1003, 0x1002, 0x1001, 0x1004, 0x1005, 0x1006,
		0x1007, 0x401000, 0x1008, 0x1009, 0x100a, 0x100b, 0x100c, 0x100d, 0x100e, 0x100f);
}

static void begin_sample(uint64_t id)
{
	begin(PERF_RECORD_SAMPLE, 0);
	WORDS(id, 0x401000);
	HALVES(70, 75);
	WORDS(123456789, 3);
}

static void put_stack(size_t size, uint64_t used)
{
	WORDS(size);
	for (uint64_t i = 0; i < size / 8; i++)
		WORDS(0x5000 + i);
	WORDS(used);
}

static void make_sample(uint64_t id)
{
	begin_sample(id);
	WORDS(4, PERF_CONTEXT_KERNEL, 0xffffffff81000010, 0xffffffff81000020, PERF_CONTEXT_USER);
	put_registers();
	put_stack(64, 48);
}

/* --- decoding ----------------------------------------------------------------------------------
 */

static bool decode_at(uint8_t *place, size_t size)
{
	record.header.size = (uint16_t)size;
	memcpy(place, record.bytes, size);
	event = (struct event){0};
	return perf_record_decode((const struct perf_event_header *)place, is_of_switches, &event);
}

/* The first `size` bytes; what the event borrows is valid until the next call. */
static bool decode_part(size_t size)
{
	bool at_start = decode_at(fenced, size);
	bool at_end = decode_at(fenced + RECORD_MAX - size, size);

	ck_assert_int_eq(at_start, at_end);
	return at_end;
}

static bool decode(void)
{
	return decode_part(record_size);
}

START_TEST(a_sample_has_all_its_parts)
{
	const uint64_t *stack;

	make_sample(CLOCK);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SAMPLE);
	ck_assert_uint_eq(event.pid, 70);
	ck_assert_uint_eq(event.tid, 75);
	ck_assert_uint_eq(event.time_ns, 123456789);
	ck_assert_uint_eq(event.sample.weight, 3);
	ck_assert(event.sample.has_user);
	ck_assert_uint_eq(event.sample.registers.ip, 0x401000);
	ck_assert_uint_eq(event.sample.registers.known, WALK_ALL_KNOWN);
	for (uint64_t number = 0; number < 16; number++)
		ck_assert_uint_eq(event.sample.registers.r[number], 0x1000 + number);
	ck_assert_uint_eq(event.sample.kernel_depth, 2);
	ck_assert_uint_eq(event.sample.kernel_ips[0], 0xffffffff81000010);
	ck_assert_uint_eq(event.sample.kernel_ips[1], 0xffffffff81000020);
	ck_assert_uint_eq(event.sample.stack_bytes, 48);
	ck_assert(!event.sample.stack_is_cut);
	stack = (const void *)event.sample.stack;
	for (uint64_t i = 0; i < 6; i++)
		ck_assert_uint_eq(stack[i], 0x5000 + i);
}
END_TEST

START_TEST(the_ring_says_which_event_it_is_of)
{
	make_sample(CLOCK_DEEP);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SAMPLE);
	ck_assert(!event.sample.is_off_cpu);
	is_of_switches = true;
	make_sample(SWITCH_DEEP);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SWITCH_STACK);
	ck_assert(event.sample.is_off_cpu);
	make_bare(PERF_RECORD_SWITCH, 0);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SWITCH_IN);
	is_of_switches = false;
}
END_TEST

START_TEST(a_stack_that_fills_its_copy_is_cut)
{
	begin_sample(CLOCK);
	WORDS(0);
	put_registers();
	put_stack(64, 64);
	ck_assert(decode());
	ck_assert(event.sample.stack_is_cut);
	ck_assert_uint_eq(event.sample.stack_bytes, 64);
	ck_assert_uint_eq(event.sample.kernel_depth, 0);
}
END_TEST

START_TEST(a_sample_of_the_kernel_alone_has_no_user)
{
	begin_sample(CLOCK);
	WORDS(2, PERF_CONTEXT_KERNEL, 0xffffffff81000010);
	WORDS(PERF_SAMPLE_REGS_ABI_NONE);
	WORDS(0); /* no stack: then its used size is not there either */
	ck_assert(decode());
	ck_assert(!event.sample.has_user);
	ck_assert_ptr_null(event.sample.stack);
	ck_assert_uint_eq(event.sample.kernel_depth, 1);
}
END_TEST

START_TEST(a_32_bit_program_is_not_walked)
{
	make_sample(CLOCK);
	memcpy(record.bytes + 8 + 40 + 5 * 8, &(uint64_t){PERF_SAMPLE_REGS_ABI_32}, 8);
	ck_assert(decode());
	ck_assert(!event.sample.has_user);
	ck_assert(event.sample.is_32bit);
}
END_TEST

START_TEST(a_callchain_without_kernel_part_gives_none)
{
	begin_sample(CLOCK);
	WORDS(3, PERF_CONTEXT_USER, 0x401000, 0x402000);
	put_registers();
	WORDS(0);
	ck_assert(decode());
	ck_assert_uint_eq(event.sample.kernel_depth, 0);
	ck_assert(event.sample.has_user);
}
END_TEST

START_TEST(a_mapping_has_place_file_and_build_id)
{
	make_mmap2("/usr/lib/libx.so.1");
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_MMAP);
	ck_assert_uint_eq(event.pid, 70);
	ck_assert_uint_eq(event.tid, 75);
	ck_assert_uint_eq(event.time_ns, 123456789);
	ck_assert_uint_eq(event.mmap.address, 0x7f0000001000);
	ck_assert_uint_eq(event.mmap.length, 0x2000);
	ck_assert_uint_eq(event.mmap.offset, 0x1000);
	ck_assert_uint_eq(event.mmap.protection, 5);
	ck_assert_str_eq(event.mmap.path, "/usr/lib/libx.so.1");
	ck_assert_uint_eq(event.mmap.build_id.length, 20);
	ck_assert_mem_eq(event.mmap.build_id.bytes, build_id, 20);
}
END_TEST

/* Without the bit the same bytes are device and inode numbers. */
START_TEST(a_mapping_may_have_no_build_id)
{
	make_mmap2("//anon");
	record.header.misc = 0;
	ck_assert(decode());
	ck_assert_uint_eq(event.mmap.build_id.length, 0);
	ck_assert_str_eq(event.mmap.path, "//anon");
}
END_TEST

START_TEST(names_and_execs)
{
	make_comm(0);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_COMM);
	ck_assert_uint_eq(event.pid, 70);
	ck_assert_uint_eq(event.tid, 75);
	ck_assert_str_eq(event.comm.name, "worker");
	ck_assert(!event.comm.is_exec);
	make_comm(PERF_RECORD_MISC_COMM_EXEC);
	ck_assert(decode());
	ck_assert(event.comm.is_exec);
}
END_TEST

START_TEST(forks_and_exits)
{
	make_task(PERF_RECORD_FORK);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_FORK);
	ck_assert_uint_eq(event.pid, 80);
	ck_assert_uint_eq(event.tid, 81);
	ck_assert_uint_eq(event.fork.parent_pid, 70);
	ck_assert_uint_eq(event.fork.parent_tid, 75);
	make_task(PERF_RECORD_EXIT);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_EXIT);
	ck_assert_uint_eq(event.tid, 81);
}
END_TEST

START_TEST(switches)
{
	make_bare(PERF_RECORD_SWITCH, 0);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SWITCH_IN);
	ck_assert_uint_eq(event.pid, 71);
	ck_assert_uint_eq(event.tid, 72);
	make_bare(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT);
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SWITCH_OUT);
	ck_assert(!event.was_preempted);
	make_bare(PERF_RECORD_SWITCH,
		PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
	ck_assert(decode());
	ck_assert(event.was_preempted);
	begin(PERF_RECORD_SWITCH_CPU_WIDE, PERF_RECORD_MISC_SWITCH_OUT);
	HALVES(1, 2); /* whom it goes to: not ours */
	put_trailer();
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_SWITCH_OUT);
	ck_assert_uint_eq(event.tid, 72);
}
END_TEST

START_TEST(losses)
{
	make_lost();
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_LOST);
	ck_assert_uint_eq(event.count, 17);
	make_lost_samples();
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_LOST);
	ck_assert_uint_eq(event.count, 19);
	begin(PERF_RECORD_THROTTLE, 0);
	WORDS(1, 2, 3);
	put_trailer();
	ck_assert(decode());
	ck_assert_int_eq(event.kind, EVENT_THROTTLE);
}
END_TEST

START_TEST(each_record_says_when_and_whose_it_is)
{
	make_sample(CLOCK);
	ck_assert(decode());
	ck_assert_uint_eq(perf_record_time(&record.header), 123456789);
	ck_assert_uint_eq(perf_record_pid(&record.header), 70);
	make_comm(0);
	ck_assert(decode());
	ck_assert_uint_eq(perf_record_time(&record.header), 123456789);
	ck_assert_uint_eq(perf_record_pid(&record.header), 71);
}
END_TEST

/* --- limits ----------------------------------------------------------------------------------- */

START_TEST(what_is_not_known_is_of_no_interest)
{
	make_bare(PERF_RECORD_KSYMBOL, 0);
	ck_assert(!decode());
	make_bare(PERF_RECORD_UNTHROTTLE, 0);
	ck_assert(!decode());
	make_bare(12345, 0xffff);
	ck_assert(!decode());
}
END_TEST

/* That what an event borrows lies within the record, which ends where the memory does. */
static void check_borrowed(size_t size)
{
	const uint8_t *low = fenced + RECORD_MAX - size, *high = fenced + RECORD_MAX;
	const struct event_sample *sample = &event.sample;
	const char *text = event.kind == EVENT_MMAP   ? event.mmap.path
			   : event.kind == EVENT_COMM ? event.comm.name
						      : NULL;

	if (text) {
		ck_assert((const uint8_t *)text >= low);
		ck_assert((const uint8_t *)text + strlen(text) < high);
	}
	if (event.kind != EVENT_SAMPLE)
		return;
	if (sample->kernel_depth)
		ck_assert((const uint8_t *)(sample->kernel_ips + sample->kernel_depth) <= high);
	if (sample->stack_bytes)
		ck_assert(sample->stack + sample->stack_bytes <= high);
}

/* Records are multiples of eight bytes. */
static void check_truncations(void)
{
	size_t whole = record_size;

	ck_assert(decode_part(whole));
	check_borrowed(whole);
	for (size_t size = sizeof(record.header); size < whole; size += 8)
		if (decode_part(size))
			check_borrowed(size);
}

START_TEST(no_truncated_record_is_read_beyond_its_end)
{
	make_sample(CLOCK);
	check_truncations();
	make_mmap2("/usr/lib/x86_64-linux-gnu/libsomething.so.1.2.3");
	check_truncations();
	make_comm(PERF_RECORD_MISC_COMM_EXEC);
	check_truncations();
	make_task(PERF_RECORD_FORK);
	check_truncations();
	make_task(PERF_RECORD_EXIT);
	check_truncations();
	make_lost();
	check_truncations();
	make_lost_samples();
	check_truncations();
	make_bare(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT);
	check_truncations();
	make_bare(PERF_RECORD_THROTTLE, 0);
	check_truncations();
}
END_TEST

START_TEST(a_truncated_sample_is_no_sample)
{
	make_sample(CLOCK);
	for (size_t size = sizeof(record.header); size < record_size; size += 8)
		ck_assert(!decode_part(size));
}
END_TEST

/* Every word of every record in turn says something enormous. */
static void check_wrong_words(void)
{
	static const uint64_t wrong[] = {0, 1, 0xffff, 0x10000, UINT32_MAX, INT64_MAX, UINT64_MAX,
		UINT64_MAX / 8 + 1, UINT64_MAX - 7};

	for (size_t at = sizeof(record.header); at < record_size; at += 8)
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			uint64_t good;

			memcpy(&good, record.bytes + at, 8);
			memcpy(record.bytes + at, &wrong[i], 8);
			if (decode())
				check_borrowed(record_size);
			memcpy(record.bytes + at, &good, 8);
		}
}

START_TEST(no_wrong_size_leads_out_of_the_record)
{
	make_sample(CLOCK);
	check_wrong_words();
	make_mmap2("/usr/lib/libx.so.1");
	check_wrong_words();
	make_comm(0);
	check_wrong_words();
	make_task(PERF_RECORD_FORK);
	check_wrong_words();
}
END_TEST

START_TEST(more_stack_used_than_copied_is_refused)
{
	begin_sample(CLOCK);
	WORDS(0);
	put_registers();
	put_stack(64, 65);
	ck_assert(!decode());
}
END_TEST

START_TEST(a_build_id_longer_than_its_room_is_none)
{
	make_mmap2("/bin/true");
	record.bytes[8 + 8 + 24] = 21;
	ck_assert(decode());
	ck_assert_uint_eq(event.mmap.build_id.length, 0);
}
END_TEST

START_TEST(a_name_without_end_is_refused)
{
	begin(PERF_RECORD_COMM, 0);
	HALVES(70, 75);
	put("abcdefgh", 8);
	put_trailer();
	ck_assert(!decode());
	begin(PERF_RECORD_COMM, 0);
	HALVES(70, 75);
	put_trailer();
	ck_assert(!decode());
}
END_TEST

START_TEST(the_longest_path_and_the_largest_stack)
{
	char path[4097];

	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	make_mmap2(path);
	ck_assert(decode());
	ck_assert_str_eq(event.mmap.path, path);
	begin_sample(CLOCK_DEEP);
	WORDS(0);
	put_registers();
	put_stack(63488, 63488);
	ck_assert_uint_le(record_size, UINT16_MAX);
	ck_assert(decode());
	ck_assert_uint_eq(event.sample.stack_bytes, 63488);
}
END_TEST

Suite *perf_record_suite(void);
Suite *perf_record_suite(void)
{
	Suite *suite = suite_create("perf_record");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, start, finish);
	tcase_add_checked_fixture(limits, start, finish);
	tcase_add_test(core, a_sample_has_all_its_parts);
	tcase_add_test(core, the_ring_says_which_event_it_is_of);
	tcase_add_test(core, a_stack_that_fills_its_copy_is_cut);
	tcase_add_test(core, a_sample_of_the_kernel_alone_has_no_user);
	tcase_add_test(core, a_32_bit_program_is_not_walked);
	tcase_add_test(core, a_callchain_without_kernel_part_gives_none);
	tcase_add_test(core, a_mapping_has_place_file_and_build_id);
	tcase_add_test(core, a_mapping_may_have_no_build_id);
	tcase_add_test(core, names_and_execs);
	tcase_add_test(core, forks_and_exits);
	tcase_add_test(core, switches);
	tcase_add_test(core, losses);
	tcase_add_test(core, each_record_says_when_and_whose_it_is);
	tcase_add_test(limits, what_is_not_known_is_of_no_interest);
	tcase_add_test(limits, no_truncated_record_is_read_beyond_its_end);
	tcase_add_test(limits, a_truncated_sample_is_no_sample);
	tcase_add_test(limits, no_wrong_size_leads_out_of_the_record);
	tcase_add_test(limits, more_stack_used_than_copied_is_refused);
	tcase_add_test(limits, a_build_id_longer_than_its_room_is_none);
	tcase_add_test(limits, a_name_without_end_is_refused);
	tcase_add_test(limits, the_longest_path_and_the_largest_stack);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
