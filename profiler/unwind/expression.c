#include "unwind/expression.h"

#include "unwind/bytes.h"

#define STACK_MAX 32
#define STEPS_MAX 512

/* DWARF 5 section 7.7.1. Locations and types have no place in CFI and are left out. */
enum {
	DW_OP_addr = 0x03,
	DW_OP_deref = 0x06,
	DW_OP_const1u = 0x08,
	DW_OP_const1s = 0x09,
	DW_OP_const2u = 0x0a,
	DW_OP_const2s = 0x0b,
	DW_OP_const4u = 0x0c,
	DW_OP_const4s = 0x0d,
	DW_OP_const8u = 0x0e,
	DW_OP_const8s = 0x0f,
	DW_OP_constu = 0x10,
	DW_OP_consts = 0x11,
	DW_OP_dup = 0x12,
	DW_OP_drop = 0x13,
	DW_OP_over = 0x14,
	DW_OP_pick = 0x15,
	DW_OP_swap = 0x16,
	DW_OP_rot = 0x17,
	DW_OP_abs = 0x19,
	DW_OP_and = 0x1a,
	DW_OP_div = 0x1b,
	DW_OP_minus = 0x1c,
	DW_OP_mod = 0x1d,
	DW_OP_mul = 0x1e,
	DW_OP_neg = 0x1f,
	DW_OP_not = 0x20,
	DW_OP_or = 0x21,
	DW_OP_plus = 0x22,
	DW_OP_plus_uconst = 0x23,
	DW_OP_shl = 0x24,
	DW_OP_shr = 0x25,
	DW_OP_shra = 0x26,
	DW_OP_xor = 0x27,
	DW_OP_bra = 0x28,
	DW_OP_eq = 0x29,
	DW_OP_ge = 0x2a,
	DW_OP_gt = 0x2b,
	DW_OP_le = 0x2c,
	DW_OP_lt = 0x2d,
	DW_OP_ne = 0x2e,
	DW_OP_skip = 0x2f,
	DW_OP_lit0 = 0x30,
	DW_OP_lit31 = 0x4f,
	DW_OP_breg0 = 0x70,
	DW_OP_breg31 = 0x8f,
	DW_OP_bregx = 0x92,
	DW_OP_deref_size = 0x94,
	DW_OP_nop = 0x96,
};

struct evaluation {
	const struct walk_source *source;
	const struct walk_registers *registers;
	struct bytes code;
	const uint8_t *start;
	uint64_t stack[STACK_MAX];
	size_t depth;
	bool failed;
};

static void push(struct evaluation *e, uint64_t value)
{
	if (e->depth == STACK_MAX)
		e->failed = true;
	else
		e->stack[e->depth++] = value;
}

static uint64_t pop(struct evaluation *e)
{
	if (e->depth == 0) {
		e->failed = true;
		return 0;
	}
	return e->stack[--e->depth];
}

/* The item `index` below the top. */
static uint64_t pick(struct evaluation *e, size_t index)
{
	if (index >= e->depth) {
		e->failed = true;
		return 0;
	}
	return e->stack[e->depth - 1 - index];
}

static void push_register(struct evaluation *e, uint64_t reg)
{
	int64_t offset = bytes_sleb(&e->code);

	if (reg == UNWIND_RETURN_ADDRESS)
		push(e, e->registers->ip + (uint64_t)offset);
	else if (reg < UNWIND_RETURN_ADDRESS && e->registers->known >> reg & 1)
		push(e, e->registers->r[reg] + (uint64_t)offset);
	else
		e->failed = true;
}

static void push_memory(struct evaluation *e, unsigned size)
{
	uint64_t word = 0;

	if (size == 0 || size > 8 || !walk_source_read(e->source, pop(e), &word))
		e->failed = true;
	else
		push(e, size == 8 ? word : word & ((UINT64_C(1) << 8 * size) - 1));
}

/* An address as the file writes it, moved to where its module runs. */
static void push_address(struct evaluation *e)
{
	const struct walk_module *module =
		e->source->find_module(e->source->context, e->registers->ip);

	push(e, bytes_fixed(&e->code, 8) + (module ? module->bias : 0));
	e->failed |= !module;
}

static void jump(struct evaluation *e, int64_t distance)
{
	int64_t target = (e->code.at - e->start) + distance;

	if (target < 0 || target > e->code.end - e->start)
		e->failed = true;
	else
		e->code.at = e->start + target;
}

static bool run_constant(struct evaluation *e, uint8_t op)
{
	struct bytes *code = &e->code;

	if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
		push(e, (uint64_t)(op - DW_OP_lit0));
		return true;
	}
	switch (op) {
	case DW_OP_const1u:
	case DW_OP_const2u:
	case DW_OP_const4u:
	case DW_OP_const8u:
		push(e, bytes_fixed(code, (size_t)1 << (op - DW_OP_const1u) / 2));
		return true;
	case DW_OP_const1s:
	case DW_OP_const2s:
	case DW_OP_const4s:
	case DW_OP_const8s:
		push(e, (uint64_t)bytes_signed(code, (size_t)1 << (op - DW_OP_const1s) / 2));
		return true;
	case DW_OP_constu:
		push(e, bytes_uleb(code));
		return true;
	case DW_OP_consts:
		push(e, (uint64_t)bytes_sleb(code));
		return true;
	default:
		return false;
	}
}

static bool run_memory(struct evaluation *e, uint8_t op)
{
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		push_register(e, (uint64_t)(op - DW_OP_breg0));
	else if (op == DW_OP_bregx)
		push_register(e, bytes_uleb(&e->code));
	else if (op == DW_OP_deref)
		push_memory(e, 8);
	else if (op == DW_OP_deref_size)
		push_memory(e, bytes_u8(&e->code));
	else if (op == DW_OP_addr)
		push_address(e);
	else
		return false;
	return true;
}

static void rotate(struct evaluation *e)
{
	uint64_t first = pop(e), second = pop(e), third = pop(e);

	push(e, first);
	push(e, third);
	push(e, second);
}

static bool run_stack(struct evaluation *e, uint8_t op)
{
	uint64_t first, second;

	switch (op) {
	case DW_OP_dup:
		push(e, pick(e, 0));
		return true;
	case DW_OP_drop:
		pop(e);
		return true;
	case DW_OP_over:
		push(e, pick(e, 1));
		return true;
	case DW_OP_pick:
		push(e, pick(e, bytes_u8(&e->code)));
		return true;
	case DW_OP_swap:
		first = pop(e);
		second = pop(e);
		push(e, first);
		push(e, second);
		return true;
	case DW_OP_rot:
		rotate(e);
		return true;
	default:
		return false;
	}
}

static bool run_unary(struct evaluation *e, uint8_t op)
{
	uint64_t value;

	switch (op) {
	case DW_OP_abs:
		value = pop(e);
		push(e, (int64_t)value < 0 ? -value : value);
		return true;
	case DW_OP_neg:
		push(e, -pop(e));
		return true;
	case DW_OP_not:
		push(e, ~pop(e));
		return true;
	case DW_OP_plus_uconst:
		value = pop(e);
		push(e, value + bytes_uleb(&e->code));
		return true;
	default:
		return false;
	}
}

static uint64_t divide(struct evaluation *e, uint8_t op, uint64_t a, uint64_t b)
{
	if (b == 0) {
		e->failed = true;
		return 0;
	}
	if (op == DW_OP_mod)
		return a % b;
	return b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
}

/* Comparisons and the division are of signed numbers. */
static uint64_t binary(struct evaluation *e, uint8_t op, uint64_t a, uint64_t b)
{
	int64_t left = (int64_t)a, right = (int64_t)b;

	switch (op) {
	case DW_OP_and:
		return a & b;
	case DW_OP_or:
		return a | b;
	case DW_OP_xor:
		return a ^ b;
	case DW_OP_plus:
		return a + b;
	case DW_OP_minus:
		return a - b;
	case DW_OP_mul:
		return a * b;
	case DW_OP_div:
	case DW_OP_mod:
		return divide(e, op, a, b);
	case DW_OP_shl:
		return b < 64 ? a << b : 0;
	case DW_OP_shr:
		return b < 64 ? a >> b : 0;
	case DW_OP_shra:
		return (uint64_t)(left >> (b < 64 ? b : 63));
	case DW_OP_eq:
		return left == right;
	case DW_OP_ge:
		return left >= right;
	case DW_OP_gt:
		return left > right;
	case DW_OP_le:
		return left <= right;
	case DW_OP_lt:
		return left < right;
	case DW_OP_ne:
		return left != right;
	default:
		e->failed = true;
		return 0;
	}
}

static bool run_flow(struct evaluation *e, uint8_t op)
{
	int64_t distance;

	switch (op) {
	case DW_OP_nop:
		return true;
	case DW_OP_skip:
		jump(e, bytes_signed(&e->code, 2));
		return true;
	case DW_OP_bra:
		distance = bytes_signed(&e->code, 2);
		if (pop(e))
			jump(e, distance);
		return true;
	default:
		return false;
	}
}

static void run_one(struct evaluation *e)
{
	uint8_t op = bytes_u8(&e->code);
	uint64_t a, b;

	if (run_constant(e, op) || run_memory(e, op) || run_stack(e, op) || run_unary(e, op) ||
		run_flow(e, op))
		return;
	b = pop(e);
	a = pop(e);
	push(e, binary(e, op, a, b));
}

bool expression_evaluate(const struct unwind_expression *expression,
	const struct walk_source *source, const struct walk_registers *registers,
	const uint64_t *first, uint64_t *value)
{
	struct evaluation e; /* not cleared: depth says what of its stack is valid */

	e.source = source;
	e.registers = registers;
	e.start = expression->bytes;
	e.code = (struct bytes){e.start, e.start + expression->length, false};
	e.depth = 0;
	e.failed = false;
	if (first)
		push(&e, *first);
	for (int step = 0; e.code.at < e.code.end && !e.failed && !e.code.bad; step++) {
		if (step == STEPS_MAX)
			return false;
		run_one(&e);
	}
	*value = pop(&e);
	return !e.failed && !e.code.bad;
}
