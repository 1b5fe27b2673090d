/* Tests of base/ (arrays, hashes, bytes) and of the model's tables. */
#include "base/array.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "model/profile.h"

#include <check.h>
#include <limits.h>
#include <stdio.h>

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* --- base ------------------------------------------------------------------------------------ */

START_TEST(array_grows_and_keeps)
{
	ARRAY(int) numbers = {0};

	for (int i = 0; i < 1000; i++)
		*array_add(&numbers) = i * 3;
	ck_assert_uint_eq(numbers.count, 1000);
	ck_assert_uint_ge(numbers.capacity, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(numbers.items[i], i * 3);
	array_release(&numbers);
	ck_assert_ptr_null(numbers.items);
	ck_assert_uint_eq(numbers.capacity, 0);
}
END_TEST

static bool same_number(const void *owner, uint32_t id, const void *key)
{
	const uint64_t *numbers = owner;

	return numbers[id - 1] == *(const uint64_t *)key;
}

START_TEST(hash_finds_what_was_inserted)
{
	enum { COUNT = 5000 };
	uint64_t *numbers = alloc_zeroed(COUNT, sizeof(*numbers)), absent = 7;
	struct hash table = {0};

	ck_assert_uint_eq(hash_find(&table, 1, same_number, numbers, &absent), 0);
	for (uint32_t id = 1; id <= COUNT; id++) {
		numbers[id - 1] = (uint64_t)id << 33;
		hash_insert(&table, hash_pair(numbers[id - 1], 0), id);
	}
	for (uint32_t id = 1; id <= COUNT; id++)
		ck_assert_uint_eq(hash_find(&table, hash_pair(numbers[id - 1], 0), same_number,
					  numbers, &numbers[id - 1]),
			id);
	ck_assert_uint_eq(hash_find(&table, hash_pair(7, 0), same_number, numbers, &absent), 0);
	hash_release(&table);
	free(numbers);
}
END_TEST

START_TEST(hash_survives_equal_hashes)
{
	uint64_t numbers[200], absent = 1000;
	struct hash table = {0};

	for (uint32_t id = 1; id <= 200; id++) {
		numbers[id - 1] = id;
		hash_insert(&table, 42, id);
	}
	for (uint32_t id = 1; id <= 200; id++)
		ck_assert_uint_eq(
			hash_find(&table, 42, same_number, numbers, &numbers[id - 1]), id);
	ck_assert_uint_eq(hash_find(&table, 42, same_number, numbers, &absent), 0);
	hash_release(&table);
}
END_TEST

/* Neighbouring keys must not share slots: ids and addresses are mostly neighbours. */
START_TEST(hash_pair_spreads_neighbours)
{
	static uint8_t taken[1 << 16];
	unsigned used = 0;

	memset(taken, 0, sizeof(taken));
	for (uint64_t a = 0; a < 256; a++)
		for (uint64_t b = 0; b < 256; b++) {
			uint8_t *slot = &taken[hash_pair(a, b) >> 32 & 0xffff];

			used += *slot == 0;
			*slot = 1;
		}
	ck_assert_uint_gt(used, 40000); /* at random: 65,536 * (1 - 1/e) = 41,427 */
}
END_TEST

START_TEST(numbers_as_bytes_come_back)
{
	const uint64_t numbers[] = {
		0, 1, 127, 128, 300, 1u << 14, UINT32_MAX, UINT64_MAX, UINT64_C(1) << 63};
	const int64_t signed_numbers[] = {0, -1, 1, -64, 64, INT64_MAX, INT64_MIN};
	struct bytes bytes = {0};
	struct cursor cursor;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		bytes_put_number(&bytes, numbers[i]);
	for (size_t i = 0; i < sizeof(signed_numbers) / sizeof(signed_numbers[0]); i++)
		bytes_put_signed(&bytes, signed_numbers[i]);
	cursor = (struct cursor){.at = bytes.items, .end = bytes.items + bytes.count};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		ck_assert_uint_eq(cursor_number(&cursor), numbers[i]);
	for (size_t i = 0; i < sizeof(signed_numbers) / sizeof(signed_numbers[0]); i++)
		ck_assert_int_eq(cursor_signed(&cursor), signed_numbers[i]);
	ck_assert(!cursor.damaged);
	ck_assert_uint_eq(cursor_left(&cursor), 0);
	ck_assert_uint_eq(cursor_number(&cursor), 0);
	ck_assert(cursor.damaged);
	array_release(&bytes);
}
END_TEST

START_TEST(numbers_take_the_documented_bytes)
{
	struct bytes bytes = {0};

	bytes_put_number(&bytes, 300);
	bytes_put_signed(&bytes, -3);
	ck_assert_uint_eq(bytes.count, 3);
	ck_assert_mem_eq(bytes.items, "\xac\x02\x05", 3);
	array_release(&bytes);
}
END_TEST

START_TEST(numbers_that_never_end_are_damage)
{
	uint8_t endless[16];
	struct cursor cursor = {.at = endless, .end = endless + sizeof(endless)};

	memset(endless, 0xff, sizeof(endless));
	ck_assert_uint_eq(cursor_number(&cursor), 0);
	ck_assert(cursor.damaged);
	ck_assert_uint_eq(cursor_left(&cursor), 0);
	ck_assert_ptr_null(cursor_take(&cursor, 1));
}
END_TEST

START_TEST(error_sentences_are_cut_not_overrun)
{
	struct error err = {0};
	char *long_text = alloc_zeroed(1, 5000);

	memset(long_text, 'x', 4999);
	ck_assert_int_eq(error_set(&err, "%s", long_text), -1);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	error_set(&err, "no such file");
	error_prefix(&err, "cannot open %s", "a.prof");
	ck_assert_str_eq(err.text, "cannot open a.prof: no such file");
	ck_assert_int_eq(error_set(NULL, "nobody listens"), -1);
	free(long_text);
}
END_TEST

/* --- strings, modules, frames ---------------------------------------------------------------- */

START_TEST(strings_are_kept_once)
{
	struct strings strings = {0};
	string_id main_id = strings_intern(&strings, "main");

	ck_assert_uint_eq(main_id, 1);
	ck_assert_uint_eq(strings_intern(&strings, "load"), 2);
	ck_assert_uint_eq(strings_intern_n(&strings, "mainly", 4), main_id);
	ck_assert_uint_eq(strings_find(&strings, "load"), 2);
	ck_assert_uint_eq(strings_find(&strings, "none"), 0);
	ck_assert_str_eq(strings_get(&strings, 2), "load");
	strings_release(&strings);
}
END_TEST

START_TEST(strings_of_nothing_are_none)
{
	struct strings strings = {0};

	ck_assert_uint_eq(strings_intern(&strings, ""), 0);
	ck_assert_uint_eq(strings_intern(&strings, NULL), 0);
	ck_assert_uint_eq(strings_intern_n(&strings, "\0abc", 4), 0);
	ck_assert_str_eq(strings_get(&strings, 0), "");
	ck_assert_uint_eq(strings.items.count, 0);
	strings_release(&strings);
}
END_TEST

START_TEST(strings_never_move)
{
	struct strings strings = {0};
	const char *first;
	char *huge = alloc_zeroed(1, 200001), name[32];

	strings_intern(&strings, "first");
	first = strings_get(&strings, 1);
	memset(huge, 'h', 200000);
	ck_assert_uint_eq(strings_intern(&strings, huge), 2); /* longer than a block */
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		ck_assert_uint_eq(strings_intern(&strings, name), (string_id)i + 3);
	}
	ck_assert_ptr_eq(strings_get(&strings, 1), first);
	ck_assert_str_eq(strings_get(&strings, 2), huge);
	ck_assert_str_eq(strings_get(&strings, 20002), "name 19999");
	strings_release(&strings);
	free(huge);
}
END_TEST

START_TEST(modules_differ_by_build_id)
{
	struct modules modules = {0};
	struct strings strings = {0};
	struct build_id old = {.bytes = {0xde, 0xad}, .length = 2};
	struct build_id rebuilt = {.bytes = {0xbe, 0xef}, .length = 2};
	char text[BUILD_ID_TEXT_SIZE];
	module_id first = modules_intern(&modules, &strings, "/lib/liba.so", MODULE_FILE, &old);

	ck_assert_uint_eq(first, 1);
	ck_assert_uint_eq(
		modules_intern(&modules, &strings, "/lib/liba.so", MODULE_FILE, &rebuilt), 2);
	ck_assert_uint_eq(modules_intern(&modules, &strings, "/lib/liba.so", MODULE_FILE, NULL), 3);
	ck_assert_uint_eq(
		modules_intern(&modules, &strings, "/lib/liba.so", MODULE_FILE, &old), first);
	ck_assert_str_eq(strings_get(&strings, modules_at(&modules, first)->name), "liba.so");
	ck_assert_str_eq(build_id_text(&old, text), "dead");
	modules_release(&modules);
	strings_release(&strings);
}
END_TEST

START_TEST(frames_are_named_once_innermost_first)
{
	struct frames frames = {0};
	frame_id a = frames_intern(&frames, 1, 0x100), b = frames_intern(&frames, 2, 0x100);
	struct line lines[2] = {{.function = 1, .line = 58}, {.function = 2, .line = 31}};
	const struct line *read;
	size_t count;

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(frames_intern(&frames, 1, 0x100), a);
	frames_lines(&frames, a, &count);
	ck_assert_uint_eq(count, 0);
	frames_name(&frames, b, lines, 1);
	frames_name(&frames, a, lines, 2);
	read = frames_lines(&frames, a, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(read[0].line, 58);
	ck_assert_uint_eq(read[1].line, 31);
	frames_release(&frames);
}
END_TEST

START_TEST(functions_without_a_file_differ_by_entry)
{
	struct frames frames = {0};
	struct function init = {.name = 5, .module = 1, .entry = 0x100};
	struct function other_init = {.name = 5, .module = 1, .entry = 0x900};
	struct function in_file = {.name = 5, .module = 1, .file = 9, .line = 3, .entry = 0x100};
	struct function inlined = {.name = 5, .module = 1, .file = 9, .line = 3, .entry = 0};
	function_id first = functions_intern(&frames, &init);

	ck_assert_uint_ne(functions_intern(&frames, &other_init), first);
	ck_assert_uint_eq(functions_intern(&frames, &init), first);
	ck_assert_uint_eq(functions_intern(&frames, &in_file), functions_intern(&frames, &inlined));
	frames_release(&frames);
}
END_TEST

/* --- stacks ---------------------------------------------------------------------------------- */

START_TEST(stacks_share_their_outer_frames)
{
	struct stacks stacks;
	const frame_id load[] = {30, 20, 10}, color[] = {40, 20, 10};
	stack_id a, b;

	stacks_init(&stacks);
	a = stacks_intern(&stacks, load, 3, STACK_ROOTED);
	b = stacks_intern(&stacks, color, 3, STACK_ROOTED);
	ck_assert_uint_eq(stacks_at(&stacks, a)->parent, stacks_at(&stacks, b)->parent);
	ck_assert_uint_eq(stacks_at(&stacks, a)->frame, 30);
	ck_assert_uint_eq(stacks_depth(&stacks, a), 3);
	ck_assert_uint_eq(stacks_intern(&stacks, load, 3, STACK_ROOTED), a);
	ck_assert_uint_eq(stacks.items.count, STACK_END_COUNT - 1 + 4);
	stacks_release(&stacks);
}
END_TEST

START_TEST(stacks_with_other_ends_are_others)
{
	struct stacks stacks;
	const frame_id frames[] = {30, 20};
	stack_id ids[STACK_END_COUNT] = {0};

	stacks_init(&stacks);
	for (int end = STACK_ROOTED; end < STACK_END_COUNT; end++) {
		ids[end] = stacks_intern(&stacks, frames, 2, end);
		ck_assert_int_eq(stacks_end(&stacks, ids[end]), (enum stack_end)end);
		ck_assert_ptr_nonnull(stack_ends[end].name);
		for (int before = STACK_ROOTED; before < end; before++)
			ck_assert_uint_ne(ids[before], ids[end]);
	}
	ck_assert_uint_eq(stacks_depth(&stacks, STACK_NOT_WALKED), 0);
	ck_assert_uint_eq(stacks_intern(&stacks, NULL, 0, STACK_BROKEN), STACK_BROKEN);
	stacks_release(&stacks);
}
END_TEST

START_TEST(stacks_have_parents_below_them)
{
	struct stacks stacks;
	uint64_t state = 99;

	stacks_init(&stacks);
	for (int i = 0; i < 5000; i++) {
		frame_id frames[12];
		size_t depth = next_random(&state) % 12;

		for (size_t k = 0; k < depth; k++)
			frames[k] = next_random(&state) % 5 + 1;
		stacks_intern(&stacks, frames, depth, STACK_ROOTED);
	}
	for (stack_id id = STACK_END_COUNT; id <= stacks.items.count; id++)
		ck_assert_uint_lt(stacks_at(&stacks, id)->parent, id);
	stacks_release(&stacks);
}
END_TEST

START_TEST(stacks_too_deep_keep_the_innermost)
{
	struct stacks stacks;
	frame_id *frames = alloc_zeroed(STACK_DEPTH_MAX + 5, sizeof(*frames));
	stack_id id;

	for (size_t i = 0; i < STACK_DEPTH_MAX + 5; i++)
		frames[i] = i + 1;
	stacks_init(&stacks);
	id = stacks_intern(&stacks, frames, STACK_DEPTH_MAX + 5, STACK_ROOTED);
	ck_assert_uint_eq(stacks_depth(&stacks, id), STACK_DEPTH_MAX);
	ck_assert_int_eq(stacks_end(&stacks, id), STACK_TOO_DEEP);
	ck_assert_uint_eq(stacks_at(&stacks, id)->frame, 1);
	stacks_release(&stacks);
	free(frames);
}
END_TEST

/* --- metrics, counts ------------------------------------------------------------------------- */

START_TEST(metrics_are_found_by_name)
{
	struct error err = {0};

	for (int i = 0; i < METRIC_COUNT; i++) {
		ck_assert_ptr_nonnull(metrics[i].name);
		ck_assert_ptr_nonnull(metrics[i].summary);
		if (metrics[i].is_shown)
			ck_assert_int_eq(metric_find(metrics[i].name, &err), i);
	}
	ck_assert_int_eq(metric_find("weight", &err), -1);
	ck_assert_str_eq(err.text, "unknown metric 'weight': known metrics are wall, cpu, blocked, "
				   "runnable, samples");
	ck_assert_int_eq(metric_find("cpu_squares", &err), -1);
}
END_TEST

START_TEST(counts_add_up_by_thread_stack_and_region)
{
	struct profile profile;
	uint64_t value[METRIC_COUNT] = {[METRIC_CPU] = 5, [METRIC_SAMPLES] = 1};

	profile_init(&profile);
	profile_add(&profile, 0, 1, 9, false, value);
	profile_add(&profile, 0, 1, 9, false, value);
	profile_add(&profile, 0, 2, 9, false, value);
	profile_add(&profile, 0, 1, 9, true, value);
	profile_add(&profile, 0, 1, 8, false, value);
	ck_assert_uint_eq(profile.counts.count, 4);
	ck_assert_uint_eq(profile.counts.items[0].value[METRIC_CPU], 10);
	ck_assert_uint_eq(profile.counts.items[0].value[METRIC_SAMPLES], 2);
	ck_assert_uint_eq(profile.counts.items[1].thread, 2);
	ck_assert(profile.counts.items[2].in_region);
	ck_assert_uint_eq(profile.dirty_counts.count, 4); /* each once */
	profile_release(&profile);
}
END_TEST

START_TEST(special_frames_are_named_as_they_read)
{
	struct profile profile;
	frame_id id;
	size_t count;
	const struct line *lines;

	profile_init(&profile);
	id = profile_special_frame(&profile, "[not sampled]");
	ck_assert_uint_eq(profile_special_frame(&profile, "[not sampled]"), id);
	ck_assert_uint_ne(profile_special_frame(&profile, "[other]"), id);
	lines = frames_lines(&profile.frames, id, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(strings_get(&profile.strings,
				 functions_at(&profile.frames, lines[0].function)->name),
		"[not sampled]");
	profile_release(&profile);
}
END_TEST

START_TEST(default_metric_depends_on_threads)
{
	struct profile one, two;
	struct error err;

	ck_assert_int_eq(profile_from_folded(&one, "main;load 3\n", &err), 0);
	ck_assert_int_eq(profile_from_folded(&two, "@1/1 main 3\n@1/2 main 2\n", &err), 0);
	ck_assert_int_eq(profile_default_metric(&one), METRIC_WALL);
	ck_assert_int_eq(profile_default_metric(&two), METRIC_CPU);
	ck_assert(!profile_has(&one, METRIC_BLOCKED));
	profile_release(&one);
	profile_release(&two);
}
END_TEST

/* --- folded text ----------------------------------------------------------------------------- */

START_TEST(folded_text_becomes_a_profile)
{
	struct profile profile;
	struct error err = {0};
	const struct line *lines;
	const struct function *function;
	size_t count;

	ck_assert_int_eq(profile_from_folded(&profile,
				 "main;load 3\nmain;libm.so!math.c:10:12(exp) 7\n"
				 "@4/5 main 2\nmain;load 1\n",
				 &err),
		0);
	ck_assert_uint_eq(profile.counts.count, 3);
	ck_assert_uint_eq(profile.counts.items[0].value[METRIC_SAMPLES], 4);
	ck_assert_uint_eq(profile.counts.items[0].value[METRIC_CPU], 4000000);
	ck_assert_uint_eq(profile.threads.threads.count, 2);
	ck_assert_uint_eq(threads_thread(&profile.threads, 2)->tid, 5);
	ck_assert_uint_eq(threads_process(&profile.threads, 2)->pid, 4);
	lines = frames_lines(&profile.frames,
		stacks_at(&profile.stacks, profile.counts.items[1].stack)->frame, &count);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(lines[0].line, 12);
	function = functions_at(&profile.frames, lines[0].function);
	ck_assert_str_eq(strings_get(&profile.strings, function->name), "exp");
	ck_assert_str_eq(strings_get(&profile.strings, function->file), "math.c");
	ck_assert_uint_eq(function->line, 10);
	profile_release(&profile);
}
END_TEST

START_TEST(folded_lines_without_a_number_are_errors)
{
	static const char *const wrong[] = {
		"main;load\n", "main;load x\n", "main 3x\n", "@1 main 3\n"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct profile profile;
		struct error err = {0};

		ck_assert_int_eq(profile_from_folded(&profile, wrong[i], &err), -1);
		ck_assert_str_ne(err.text, "");
		profile_release(&profile);
	}
}
END_TEST

/* --- the timeline ---------------------------------------------------------------------------- */

static const uint8_t same_metrics[8] = {0, 1, 2, 3, 4, 5, 6, 7};

START_TEST(timeline_gives_back_what_was_added)
{
	struct timeline timeline = {0};
	struct timeline_record added[300], read = {0};
	uint64_t state = 5, time_ns = 0;
	size_t offset = 0;
	bool damaged;

	for (int i = 0; i < 300; i++) {
		struct timeline_record *record = &added[i];

		time_ns += next_random(&state) % 3000 * 1000;
		*record = (struct timeline_record){.time_ns = time_ns,
			.thread = next_random(&state) % 4 + 1,
			.stack = next_random(&state) % UINT32_MAX + 1,
			.in_region = i % 3 == 0};
		record->value[METRIC_CPU] = next_random(&state) % 5 * 1000;
		record->value[METRIC_BLOCKED] = i % 7 == 0 ? 8000 : 0;
		record->value[METRIC_WALL] = record->value[METRIC_CPU] +
					     record->value[METRIC_BLOCKED] +
					     (i % 11 == 0 ? 3000 : 0);
		record->value[METRIC_SAMPLES] = i % 2;
		timeline_add(&timeline, record);
	}
	ck_assert_uint_eq(timeline.record_count, 300);
	for (int i = 0; i < 300; i++) {
		ck_assert(timeline_read(timeline.bytes.items, timeline.bytes.count, &offset,
			same_metrics, &read, &damaged));
		ck_assert_uint_eq(read.time_ns, added[i].time_ns);
		ck_assert_uint_eq(read.thread, added[i].thread);
		ck_assert_uint_eq(read.stack, added[i].stack);
		ck_assert_int_eq(read.in_region, added[i].in_region);
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			ck_assert_uint_eq(read.value[metric], added[i].value[metric]);
	}
	ck_assert(!timeline_read(timeline.bytes.items, timeline.bytes.count, &offset, same_metrics,
		&read, &damaged));
	ck_assert(!damaged);
	timeline_release(&timeline);
}
END_TEST

START_TEST(timeline_rounds_and_never_goes_back)
{
	struct timeline timeline = {0};
	struct timeline_record record = {.time_ns = 5000700, .thread = 1, .stack = 7}, read = {0};
	size_t offset = 0;
	bool damaged;

	record.value[METRIC_CPU] = record.value[METRIC_WALL] = 1499;
	timeline_add(&timeline, &record);
	record.time_ns = 4000000;
	timeline_add(&timeline, &record);
	timeline_read(
		timeline.bytes.items, timeline.bytes.count, &offset, same_metrics, &read, &damaged);
	ck_assert_uint_eq(read.time_ns, 5000000);
	ck_assert_uint_eq(read.value[METRIC_CPU], 1000);
	ck_assert_uint_eq(read.value[METRIC_WALL], 1000);
	timeline_read(
		timeline.bytes.items, timeline.bytes.count, &offset, same_metrics, &read, &damaged);
	ck_assert_uint_eq(read.time_ns, 5000000);
	ck_assert(!damaged);
	timeline_release(&timeline);
}
END_TEST

START_TEST(timeline_of_a_usual_sample_is_small)
{
	struct timeline timeline = {0};
	struct timeline_record record = {.thread = 1, .stack = 1000};

	record.value[METRIC_CPU] = record.value[METRIC_WALL] = 1001000;
	record.value[METRIC_SAMPLES] = 1;
	for (int i = 0; i < 1000; i++) {
		record.time_ns += 1001000;
		record.stack += i % 2 ? 60 : -60;
		timeline_add(&timeline, &record);
	}
	ck_assert_uint_le(timeline.bytes.count, 8 * 1000 + 10);
	timeline_release(&timeline);
}
END_TEST

START_TEST(timeline_skips_metrics_it_does_not_know)
{
	struct timeline timeline = {0};
	struct timeline_record record = {.time_ns = 1000, .thread = 1, .stack = 7}, read = {0};
	/* A file of another version: our wall's place has something else, cpu is elsewhere. */
	const uint8_t metric_of[8] = {METRIC_COUNT, METRIC_SAMPLES, METRIC_COUNT, METRIC_COUNT,
		METRIC_CPU, METRIC_COUNT, METRIC_COUNT, METRIC_COUNT};
	size_t offset = 0;
	bool damaged;

	record.value[METRIC_CPU] = 9000;
	record.value[METRIC_SAMPLES] = 2;
	record.value[METRIC_WALL] = 1000000;
	timeline_add(&timeline, &record);
	ck_assert(timeline_read(
		timeline.bytes.items, timeline.bytes.count, &offset, metric_of, &read, &damaged));
	ck_assert_uint_eq(read.value[METRIC_SAMPLES], 9);
	ck_assert_uint_eq(read.value[METRIC_CPU], 2000);
	ck_assert_uint_eq(read.value[METRIC_WALL], 0);
	timeline_release(&timeline);
}
END_TEST

START_TEST(timeline_cut_anywhere_is_damage_or_the_end)
{
	struct timeline timeline = {0};
	struct timeline_record record = {.time_ns = 100000000, .thread = 3, .stack = 70000};

	record.value[METRIC_CPU] = 123456000;
	record.value[METRIC_SAMPLES] = 1;
	timeline_add(&timeline, &record);
	for (size_t size = 1; size < timeline.bytes.count; size++) {
		struct timeline_record read = {0};
		size_t offset = 0;
		bool damaged;

		ck_assert(!timeline_read(
			timeline.bytes.items, size, &offset, same_metrics, &read, &damaged));
		ck_assert(damaged);
	}
	timeline_release(&timeline);
}
END_TEST

Suite *model_suite(void);

Suite *model_suite(void)
{
	Suite *suite = suite_create("model");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_test(core, array_grows_and_keeps);
	tcase_add_test(core, hash_finds_what_was_inserted);
	tcase_add_test(core, numbers_as_bytes_come_back);
	tcase_add_test(core, numbers_take_the_documented_bytes);
	tcase_add_test(core, strings_are_kept_once);
	tcase_add_test(core, modules_differ_by_build_id);
	tcase_add_test(core, frames_are_named_once_innermost_first);
	tcase_add_test(core, functions_without_a_file_differ_by_entry);
	tcase_add_test(core, stacks_share_their_outer_frames);
	tcase_add_test(core, stacks_with_other_ends_are_others);
	tcase_add_test(core, stacks_have_parents_below_them);
	tcase_add_test(core, metrics_are_found_by_name);
	tcase_add_test(core, counts_add_up_by_thread_stack_and_region);
	tcase_add_test(core, special_frames_are_named_as_they_read);
	tcase_add_test(core, default_metric_depends_on_threads);
	tcase_add_test(core, folded_text_becomes_a_profile);
	tcase_add_test(core, timeline_gives_back_what_was_added);
	tcase_add_test(core, timeline_rounds_and_never_goes_back);
	tcase_add_test(core, timeline_of_a_usual_sample_is_small);
	tcase_add_test(limits, hash_survives_equal_hashes);
	tcase_add_test(limits, hash_pair_spreads_neighbours);
	tcase_add_test(limits, numbers_that_never_end_are_damage);
	tcase_add_test(limits, error_sentences_are_cut_not_overrun);
	tcase_add_test(limits, strings_of_nothing_are_none);
	tcase_add_test(limits, strings_never_move);
	tcase_add_test(limits, stacks_too_deep_keep_the_innermost);
	tcase_add_test(limits, folded_lines_without_a_number_are_errors);
	tcase_add_test(limits, timeline_skips_metrics_it_does_not_know);
	tcase_add_test(limits, timeline_cut_anywhere_is_damage_or_the_end);
	suite_add_tcase(suite, core);
	suite_add_tcase(suite, limits);
	return suite;
}
