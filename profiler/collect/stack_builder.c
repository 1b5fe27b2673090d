#include "collect/stack_builder.h"

#include "collect/outer_stack.h"
#include "collect/remote_memory.h"

#include <stdlib.h>

#define DEPTH_MAX 16384

/* How far to look for a return address where a blocked thread's registers are not known. */
#define SCAN_WORDS 1024

/* A stack rarely is larger; further away there may be another one (of a signal handler, a
 * coroutine). */
#define STACK_REACH (8u << 20)

void stack_builder_init(struct stack_builder *builder, struct profile *profile)
{
	*builder = (struct stack_builder){.profile = profile};
	builder->ips = alloc_zeroed(DEPTH_MAX, sizeof(*builder->ips));
	builder->flags = alloc_zeroed(DEPTH_MAX, sizeof(*builder->flags));
	builder->frames = alloc_zeroed(DEPTH_MAX, sizeof(*builder->frames));
	builder->outer = alloc_zeroed(1, sizeof(*builder->outer));
}

void stack_builder_release(struct stack_builder *builder)
{
	free(builder->ips);
	free(builder->flags);
	free(builder->frames);
	free(builder->outer);
}

struct walk_context {
	struct live_process *process;
	const struct event_sample *sample;
	struct outer_stack *outer;
};

static const struct walk_module *find_module(void *context, uint64_t ip)
{
	const struct walk_context *walk = context;

	return address_space_walk_module(walk->process->space, ip);
}

/*
 * Code is in its file, also when the process is gone already. A stack that is not the running one
 * waits; only what lies above the copy of the running one needs care.
 */
static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	const struct walk_context *walk = context;
	uint64_t stack = walk->sample->registers.r[UNWIND_RSP];
	const struct mapping *mapping = address_space_find(walk->process->space, address);

	if (mapping && mapping->has_file &&
		elf_file_read(
			mapping->image->file, address - mapping->walk.bias, value, sizeof(*value)))
		return true;
	if (address >= stack && address - stack < STACK_REACH)
		return outer_stack_read(walk->outer, address, value);
	return remote_memory_read(walk->process->pid, address, value, sizeof(*value)) ==
	       sizeof(*value);
}

static enum stack_end stack_end_of(enum walk_end end)
{
	static const enum stack_end ends[WALK_ENDS] = {
		[WALK_ROOTED] = STACK_ROOTED,
		[WALK_ZERO_FRAME] = STACK_ROOTED,
		[WALK_TRUNCATED] = STACK_TRUNCATED,
		[WALK_NO_RULE] = STACK_NO_RULE,
		[WALK_BAD_RULE] = STACK_NO_RULE,
		[WALK_BAD_STACK] = STACK_BROKEN,
		[WALK_BAD_RETURN] = STACK_BROKEN,
		[WALK_DEEP] = STACK_TOO_DEEP,
	};

	return ends[end];
}

/*
 * An address outside every known mapping keeps its run-time value, in a module that says so, unless
 * the program told what code it made there.
 */
static frame_id frame_of(struct stack_builder *builder, struct live_process *process, uint64_t ip)
{
	const struct mapping *mapping = address_space_find(process->space, ip);
	struct profile *profile = builder->profile;
	struct jit_names *jit = process->space->jit;
	module_id module;

	if (mapping && !(mapping->image->is_jit && jit))
		return frames_intern(&profile->frames, mapping->module, ip - mapping->walk.bias);
	if (jit && (mapping || jit_names_know(jit, profile, ip, builder->time_ns)))
		return jit_names_frame(jit, profile, ip, builder->time_ns);
	module = modules_intern(
		&profile->modules, &profile->strings, "[unmapped]", MODULE_JIT, NULL);
	return frames_intern(&profile->frames, module, ip);
}

static stack_id build_user(struct stack_builder *builder, struct live_process *process,
	const struct event_sample *sample)
{
	struct walk_context context = {process, sample, builder->outer};
	struct walk_source source = {.find_module = find_module,
		.read_word = read_word,
		.context = &context,
		.stack = sample->stack,
		.stack_address = sample->registers.r[UNWIND_RSP],
		.stack_bytes = sample->stack_bytes,
		.scan_words = sample->registers.known == WALK_ALL_KNOWN ? 0 : SCAN_WORDS};
	struct walk_result result = {.flags = builder->flags};
	size_t depth;

	outer_stack_begin(builder->outer, process->pid, sample);
	depth = unwinder_walk(&source, &process->space->cache, &sample->registers, builder->ips,
		DEPTH_MAX, &result);
	builder->was_restored = builder->outer->is_same && result.end != WALK_TRUNCATED;
	builder->was_cut = builder->outer->was_compared;
	builder->was_guessed = result.any_flags & WALK_GUESSED;
	for (size_t i = 0; i < depth; i++)
		builder->frames[i] = frame_of(
			builder, process, walk_lookup_ip(builder->ips[i], builder->flags[i]));
	return stacks_intern(
		&builder->profile->stacks, builder->frames, depth, stack_end_of(result.end));
}

static stack_id push_kernel(
	struct stack_builder *builder, stack_id stack, const struct event_sample *sample)
{
	struct profile *profile = builder->profile;

	if (sample->kernel_depth > 0 && !builder->kernel)
		builder->kernel = modules_intern(
			&profile->modules, &profile->strings, "kernel", MODULE_KERNEL, NULL);
	for (size_t i = sample->kernel_depth; i-- > 0;) {
		uint8_t flags = i > 0 ? WALK_RETURN : 0;
		uint64_t ip = walk_lookup_ip(sample->kernel_ips[i], flags);

		stack = stacks_push(&profile->stacks, stack,
			frames_intern(&profile->frames, builder->kernel, ip));
	}
	return stack;
}

/*
 * While the kernel loads a new program, the registers still are the old one's, and of the new one
 * there is no stack: the kernel's part is all of it.
 */
static bool is_within_exec(struct live_process *process, const struct event_sample *sample)
{
	return (sample->kernel_depth > 0 || sample->is_off_cpu) &&
	       !address_space_find(process->space, sample->registers.ip);
}

stack_id stack_builder_build(struct stack_builder *builder, struct live_process *process,
	const struct event_sample *sample)
{
	stack_id stack = STACK_NOT_WALKED;

	builder->was_cut = builder->was_restored = builder->was_guessed = false;
	if (sample->is_dying || (sample->has_user && is_within_exec(process, sample)))
		stack = STACK_ROOTED;
	else if (sample->has_user)
		stack = build_user(builder, process, sample);
	/* How the kernel goes to sleep is the same everywhere: what counts is who asked for it. */
	if (!sample->is_off_cpu || stack < STACK_END_COUNT)
		stack = push_kernel(builder, stack, sample);
	if (stack < STACK_END_COUNT)
		stack = stacks_push(&builder->profile->stacks, stack,
			profile_special_frame(builder->profile, "[no stack]"));
	return stack;
}
