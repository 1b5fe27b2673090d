/*
 * bench/unwind: what one walk of a warm 25-frame stack costs, beside libunwind and glibc in the
 * same run. The program takes its own registers and a copy of its stack at that depth.
 *
 *     cprof, warm cache                     25 frames      0.356 us       1.0x
 *
 * is the median over rounds of the time per walk, and its ratio to cprof's. libunwind's remote
 * unwinder gets its registers and stack from the same copy; it reads the CFI in place, which is
 * kind to it.
 */
#include "../program_maps.c" /* a benchmark is one file over the core */

#include <execinfo.h>
#include <link.h>
#include <stdio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <libunwind.h>

#define DEPTH	    25
#define ROUNDS	    21
#define STACK_BYTES 16384
#define MAX_FRAMES  128

static struct program_maps maps;
static struct walk_registers registers;
static ucontext_t context;
static uint8_t stack[STACK_BYTES];
static struct walk_source source;
static struct walk_cache cache;
static struct walk_cache_entry cache_entries[1024];

static double now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* --- cprof --------------------------------------------------------------------------------------
 */

static size_t walk(struct walk_cache *used)
{
	uint64_t ips[MAX_FRAMES], cfas[MAX_FRAMES];
	uint8_t flags[MAX_FRAMES];
	struct walk_result result = {.flags = flags, .cfas = cfas};

	return unwinder_walk(&source, used, &registers, ips, MAX_FRAMES, &result);
}

static size_t walk_warm(void)
{
	return walk(&cache);
}

static size_t walk_without_cache(void)
{
	return walk(NULL);
}

/* --- libunwind over the same copy ----------------------------------------------------------------
 */

/* The search that perf uses too; libunwind exports it but declares it nowhere. */
extern int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t space, unw_word_t ip,
	unw_dyn_info_t *info, unw_proc_info_t *result, int need, void *argument);

struct table_search {
	uint64_t ip;
	unw_dyn_info_t info;
};

/* .eh_frame_hdr: version, three encodings, pointer to .eh_frame, count, then the sorted table. */
static int find_table(struct dl_phdr_info *object, size_t size, void *argument)
{
	struct table_search *search = argument;
	const ElfW(Phdr) *header = NULL;
	bool is_here = false;

	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_GNU_EH_FRAME)
			header = segment;
		if (segment->p_type == PT_LOAD &&
			search->ip - object->dlpi_addr - segment->p_vaddr < segment->p_memsz)
			is_here = true;
	}
	if (!is_here || !header)
		return 0;
	search->info.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	search->info.start_ip = 0;
	search->info.end_ip = UINT64_MAX;
	search->info.u.rti.segbase = object->dlpi_addr + header->p_vaddr;
	search->info.u.rti.table_data = search->info.u.rti.segbase + 12;
	search->info.u.rti.table_len =
		*(const uint32_t *)(uintptr_t)(search->info.u.rti.segbase + 8);
	return 1;
}

static int remote_find_proc_info(
	unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info, int need, void *argument)
{
	struct table_search search = {.ip = ip};

	if (!dl_iterate_phdr(find_table, &search))
		return -UNW_ENOINFO;
	return _Ux86_64_dwarf_search_unwind_table(space, ip, &search.info, info, need, argument);
}

static void remote_put(unw_addr_space_t space, unw_proc_info_t *info, void *argument)
{
	(void)space;
	(void)info;
	(void)argument;
}

static int remote_no_list(unw_addr_space_t space, unw_word_t *address, void *argument)
{
	(void)space;
	(void)address;
	(void)argument;
	return -UNW_ENOINFO;
}

static int remote_memory(
	unw_addr_space_t space, unw_word_t address, unw_word_t *value, int is_write, void *argument)
{
	uint64_t offset = address - source.stack_address;
	const void *place = offset < source.stack_bytes - 8 ? source.stack + offset
							    : (const void *)(uintptr_t)address;

	(void)space;
	(void)argument;
	if (is_write)
		return -UNW_EINVAL;
	memcpy(value, place, sizeof(*value));
	return 0;
}

static int remote_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value,
	int is_write, void *argument)
{
	(void)space;
	(void)argument;
	if (is_write || number < 0 || number > UNW_X86_64_RIP)
		return -UNW_EBADREG;
	*value = number == UNW_X86_64_RIP ? registers.ip : registers.r[number];
	return 0;
}

static unw_addr_space_t remote_space;

static size_t libunwind_remote(void)
{
	unw_cursor_t cursor;
	size_t depth = 1;

	if (unw_init_remote(&cursor, remote_space, NULL) < 0)
		return 0;
	while (depth < MAX_FRAMES && unw_step(&cursor) > 0)
		depth++;
	return depth;
}

static void prepare_remote(void)
{
	static unw_accessors_t accessors = {
		.find_proc_info = remote_find_proc_info,
		.put_unwind_info = remote_put,
		.get_dyn_info_list_addr = remote_no_list,
		.access_mem = remote_memory,
		.access_reg = remote_register,
	};

	remote_space = unw_create_addr_space(&accessors, 0);
	unw_set_caching_policy(remote_space, UNW_CACHE_GLOBAL);
}

/* --- in place ------------------------------------------------------------------------------------
 */

static size_t libunwind_local(void)
{
	void *ips[MAX_FRAMES];

	return (size_t)unw_backtrace(ips, MAX_FRAMES);
}

static size_t glibc_backtrace(void)
{
	void *ips[MAX_FRAMES];

	return (size_t)backtrace(ips, MAX_FRAMES);
}

/* --- the measurement -----------------------------------------------------------------------------
 */

struct way {
	const char *name;
	size_t (*walk)(void);
	size_t times;
	double median_ns;
	size_t depth;
};

static struct way ways[] = {
	{"cprof, warm cache", walk_warm, 20000},
	{"cprof, without cache", walk_without_cache, 2000},
	{"libunwind remote, same stack copy", libunwind_remote, 200},
	{"libunwind unw_backtrace, in place", libunwind_local, 20000},
	{"glibc backtrace, in place", glibc_backtrace, 2000},
};

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void measure(struct way *way)
{
	double rounds[ROUNDS];

	way->depth = way->walk();
	for (size_t round = 0; round < ROUNDS; round++) {
		double start = now_ns();

		for (size_t i = 0; i < way->times; i++)
			way->walk();
		rounds[round] = (now_ns() - start) / (double)way->times;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_value);
	way->median_ns = rounds[ROUNDS / 2];
}

static void take_stack(void)
{
	getcontext(&context);
	program_registers_from_context(&registers, &context);
	source = (struct walk_source){
		.find_module = program_maps_find,
		.read_word = program_maps_read_word,
		.context = &maps,
		.stack = stack,
		.stack_address = registers.r[UNWIND_RSP],
		.stack_bytes =
			program_maps_copy(&maps, registers.r[UNWIND_RSP], stack, sizeof(stack)),
	};
}

static __attribute__((noinline)) void at_depth(int depth)
{
	char room[64];

	__asm__ volatile("" : : "r"(room) : "memory");
	if (depth > 1) {
		at_depth(depth - 1);
		__asm__ volatile("");
		return;
	}
	take_stack();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		measure(&ways[i]);
}

int main(void)
{
	program_maps_read(&maps, getpid());
	walk_cache_init(&cache, cache_entries, 1024);
	prepare_remote();
	at_depth(DEPTH - 5); /* and take_stack, main and three frames of the C library */
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		printf("%-36s %3zu frames %10.3f us %9.1fx\n", ways[i].name, ways[i].depth,
			ways[i].median_ns / 1000, ways[i].median_ns / ways[0].median_ns);
	program_maps_release(&maps);
	return 0;
}
