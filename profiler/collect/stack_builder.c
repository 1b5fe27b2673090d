#include "collect/stack_builder.h"

#include "collect/outer_stack.h"
#include "collect/remote_memory.h"
#include "unwind/guess.h"

#include <stdlib.h>

#define DEPTH_MAX STACK_DEPTH_MAX

/* How far to look for a return address where a blocked thread's registers are not known. */
#define SCAN_WORDS 1024

void stack_builder_init(struct stack_builder *builder, struct profile *profile)
{
	*builder = (struct stack_builder){.profile = profile};
	builder->ips = alloc_zeroed(DEPTH_MAX, sizeof(*builder->ips));
	builder->cfas = alloc_zeroed(DEPTH_MAX, sizeof(*builder->cfas));
	builder->flags = alloc_zeroed(DEPTH_MAX, sizeof(*builder->flags));
	builder->frames = alloc_zeroed(DEPTH_MAX, sizeof(*builder->frames));
	builder->outer = alloc_zeroed(1, sizeof(*builder->outer));
}

void stack_builder_release(struct stack_builder *builder)
{
	free(builder->ips);
	free(builder->cfas);
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

/* Code is in its file, also when the process is gone already. */
static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	const struct walk_context *walk = context;
	const struct mapping *mapping;

	if (outer_stack_is_near(walk->outer, address))
		return outer_stack_read(walk->outer, address, value);
	mapping = address_space_find(walk->process->space, address);
	if (!mapping)
		return outer_stack_read(walk->outer, address, value);
	if (mapping->has_file && elf_file_read(mapping->image->file, address - mapping->walk.bias,
					 value, sizeof(*value)))
		return true;
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
	builder->was_unmapped = true;
	module = modules_intern(
		&profile->modules, &profile->strings, "[unmapped]", MODULE_JIT, NULL);
	return frames_intern(&profile->frames, module, ip);
}

/*
 * Whether what was read a moment after the sample belongs to it. A handler's stack keeps the
 * interrupted registers when the handler has returned, so that the interrupted function's return
 * address must not be one of another call. Of a frame that is larger than most of the copy nothing
 * may be left to compare, as the functions it called have returned: then it counts that the frame's
 * return address follows a call of this very function, and that the stack goes on from there to its
 * root.
 */
static bool outer_belongs(const struct stack_builder *builder, const struct walk_source *source,
	const struct walk_result *walk)
{
	size_t last = builder->inside - 1; /* the frame at the border */

	if (outer_stack_is_unchanged(builder->outer, walk, builder->inside) &&
		!(builder->flags[last - 1] & WALK_SIGNAL && walk->depth > last + 1 &&
			guess_is_call_of_another(
				source, builder->ips[last + 1], builder->ips[last])))
		return true;
	return walk->end == WALK_ROOTED && walk->depth > last + 1 &&
	       outer_stack_is_mostly(builder->outer, walk, last) &&
	       guess_is_call_of(source, builder->ips[last + 1], builder->ips[last]);
}

static void check_outer(
	struct stack_builder *builder, const struct walk_source *source, struct walk_result *walk)
{
	builder->inside = outer_stack_inside(builder->outer->sample, walk);
	if (!builder->outer->was_read ||
		(builder->inside == walk->depth && walk->end == WALK_ROOTED) ||
		outer_belongs(builder, source, walk))
		return;
	if (builder->inside < walk->depth)
		walk->needed_address = builder->cfas[builder->inside - 1] - 8;
	walk->depth = builder->inside;
	walk->end = WALK_TRUNCATED;
}

static void remember(struct stack_builder *builder, struct stack_memory *memory, stack_id stack,
	uint32_t depth, size_t i)
{
	uint64_t innermost = builder->outer->sample->registers.r[UNWIND_RSP],
		 inner_end = i > 0 ? builder->cfas[i - 1] : innermost;

	stack_memory_add(memory,
		(struct stack_mark){builder->cfas[i], builder->ips[i + 1], stack, depth},
		builder->cfas[i] - inner_end, innermost);
}

/* The innermost `count` frames of the walk on top of `stack`, with marks where there is a memory.
 */
static stack_id push_walk(struct stack_builder *builder, struct stack_memory *memory,
	stack_id stack, uint32_t depth, size_t count)
{
	while (count > 0) {
		stack = stacks_push(&builder->profile->stacks, stack, builder->frames[--count]);
		depth++;
		if (memory && count > 0)
			remember(builder, memory, stack, depth, count - 1);
	}
	return stack;
}

static struct walked_stack first_frames(const struct stack_builder *builder, size_t depth)
{
	return (struct walked_stack){builder->ips, builder->cfas, builder->frames, depth};
}

/*
 * Of the frame at the copy's end the CFA is known, where the missing word was its return address. A
 * mark at the same CFA whose return address follows a call of this very function gives it: one
 * frame more that can be shared, the only one where frames are larger than the copy.
 */
static bool take_border_from_mark(struct stack_builder *builder, struct live_thread *thread,
	const struct walk_source *source, const struct walk_result *walk)
{
	size_t depth = walk->depth;
	const struct stack_mark *mark = stack_memory_at(&thread->memory, walk->needed_address + 8);

	if (!mark || depth == DEPTH_MAX ||
		!guess_is_call_of(source, mark->return_address, builder->ips[depth - 1]))
		return false;
	builder->cfas[depth - 1] = mark->cfa;
	builder->ips[depth] = mark->return_address;
	builder->frames[depth] = frame_of(
		builder, thread->process, walk_lookup_ip(mark->return_address, WALK_RETURN));
	return true;
}

/* The copy ends within the stack: the thread's last one may tell the rest. */
static stack_id add_truncated(struct stack_builder *builder, struct live_thread *thread,
	const struct walk_source *source, const struct walk_result *walk)
{
	struct stack_memory *memory = &thread->memory;
	const struct stack_mark *mark = NULL;
	struct stack_mark shared;
	struct walked_stack certain;
	size_t inner;

	if (stack_memory_is_trusted(memory)) {
		certain = first_frames(builder,
			walk->depth + take_border_from_mark(builder, thread, source, walk));
		mark = stack_memory_find(memory, &builder->profile->stacks, &certain, &inner);
	}
	if (!mark || mark->depth + inner > DEPTH_MAX) {
		if (walk->depth > 1)
			stack_memory_leave(memory, builder->cfas[walk->depth - 2]);
		return push_walk(builder, NULL, STACK_TRUNCATED, 0, walk->depth);
	}
	shared = *mark;
	builder->was_restored = true;
	stack_memory_leave(memory, shared.cfa - 1);
	return push_walk(builder, memory, shared.outside, shared.depth, inner);
}

/*
 * The thread's last stack and what was read of it a moment after the sample do not agree, so one of
 * them is of another time. It is the latter when its first return address, a word that each call at
 * this place overwrites, is not one of a call of the function that it returns from.
 */
static stack_id add_doubtful(struct stack_builder *builder, struct live_thread *thread,
	const struct walk_source *source, struct walk_result *walk)
{
	size_t inside = builder->inside;

	walk->depth = inside;
	walk->needed_address = builder->cfas[inside - 1] - 8;
	if (!guess_is_call_of(source, builder->ips[inside], builder->ips[inside - 1]) &&
		take_border_from_mark(builder, thread, source, walk))
		return add_truncated(builder, thread, source, walk);
	stack_memory_compared(&thread->memory, false);
	return push_walk(builder, NULL, STACK_TRUNCATED, 0, inside);
}

/* The whole stack is known, in part perhaps by reading the process. */
static stack_id add_whole(struct stack_builder *builder, struct live_thread *thread,
	const struct walk_source *source, struct walk_result *walk)
{
	struct stack_memory *memory = thread->memory.is_kept ? &thread->memory : NULL;
	struct stacks *stacks = &builder->profile->stacks;
	struct walked_stack whole = first_frames(builder, walk->depth),
			    certain = first_frames(builder, builder->inside);
	const struct stack_mark *mark = NULL;
	size_t inner;

	if (memory && builder->inside < walk->depth)
		mark = stack_memory_find(memory, stacks, &certain, &inner);
	if (mark && !stack_mark_agrees(mark, stacks, &whole, inner))
		return add_doubtful(builder, thread, source, walk);
	if (mark)
		stack_memory_compared(memory, true);
	if (memory)
		stack_memory_forget(memory);
	builder->was_completed = builder->inside < walk->depth;
	return push_walk(builder, memory, STACK_ROOTED, 0, walk->depth);
}

static stack_id add_walk(struct stack_builder *builder, struct live_thread *thread,
	const struct walk_source *source, struct walk_result *walk)
{
	enum stack_end end = stack_end_of(walk->end);

	for (size_t i = 0; i < walk->depth; i++)
		builder->frames[i] = frame_of(builder, thread->process,
			walk_lookup_ip(builder->ips[i], builder->flags[i]));
	thread->memory.is_kept |= builder->outer->sample->stack_is_cut || builder->outer->was_read;
	stack_memory_leave(&thread->memory, source->stack_address);
	if (end == STACK_ROOTED)
		return add_whole(builder, thread, source, walk);
	if (end == STACK_TRUNCATED)
		return add_truncated(builder, thread, source, walk);
	return push_walk(builder, NULL, end, 0, walk->depth);
}

static stack_id build_user(struct stack_builder *builder, struct live_thread *thread,
	const struct event_sample *sample)
{
	struct live_process *process = thread->process;
	struct walk_context context = {process, sample, builder->outer};
	struct walk_source source = {.find_module = find_module,
		.read_word = read_word,
		.context = &context,
		.stack = sample->stack,
		.stack_address = sample->registers.r[UNWIND_RSP],
		.stack_bytes = sample->stack_bytes,
		.scan_words = sample->registers.known == WALK_ALL_KNOWN ? 0 : SCAN_WORDS};
	struct walk_result walk = {.flags = builder->flags, .cfas = builder->cfas};

	outer_stack_begin(builder->outer, process->pid, sample);
	unwinder_walk(&source, &process->space->cache, &sample->registers, builder->ips, DEPTH_MAX,
		&walk);
	check_outer(builder, &source, &walk);
	builder->was_cut = builder->outer->was_beyond;
	builder->was_read = builder->outer->was_read;
	builder->was_guessed = walk.any_flags & WALK_GUESSED;
	builder->was_unmapped = walk.end == WALK_BAD_RETURN;
	return add_walk(builder, thread, &source, &walk);
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

/* Of a waiting thread only the code tells. */
static bool is_32bit(struct live_process *process, const struct event_sample *sample)
{
	const struct mapping *mapping =
		sample->has_user ? address_space_find(process->space, sample->registers.ip) : NULL;

	return sample->is_32bit ||
	       (mapping && mapping->image->file && !elf_file_is_64(mapping->image->file));
}

/* Its callers are not walked: the unwinder is for 64-bit registers and return addresses. */
static stack_id build_32bit(struct stack_builder *builder, struct live_process *process,
	const struct event_sample *sample)
{
	struct profile *profile = builder->profile;
	stack_id stack = stacks_push(&profile->stacks, STACK_NOT_WALKED,
		profile_special_frame(profile, "[32-bit code]"));

	builder->was_32bit = true;
	return stacks_push(
		&profile->stacks, stack, frame_of(builder, process, sample->registers.ip));
}

stack_id stack_builder_build(struct stack_builder *builder, struct live_thread *thread,
	const struct event_sample *sample)
{
	stack_id stack = STACK_NOT_WALKED;

	builder->was_cut = builder->was_read = false;
	builder->was_guessed = builder->was_unmapped = builder->was_32bit = false;
	builder->was_completed = builder->was_restored = false;
	if (sample->is_dying || (sample->has_user && is_within_exec(thread->process, sample)))
		stack = STACK_ROOTED;
	else if (is_32bit(thread->process, sample))
		stack = build_32bit(builder, thread->process, sample);
	else if (sample->has_user)
		stack = build_user(builder, thread, sample);
	/* How the kernel goes to sleep is the same everywhere: what counts is who asked for it. */
	if (!sample->is_off_cpu || stack < STACK_END_COUNT)
		stack = push_kernel(builder, stack, sample);
	if (stack < STACK_END_COUNT)
		stack = stacks_push(&builder->profile->stacks, stack,
			profile_special_frame(builder->profile, "[no stack]"));
	return stack;
}
