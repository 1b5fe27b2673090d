#include "collect/stack_builder.h"

#include <check.h>
#include <stdlib.h>

Suite *stack_builder_suite(void);

static struct profile profile;
static struct tasks tasks;
static struct stack_builder builder;
static struct live_thread *thread;
static struct image image; /* of a file that cannot be opened */

static void setup(void)
{
	struct process process_row = {.pid = 10};
	struct thread thread_row = {.tid = 10, .process = 1};
	struct event_mmap mapping = {
		.address = 0x8048000, .length = 0x2000, .offset = 0x1000, .path = "/bin/narrow"};
	struct live_process *process;

	profile_init(&profile);
	tasks = (struct tasks){0};
	stack_builder_init(&builder, &profile);
	threads_add_process(&profile.threads, &process_row);
	process = tasks_add_process(&tasks, 10, 1, address_space_new());
	thread = tasks_add_thread(
		&tasks, process, 10, threads_add_thread(&profile.threads, &thread_row));
	image = (struct image){.module = modules_intern(&profile.modules, &profile.strings,
				       mapping.path, MODULE_FILE, NULL)};
	address_space_map(process->space, &mapping, &image);
}

static void teardown(void)
{
	stack_builder_release(&builder);
	tasks_release(&tasks);
	profile_release(&profile);
}

static const char *module_of(const struct frame *frame)
{
	return strings_get(&profile.strings, modules_at(&profile.modules, frame->module)->name);
}

/* Of a file that cannot be opened the address is the offset in it. */
START_TEST(of_32_bit_code_the_innermost_function_is_known)
{
	struct event_sample sample = {.is_32bit = true, .registers = {.ip = 0x8048123}};
	stack_id stack = stack_builder_build(&builder, thread, &sample);
	const struct stack *inner = stacks_at(&profile.stacks, stack);
	const struct stack *outer = stacks_at(&profile.stacks, inner->parent);
	const struct frame *frame = frames_at(&profile.frames, inner->frame);

	ck_assert(builder.was_32bit);
	ck_assert_str_eq(module_of(frame), "narrow");
	ck_assert_uint_eq(frame->file_addr, 0x1123);
	ck_assert_str_eq(module_of(frames_at(&profile.frames, outer->frame)), "[32-bit code]");
	ck_assert_int_eq(stacks_end(&profile.stacks, stack), STACK_NOT_WALKED);
}
END_TEST

START_TEST(without_registers_there_is_no_stack)
{
	struct event_sample sample = {0};
	stack_id stack = stack_builder_build(&builder, thread, &sample);
	const struct stack *inner = stacks_at(&profile.stacks, stack);

	ck_assert(!builder.was_32bit);
	ck_assert_str_eq(module_of(frames_at(&profile.frames, inner->frame)), "[no stack]");
}
END_TEST

Suite *stack_builder_suite(void)
{
	Suite *suite = suite_create("stack_builder");
	TCase *core = tcase_create("core");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_add_test(core, of_32_bit_code_the_innermost_function_is_known);
	tcase_add_test(core, without_registers_there_is_no_stack);
	suite_add_tcase(suite, core);
	return suite;
}
