/*
 * The instructions and expressions of call frame information alone, and walks by them. The input:
 *
 *     1 byte    the function's encoding of addresses     1 byte   length of its instructions
 *     ...       instructions of the FDE (with what follows them as expressions)
 *     ...       words of the stack
 */
#include "fake_module.h"
#include "unwind/walk.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define STACK UINT64_C(0x7ffc00001000)
#define DEPTH 100

struct world {
	struct walk_module module;
	uint64_t stack[64];
};

static const struct walk_module *find_module(void *context, uint64_t ip)
{
	const struct world *world = context;

	return ip >= world->module.low && ip < world->module.high ? &world->module : NULL;
}

static void walk(struct world *world, uint64_t ip)
{
	uint64_t ips[DEPTH];
	struct walk_result result = {0};
	struct walk_registers registers = {.ip = ip, .known = WALK_ALL_KNOWN};
	const struct walk_source source = {.find_module = find_module,
		.context = world,
		.stack = (const uint8_t *)world->stack,
		.stack_address = STACK,
		.stack_bytes = sizeof(world->stack)};

	for (size_t i = 0; i < 16; i++)
		registers.r[i] = STACK + 8 * i;
	registers.r[UNWIND_RSP] = STACK;
	unwinder_walk(&source, NULL, &registers, ips, DEPTH, &result);
}

static struct unwind_rows *make_rows(const uint8_t *code, size_t length)
{
	struct fake_module module = {.entry = 0};
	uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);

	fake_fde(&module.eh, cie, FAKE_TEXT, 0x1000, code, length);
	cie = fake_cie(&module.eh, "zRS", 0x1b, code, length);
	fake_fde(&module.eh, cie, FAKE_TEXT + 0x1000, 0x1000, FAKE(0));
	return fake_rows(&module);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {0};
	size_t length, rest;

	if (size < 1)
		return 0;
	length = data[0] < size - 1 ? data[0] : size - 1;
	world.module.rows = make_rows(data + 1, length);
	world.module.low = FAKE_TEXT;
	world.module.high = FAKE_TEXT_END;
	rest = size - 1 - length;
	memcpy(world.stack, data + 1 + length,
		rest < sizeof(world.stack) ? rest : sizeof(world.stack));
	for (uint64_t at = 0; at < 0x2000; at += 0x7f)
		walk(&world, FAKE_TEXT + at);
	unwind_rows_free((struct unwind_rows *)world.module.rows);
	return 0;
}
