/*
 * Call frame information, and walks by what it says: whatever rules and expressions come of damaged
 * bytes, over stack memory that is as hostile.
 */
#include "elf/elf_file.h"
#include "unwind/walk.h"

#include "elf_mutator.h"
#include "fuzz.h"

#define BIAS  UINT64_C(0x555500000000)
#define STACK UINT64_C(0x7ffc00001000)
#define DEPTH 300

static const char *const sections[] = {".eh_frame", ".eh_frame", ".debug_frame", ".text", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return elf_mutate(data, size, max, seed, sections);
}

struct world {
	struct walk_module module;
	const struct elf_file *file;
	uint64_t stack[512];
};

static const struct walk_module *find_module(void *context, uint64_t ip)
{
	const struct world *world = context;

	return ip >= world->module.low && ip < world->module.high ? &world->module : NULL;
}

static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	const struct world *world = context;

	return elf_file_read(world->file, address - BIAS, value, sizeof(*value));
}

/* Half of the words lead into the code, a quarter into the stack. */
static void fill_stack(struct world *world, uint64_t *random)
{
	uint64_t code = world->module.high - world->module.low;

	for (size_t i = 0; i < sizeof(world->stack) / sizeof(*world->stack); i++) {
		uint64_t kind = fuzz_random(random, 4);

		world->stack[i] = kind < 2   ? world->module.low + fuzz_random(random, code + 1)
				  : kind < 3 ? STACK + fuzz_random(random, sizeof(world->stack))
					     : fuzz_random(random, UINT64_MAX);
	}
}

static void walk(struct world *world, uint64_t ip, uint64_t *random)
{
	uint64_t ips[DEPTH], cfas[DEPTH];
	uint8_t flags[DEPTH];
	struct walk_result result = {.flags = flags, .cfas = cfas};
	struct walk_registers registers = {.ip = ip, .known = WALK_ALL_KNOWN};
	const struct walk_source source = {.find_module = find_module,
		.read_word = read_word,
		.context = world,
		.stack = (const uint8_t *)world->stack,
		.stack_address = STACK,
		.stack_bytes = sizeof(world->stack) - fuzz_random(random, 64),
		.stack_limit = fuzz_random(random, 2) ? STACK + 4096 : 0,
		.scan_words = fuzz_random(random, 2) ? 64 : 0};

	for (size_t i = 0; i < 16; i++)
		registers.r[i] = world->stack[fuzz_random(random, 512)];
	registers.r[UNWIND_RSP] = STACK + fuzz_random(random, 256);
	unwinder_walk(&source, NULL, &registers, ips, DEPTH, &result);
}

/* From each row's first address, as the table is; then over as many stacks from anywhere. */
static void walk_all(struct world *world, uint64_t random)
{
	const struct unwind_rows *rows = world->module.rows;
	char text[64];

	for (size_t i = 0; i < rows->row_count && i < 200; i++) {
		uint64_t file_addr;

		unwind_rule_text(unwind_rows_at(rows, i, &file_addr), text, sizeof(text));
		if (i % 16 == 0)
			fill_stack(world, &random);
		walk(world, file_addr + BIAS, &random);
	}
	walk(world, world->module.low, &random);
	walk(world, 0, &random);
	walk(world, world->module.high, &random);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_file image;
	struct unwind_rows *rows;
	struct elf_file *file;
	struct world world;

	fuzz_file_set(&image, data, size);
	file = elf_file_open_fd(image.fd, "seed", NULL);
	if (!file)
		return 0;
	rows = unwind_rows_compile(file, NULL);
	if (rows) {
		world.module =
			(struct walk_module){rows->low + BIAS, rows->high + BIAS, BIAS, rows};
		world.file = file;
		walk_all(&world, size);
	}
	unwind_rows_free(rows);
	elf_file_close(file);
	return 0;
}
