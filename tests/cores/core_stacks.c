/*
 * core_stacks CORE...: the stacks of every thread in core dumps, walked by our rows. A line a
 * thread, its addresses innermost first; "?" follows those that were guessed, "!" signal frames:
 *
 *     core.3 4711 rooted 7f35d3f1c728 5a85ed? 42c0f1
 */
#include "core_file.h"

#include <stdio.h>

#define DEPTH_MAX 65536

static uint64_t ips[DEPTH_MAX];
static uint8_t flags[DEPTH_MAX];

static void print_stack(struct core_file *core, const char *name, const struct core_thread *thread)
{
	uint64_t rsp = thread->registers.r[UNWIND_RSP];
	const struct core_load *stack = core_file_load(core, rsp);
	struct walk_source source = {.find_module = core_file_find,
		.read_word = core_file_read_word,
		.context = core,
		.stack_address = rsp};
	struct walk_result result = {.flags = flags};
	size_t depth;

	if (stack) {
		source.stack = stack->bytes + (rsp - stack->low);
		source.stack_bytes = stack->high - rsp;
		source.stack_limit = stack->high;
	}
	depth = unwinder_walk(&source, NULL, &thread->registers, ips, DEPTH_MAX, &result);
	printf("%s %d %s", name, thread->tid, walk_end_texts[result.end].name);
	for (size_t i = 0; i < depth; i++)
		printf(" %llx%s%s", (unsigned long long)ips[i], flags[i] & WALK_GUESSED ? "?" : "",
			flags[i] & WALK_SIGNAL ? "!" : "");
	printf("\n");
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct core_file core = {0};
		struct error err;

		if (core_file_open(&core, argv[i], &err)) {
			fprintf(stderr, "core_stacks: %s\n", err.text);
			return 1;
		}
		for (size_t t = 0; t < core.threads.count; t++)
			print_stack(&core, argv[i], &core.threads.items[t]);
		core_file_close(&core);
	}
	return 0;
}
