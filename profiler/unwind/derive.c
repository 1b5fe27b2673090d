#include "unwind/derive.h"

#include "elf/elf_file.h"
#include "unwind/instruction.h"

#include <string.h>

/* Smaller gaps are what compilers put between functions. */
#define GAP_MIN 16

/* Larger ones are no program's. */
#define GAP_MAX (UINT64_C(32) << 20)

/* No frame is larger. */
#define DEPTH_MAX (1 << 24)

/* How many instructions are looked at for each byte, before damaged code takes too long. */
#define STEPS_PER_BYTE 8

/* More than this is no switch. */
#define TABLE_MAX 1024

#define STATES_MAX 100000

/* exit(), abort() and what ends in them; each is asked for at every call. */
#define ENDLESS_MAX 128

/* The registers of struct derived_state's `saved`. */
static const uint8_t saved_registers[6] = {UNWIND_RBX, UNWIND_RBP, 12, 13, 14, 15};

struct place {
	uint64_t address;
	uint32_t state;
};

struct piece {
	uint64_t address;
	uint8_t length;
};

/* A call on the way: if it never returns, all that was found behind it is undone. */
struct call {
	uint64_t target;
	int32_t depth;
	size_t order_count, work_count;
};

struct derivation {
	struct derived *derived;
	struct elf_file *file;
	const uint8_t *code; /* of the gap */
	struct derived_gap *gap;
	ARRAY(struct place) work;  /* where the function goes on */
	ARRAY(uint64_t) functions; /* called, and not looked at yet */
	ARRAY(struct piece) order; /* the instructions of the function as they were found */
	ARRAY(struct call) calls;  /* on the present path */
	int32_t compared;	   /* the last immediate that something was compared with */
	uint64_t addresses[17];	   /* the last one that was put into each register */
	uint64_t table;		   /* of the last switch */
	uint64_t steps_left;
	ARRAY(uint64_t) endless; /* functions that never return */
};

/* --- states -------------------------------------------------------------------------------------
 */

/*
 * The number of a state, given that of the instruction before: most change nothing, and else one of
 * the last few comes again.
 */
static uint32_t state_number(
	struct derived *derived, const struct derived_state *state, uint32_t before)
{
	size_t count = derived->states.count, low = count > 64 ? count - 64 : 0;

	if (before && before <= count &&
		memcmp(&derived->states.items[before - 1], state, sizeof(*state)) == 0)
		return before;
	for (size_t i = count; i-- > low;)
		if (memcmp(&derived->states.items[i], state, sizeof(*state)) == 0)
			return (uint32_t)i + 1;
	if (count == STATES_MAX)
		return 0;
	*array_add(&derived->states) = *state;
	return (uint32_t)count + 1;
}

static struct derived_state state_at(const struct derivation *derivation, uint32_t number)
{
	return derivation->derived->states.items[number - 1];
}

static int saved_index(uint8_t reg)
{
	for (int i = 0; i < 6; i++)
		if (saved_registers[i] == reg)
			return i;
	return -1;
}

/* Changes the depth; false when more is popped than was pushed. */
static bool grow(struct derived_state *state, int64_t bytes)
{
	int64_t depth = state->depth + bytes;

	if (!state->depth)
		return true;
	state->depth = (int32_t)depth;
	return depth >= 8 && depth < DEPTH_MAX;
}

/* The distance from the CFA to what lies `bytes` above this place; 0: not known. */
static int32_t distance(int32_t depth, int64_t bytes)
{
	int64_t result = depth - bytes;

	return depth && result > -DEPTH_MAX && result < DEPTH_MAX ? (int32_t)result : 0;
}

static bool push(struct derived_state *state, uint8_t reg)
{
	int index = saved_index(reg);

	if (!grow(state, 8))
		return false;
	if (index >= 0 && state->depth && !state->saved[index])
		state->saved[index] = state->depth;
	return true;
}

static bool pop(struct derived_state *state, uint8_t reg)
{
	int index = saved_index(reg);

	if (index >= 0 && state->depth && state->saved[index] == state->depth) {
		state->saved[index] = 0;
		if (reg == UNWIND_RBP)
			state->rbp_depth = 0;
	}
	return grow(state, -8);
}

/* What the instruction does to the account; false when it cannot be. */
static bool apply(struct derived_state *state, const struct instruction *instruction)
{
	switch (instruction->kind) {
	case INSTRUCTION_PUSH:
		return push(state, instruction->reg);
	case INSTRUCTION_POP:
		return pop(state, instruction->reg);
	case INSTRUCTION_ADJUST:
		return grow(state, -(int64_t)instruction->value);
	case INSTRUCTION_RSP_FROM_RBP:
		state->depth = distance(state->rbp_depth, instruction->value);
		return state->depth == 0 || state->depth >= 8;
	case INSTRUCTION_RBP_FROM_RSP:
		state->rbp_depth = distance(state->depth, instruction->value);
		return true;
	case INSTRUCTION_RSP_LOST:
		state->depth = 0;
		return true;
	case INSTRUCTION_LEAVE:
		state->depth = state->rbp_depth;
		return pop(state, UNWIND_RBP);
	case INSTRUCTION_RETURN:
		return state->depth == 0 || state->depth == 8;
	default:
		return true;
	}
}

/* --- one function -------------------------------------------------------------------------------
 */

static bool is_inside(const struct derivation *derivation, uint64_t address)
{
	return address >= derivation->gap->start && address < derivation->gap->end;
}

static uint32_t *states_of(const struct derivation *derivation, uint64_t address)
{
	return &derivation->gap->states[address - derivation->gap->start];
}

static void go_on_at(struct derivation *derivation, uint64_t address, uint32_t state)
{
	if (is_inside(derivation, address) && !*states_of(derivation, address))
		*array_add(&derivation->work) = (struct place){address, state};
}

/* The instruction's bytes get its state; false when they already are part of another one. */
static bool take_bytes(
	struct derivation *derivation, uint64_t address, uint8_t length, uint32_t state)
{
	uint32_t *states = states_of(derivation, address);

	for (uint8_t i = 0; i < length; i++)
		if (states[i])
			return false;
	for (uint8_t i = 0; i < length; i++)
		states[i] = state;
	*array_add(&derivation->order) = (struct piece){address, length};
	return true;
}

static void undo(struct derivation *derivation, size_t order_count, size_t work_count)
{
	while (derivation->order.count > order_count) {
		const struct piece *last = &derivation->order.items[--derivation->order.count];

		memset(states_of(derivation, last->address), 0, last->length * sizeof(uint32_t));
	}
	derivation->work.count = work_count;
}

static bool is_endless(const struct derivation *derivation, uint64_t function)
{
	for (size_t i = 0; i < derivation->endless.count; i++)
		if (derivation->endless.items[i] == function)
			return true;
	return false;
}

/*
 * Where a path makes no sense, the last call on it did not return. Where it returns with something
 * on the stack, it has run on into another function: that came out even by itself, so the call lies
 * at the depth of the return. (Behind it the calls lie elsewhere, as rsp is a multiple of 16 at
 * each.)
 */
static void undo_path(struct derivation *derivation, int32_t depth, struct call start)
{
	size_t count = derivation->calls.count;
	struct call call = start;

	for (size_t i = count; i-- > 0;) {
		call = derivation->calls.items[i];
		if (!depth || call.depth == depth)
			break;
		call = start;
	}
	if (depth && call.target && derivation->endless.count < ENDLESS_MAX)
		*array_add(&derivation->endless) = call.target;
	undo(derivation, call.order_count, call.work_count);
}

/* The blocks of a switch: addresses of 8 bytes, or in position-independent code offsets of 4. */
static void follow_table(
	struct derivation *derivation, uint64_t table, size_t entry_bytes, uint32_t state)
{
	for (int32_t i = 0; i <= derivation->compared && i < TABLE_MAX; i++) {
		int64_t entry = 0;

		if (!elf_file_read(derivation->file, table + (uint64_t)i * entry_bytes, &entry,
			    entry_bytes))
			break;
		if (entry_bytes == 4)
			entry = (int64_t)table + (int32_t)entry;
		if (!is_inside(derivation, (uint64_t)entry))
			break;
		go_on_at(derivation, (uint64_t)entry, state);
	}
}

static void follow_jump(
	struct derivation *derivation, const struct instruction *instruction, uint32_t state)
{
	if (instruction->kind == INSTRUCTION_TABLE)
		follow_table(derivation, instruction->target, 8, state);
	else if (instruction->target)
		go_on_at(derivation, instruction->target, state);
	else if (derivation->table)
		follow_table(derivation, derivation->table, 4, state);
}

static void note_function(struct derivation *derivation, uint64_t address)
{
	const struct derived_gap *gap = derivation->gap;

	if (!is_inside(derivation, address) || gap->entries[address - gap->start])
		return;
	gap->entries[address - gap->start] = 1;
	*array_add(&derivation->functions) = address;
}

/* Notes what an instruction tells of the way; true when the next one is executed after it. */
static bool look_around(
	struct derivation *derivation, const struct instruction *instruction, struct place after)
{
	switch (instruction->kind) {
	case INSTRUCTION_CALL:
		*array_add(&derivation->calls) =
			(struct call){instruction->target, state_at(derivation, after.state).depth,
				derivation->order.count, derivation->work.count};
		return !is_endless(derivation, instruction->target);
	case INSTRUCTION_BRANCH:
		go_on_at(derivation, instruction->target, after.state);
		return true;
	case INSTRUCTION_ADDRESS:
		derivation->addresses[instruction->reg] = instruction->target;
		return true;
	case INSTRUCTION_OFFSET:
		derivation->table = derivation->addresses[instruction->reg];
		return true;
	case INSTRUCTION_COMPARE:
		derivation->compared = instruction->value;
		return true;
	case INSTRUCTION_JUMP:
	case INSTRUCTION_TABLE:
		follow_jump(derivation, instruction, after.state);
		return false;
	default:
		return instruction->kind != INSTRUCTION_RETURN &&
		       instruction->kind != INSTRUCTION_STOP;
	}
}

/*
 * A register that is to be saved for the caller is so before anything is called: otherwise the last
 * call did not return, and this is the next function.
 */
static bool is_next_function(const struct derivation *derivation, const struct derived_state *state,
	const struct instruction *instruction)
{
	int index = saved_index(instruction->reg);

	return instruction->kind == INSTRUCTION_PUSH && index >= 0 && !state->saved[index] &&
	       derivation->calls.count > 0;
}

/* Follows the code from a place to where it jumps away, returns, or is known already. */
static void follow_path(struct derivation *derivation, struct place place)
{
	const struct derived_gap *gap = derivation->gap;
	struct call start = {0, 0, derivation->order.count, derivation->work.count};
	uint64_t first = place.address;

	derivation->calls.count = 0;
	derivation->table = 0;
	for (;;) {
		uint64_t offset = place.address - gap->start;
		struct instruction instruction = {.kind = INSTRUCTION_OTHER};
		struct derived_state state;

		if (!is_inside(derivation, place.address) || gap->states[offset] ||
			derivation->steps_left == 0 ||
			(gap->entries[offset] && place.address != first))
			return;
		derivation->steps_left--;
		state = state_at(derivation, place.state);
		if (!instruction_decode(&instruction, derivation->code + offset,
			    gap->end - place.address, place.address) ||
			is_next_function(derivation, &state, &instruction) ||
			!apply(&state, &instruction) ||
			!take_bytes(derivation, place.address, instruction.length, place.state)) {
			undo_path(derivation,
				instruction.kind == INSTRUCTION_RETURN ? state.depth : 0, start);
			return;
		}
		place.state = state_number(derivation->derived, &state, place.state);
		if (!place.state || !look_around(derivation, &instruction, place))
			return;
		place.address += instruction.length;
	}
}

/* What ran on into this function from before gave it the wrong rows. */
static void forget_function(struct derivation *derivation, uint64_t offset)
{
	struct derived_gap *gap = derivation->gap;

	do
		gap->states[offset++] = 0;
	while (offset < gap->end - gap->start && gap->states[offset] && !gap->entries[offset]);
}

static void follow_function(struct derivation *derivation, uint64_t address)
{
	const struct derived_state initial = {.depth = 8};
	uint32_t first = state_number(derivation->derived, &initial, 1);
	struct derived_gap *gap = derivation->gap;
	uint64_t offset = address - gap->start;

	if (gap->states[offset] && state_at(derivation, gap->states[offset]).depth == 8)
		return;
	if (gap->states[offset])
		forget_function(derivation, offset);
	gap->entries[offset] = 1;
	derivation->order.count = derivation->work.count = 0;
	derivation->compared = -1;
	memset(derivation->addresses, 0, sizeof(derivation->addresses));
	go_on_at(derivation, address, first);
	while (derivation->work.count)
		follow_path(derivation, derivation->work.items[--derivation->work.count]);
}

static void follow_called(struct derivation *derivation)
{
	while (derivation->functions.count)
		follow_function(
			derivation, derivation->functions.items[--derivation->functions.count]);
}

/* --- the gaps -----------------------------------------------------------------------------------
 */

/* Where no function was found the next one may begin after the jump or return that comes next. */
static uint64_t pass_over(const struct derivation *derivation, uint64_t address)
{
	const struct derived_gap *gap = derivation->gap;
	struct instruction instruction;

	while (is_inside(derivation, address) && !*states_of(derivation, address)) {
		if (!instruction_decode(&instruction, derivation->code + (address - gap->start),
			    gap->end - address, address))
			return address + 1;
		address += instruction.length;
		if (instruction.kind == INSTRUCTION_RETURN || instruction.kind == INSTRUCTION_JUMP)
			break;
	}
	return address;
}

/* The length of what stands between functions, nops, int3 and zeros; 0: something else. */
static uint64_t padding_length(const struct derivation *derivation, uint64_t address)
{
	const struct derived_gap *gap = derivation->gap;
	const uint8_t *code = derivation->code + (address - gap->start);
	struct instruction instruction;

	if (*code == 0xcc || *code == 0)
		return 1;
	if (!instruction_decode(&instruction, code, gap->end - address, address) ||
		instruction.kind != INSTRUCTION_NOP)
		return 0;
	return instruction.length;
}

/* What is called is a function. */
static void follow_all_called(struct derivation *derivation)
{
	const struct derived_gap *gap = derivation->gap;
	uint64_t address = gap->start;
	struct instruction instruction;

	for (; address < gap->end; address += instruction.length) {
		if (!instruction_decode(&instruction, derivation->code + (address - gap->start),
			    gap->end - address, address))
			instruction = (struct instruction){.length = 1};
		if (instruction.kind == INSTRUCTION_CALL)
			note_function(derivation, instruction.target);
	}
	follow_called(derivation);
}

/* The others are called through pointers: they begin where another one has ended. */
static void follow_others(struct derivation *derivation)
{
	const struct derived_gap *gap = derivation->gap;
	uint64_t address = gap->start, length;

	for (; address < gap->end; address += length) {
		length = 1;
		if (gap->states[address - gap->start])
			continue;
		length = padding_length(derivation, address);
		if (length)
			continue;
		follow_function(derivation, address);
		if (!gap->states[address - gap->start])
			length = pass_over(derivation, address) - address;
	}
}

static void add_gap(struct derivation *derivation, uint64_t start, uint64_t end)
{
	struct derived_gap *gap;
	const uint8_t *code;

	if (end < start + GAP_MIN || end - start > GAP_MAX)
		return;
	/* Memory is only taken for code that is really there. */
	code = elf_file_bytes(derivation->file, start, end - start);
	if (!code)
		return;
	gap = array_add(&derivation->derived->gaps);
	*gap = (struct derived_gap){.start = start,
		.end = end,
		.states = alloc_zeroed(end - start, sizeof(*gap->states)),
		.entries = alloc_zeroed(end - start, 1)};
	derivation->steps_left = (end - start) * STEPS_PER_BYTE;
	derivation->gap = gap;
	derivation->code = code;
	follow_all_called(derivation);
	if (derivation->endless.count) { /* now that they are known */
		memset(gap->states, 0, (end - start) * sizeof(*gap->states));
		memset(gap->entries, 0, end - start);
		follow_all_called(derivation);
	}
	follow_others(derivation);
}

void derive_gaps(struct derived *derived, struct elf_file *file, const struct cfi *cfi)
{
	struct derivation derivation = {.derived = derived, .file = file};
	uint64_t end = cfi->low;

	for (size_t i = 0; i < cfi->functions.count; i++) {
		add_gap(&derivation, end, cfi->functions.items[i].start);
		if (cfi->functions.items[i].end > end)
			end = cfi->functions.items[i].end;
	}
	add_gap(&derivation, end, cfi->high);
	array_release(&derivation.work);
	array_release(&derivation.functions);
	array_release(&derivation.order);
	array_release(&derivation.calls);
	array_release(&derivation.endless);
}

void derived_release(struct derived *derived)
{
	for (size_t i = 0; i < derived->gaps.count; i++) {
		free(derived->gaps.items[i].states);
		free(derived->gaps.items[i].entries);
	}
	array_release(&derived->gaps);
	array_release(&derived->states);
}

/* --- rows ---------------------------------------------------------------------------------------
 */

/* push rbp; mov rbp, rsp: whatever is pushed then, in loops too, the frame pointer is right. */
static bool has_frame_pointer(const struct derived_state *state)
{
	return state->rbp_depth == 16 && state->saved[1] == 16;
}

static struct cfi_state to_cfi(const struct derived_state *state)
{
	bool by_rsp = state->depth && !has_frame_pointer(state);
	struct cfi_state cfi = {.cfa = UNWIND_CFA_REGISTER,
		.cfa_register = by_rsp ? UNWIND_RSP : UNWIND_RBP,
		.cfa_offset = by_rsp ? state->depth : state->rbp_depth,
		.specified = 1u << UNWIND_RETURN_ADDRESS};

	cfi.saves[UNWIND_RETURN_ADDRESS] = (struct cfi_save){UNWIND_AT_CFA, -8};
	for (size_t i = 0; i < 6; i++) {
		if (!state->saved[i])
			continue;
		cfi.specified |= 1u << saved_registers[i];
		cfi.saves[saved_registers[i]] = (struct cfi_save){UNWIND_AT_CFA, -state->saved[i]};
	}
	return cfi;
}

static void gap_rows(
	const struct derived *derived, const struct derived_gap *gap, cfi_row row, void *context)
{
	uint32_t last = 0;

	for (uint64_t i = 0; i < gap->end - gap->start; i++) {
		const struct derived_state *state = &derived->states.items[gap->states[i] - 1];
		struct cfi_state cfi;

		if (gap->states[i] == last)
			continue;
		last = gap->states[i];
		if (last)
			cfi = to_cfi(state);
		row(context, gap->start + i,
			last && (state->depth || state->rbp_depth) ? &cfi : NULL);
	}
}

void derived_rows(
	const struct derived *derived, uint64_t start, uint64_t end, cfi_row row, void *context)
{
	size_t low = 0, high = derived->gaps.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (derived->gaps.items[middle].start < start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < derived->gaps.count && derived->gaps.items[low].end <= end; low++)
		gap_rows(derived, &derived->gaps.items[low], row, context);
}
