/*
 * bench/many_cpus: what the recorder's one reading thread costs on a machine of many CPUs, which is
 * simulated: each CPU's two rings are memory that the program fills as the kernel does, with
 * samples of real stacks of its own (10 to 40 frames, copies of up to 16 KiB). They then take the
 * recording's way: merged by time, decoded, unwound, interned, accounted, put on the timeline.
 *
 *      256 CPUs   a look at empty rings   12.3 us    a sample   5.1 us    keeps up with 196 busy
 * CPUs
 *
 * The last is how many CPUs that are busy without a pause give 999 samples a second each for which
 * one thread is enough.
 */
#include "../program_maps.c" /* a benchmark is one file over the core */

#include "collect/accounting.h"
#include "collect/perf_record.h"
#include "collect/proc_maps.h"
#include "collect/ring_merge.h"
#include "collect/stack_builder.h"

#include <stdio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define CPUS_MAX    256
#define RING_BYTES  (1u << 20)
#define STACK_BYTES 16384
#define STACKS	    64
#define ROUNDS	    5
#define RATE_HZ	    999

/* A sample without kernel addresses, as PERF_SAMPLE_TYPE lays it out; its time comes at +32. */
struct sample_record {
	struct perf_event_header header;
	uint64_t identifier, ip;
	uint32_t pid, tid;
	uint64_t time, period;
	uint64_t kernel_depth;
	uint64_t abi, registers[PERF_REGISTER_COUNT];
	uint64_t stack_size;
	uint8_t stack[STACK_BYTES];
	uint64_t stack_used;
};

static struct sample_record samples[STACKS];
static size_t sample_count;
static struct ring rings[2 * CPUS_MAX];

static struct profile profile;
static struct timeline timeline;
static struct images images;
static struct tasks tasks;
static struct live_process *process;
static struct stack_builder builder;
static struct accounting accounting = {.profile = &profile};

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* --- the program that is recorded: this one ----------------------------------------------------
 */

static void add_mapping(void *context, const struct event_mmap *mapping)
{
	(void)context;
	address_space_map(
		process->space, mapping, images_for_mapping(&images, &profile, getpid(), mapping));
}

static void add_program(void)
{
	struct process row = {.pid = getpid()};
	struct address_space *space = address_space_new();

	process = tasks_add_process(
		&tasks, getpid(), threads_add_process(&profile.threads, &row), space);
	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu++) {
		struct thread thread = {.tid = 1 + cpu, .process = process->id};

		accounting_begin(tasks_add_thread(&tasks, process, thread.tid,
					 threads_add_thread(&profile.threads, &thread)),
			0, true);
	}
	proc_maps_of(getpid(), add_mapping, NULL);
}

/* The kernel's order of registers: see asm/perf_regs.h. */
static void put_registers(uint64_t *to, const ucontext_t *from)
{
	static const int order[PERF_REGISTER_COUNT] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI,
		REG_RDI, REG_RBP, REG_RSP, REG_RIP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12,
		REG_R13, REG_R14, REG_R15};

	for (int i = 0; i < PERF_REGISTER_COUNT; i++)
		to[i] = from->uc_mcontext.gregs[order[i]];
}

static void take_stack(void)
{
	struct sample_record *record = &samples[sample_count++];
	struct program_maps maps = {0};
	ucontext_t context;

	getcontext(&context);
	program_maps_read(&maps, getpid());
	*record = (struct sample_record){
		.header = {.type = PERF_RECORD_SAMPLE, .size = sizeof(*record)},
		.ip = context.uc_mcontext.gregs[REG_RIP],
		.pid = getpid(),
		.abi = 2,
		.stack_size = STACK_BYTES};
	put_registers(record->registers, &context);
	record->stack_used = program_maps_copy(
		&maps, context.uc_mcontext.gregs[REG_RSP], record->stack, STACK_BYTES);
	program_maps_release(&maps);
}

static __attribute__((noinline)) void at_depth(int depth)
{
	char room[256];

	__asm__ volatile("" : : "r"(room) : "memory");
	if (depth > 1)
		at_depth(depth - 1);
	else
		take_stack();
	__asm__ volatile("" : : "r"(room) : "memory");
}

/* --- the machine -------------------------------------------------------------------------------
 */

static void open_rings(void)
{
	for (size_t i = 0; i < 2 * CPUS_MAX; i++) {
		rings[i].fd = -1;
		rings[i].page = alloc_zeroed(1, sizeof(*rings[i].page));
		rings[i].data = alloc_bytes(i % 2 ? 4096 : RING_BYTES);
		rings[i].data_bytes = i % 2 ? 4096 : RING_BYTES;
	}
}

/* Fills the first rings, as if all CPUs had been busy; returns the number of samples. */
static size_t fill(size_t cpus, uint64_t *time_ns)
{
	size_t each = RING_BYTES / sizeof(struct sample_record);

	for (size_t cpu = 0; cpu < cpus; cpu++) {
		struct ring *ring = &rings[2 * cpu];

		ring->head = ring->tail = ring->page->data_tail = 0;
		for (size_t i = 0; i < each; i++) {
			struct sample_record *record = (void *)(ring->data + i * sizeof(*record));

			*record = samples[(cpu * 31 + i * 7) % sample_count];
			record->tid = 1 + cpu;
			record->time = *time_ns + i * 1000000 + cpu * 1000000 / cpus;
		}
		ring->page->data_head = each * sizeof(struct sample_record);
	}
	*time_ns += each * 1000000;
	return cpus * each;
}

static void take_sample(const struct event *event)
{
	struct live_thread *thread = tasks_thread(&tasks, event->tid);

	accounting_sample(&accounting, thread, event->time_ns,
		stack_builder_build(&builder, thread, &event->sample));
}

static size_t drain(struct ring_merge *merge)
{
	const struct perf_event_header *record;
	size_t ring, count = 0;

	ring_merge_look(merge, UINT64_MAX);
	while ((record = ring_merge_next(merge, &ring))) {
		struct event event = {0};

		if (!perf_record_decode(record, false, &event))
			abort();
		take_sample(&event);
		count++;
	}
	return count;
}

static double look_ns(struct ring_merge *merge)
{
	double start = now_ns();

	for (int i = 0; i < 1000; i++)
		ring_merge_look(merge, UINT64_MAX);
	return (now_ns() - start) / 1000;
}

static void measure(size_t cpus)
{
	static uint64_t time_ns = 1000000000;
	struct ring_merge merge;
	double best = 1e18;

	ring_merge_init(&merge, rings, 2 * cpus);
	for (int round = 0; round < ROUNDS; round++) {
		size_t count = fill(cpus, &time_ns);
		double start = now_ns(), taken;

		if (drain(&merge) != count)
			abort();
		taken = (now_ns() - start) / (double)count;
		best = taken < best ? taken : best;
		timeline_clear(&timeline); /* as each second, when it is written */
	}
	printf("%6zu CPUs   a look at empty rings %7.1f us   a sample %6.2f us   "
	       "keeps up with %4.0f busy CPUs at %d Hz\n",
		cpus, look_ns(&merge) / 1000, best / 1000, 1e9 / (best * RATE_HZ), RATE_HZ);
	ring_merge_release(&merge);
}

/* A figure of stacks that were not walked would be worth nothing. */
static void check_stacks(void)
{
	size_t frames = 0;

	for (size_t i = 0; i < profile.counts.count; i++) {
		stack_id stack = profile.counts.items[i].stack;

		if (stacks_end(&profile.stacks, stack) != STACK_ROOTED) {
			fprintf(stderr, "a stack does not reach the program's start\n");
			exit(1);
		}
		frames += stacks_depth(&profile.stacks, stack);
	}
	printf("   %zu different stacks by thread, %.1f frames on average\n", profile.counts.count,
		(double)frames / (double)profile.counts.count);
}

int main(void)
{
	static const size_t sizes[] = {1, 2, 16, 64, 256};

	profile_init(&profile);
	profile.timeline = &timeline;
	stack_builder_init(&builder, &profile);
	add_program();
	while (sample_count < STACKS)
		at_depth(6 + (int)sample_count / 2);
	open_rings();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		measure(sizes[i]);
	check_stacks();
	return 0;
}
