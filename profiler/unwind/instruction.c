#include "unwind/instruction.h"

#include "unwind/rows.h"

#include <string.h>

/* What follows an opcode. */
enum shape {
	NONE,
	M = 1,	     /* a ModRM byte and what it asks for */
	I8 = 2,	     /* an immediate of 1 byte */
	IZ = 4,	     /* of 4 bytes, of 2 with the prefix 66 */
	I32 = 8,     /* of 4 bytes */
	I16 = 16,    /* of 2 bytes */
	IV = 32,     /* of 4 bytes, 2 with 66, 8 with REX.W */
	I64 = 64,    /* an address of 8 bytes, 4 with 67 */
	BAD = 128,   /* no instruction in 64-bit mode */
	X8 = M | I8, /* shorter names for the tables */
	XZ = M | IZ,
};

static const uint8_t one_byte[256] = {
#define ALU M, M, M, M, I8, IZ, BAD, BAD
	ALU, ALU, ALU, ALU, ALU, ALU, ALU, ALU,
#undef ALU
	/* 40 */ BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	/* 50 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 60 */ BAD, BAD, BAD, M, BAD, BAD, BAD, BAD, IZ, XZ, I8, X8, 0, 0, 0, 0,
	/* 70 */ I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8, I8,
	/* 80 */ X8, XZ, BAD, X8, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 90 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, BAD, 0, 0, 0, 0, 0,
	/* a0 */ I64, I64, I64, I64, 0, 0, 0, 0, I8, IZ, 0, 0, 0, 0, 0, 0,
	/* b0 */ I8, I8, I8, I8, I8, I8, I8, I8, IV, IV, IV, IV, IV, IV, IV, IV,
	/* c0 */ X8, X8, I16, 0, BAD, BAD, X8, XZ, I16 | I8, 0, I16, 0, 0, I8, BAD, 0,
	/* d0 */ M, M, M, M, BAD, BAD, BAD, 0, M, M, M, M, M, M, M, M,
	/* e0 */ I8, I8, I8, I8, I8, I8, I8, I8, I32, I32, BAD, I8, 0, 0, 0, 0,
	/* f0 */ BAD, 0, BAD, BAD, 0, 0, M, M, 0, 0, 0, 0, 0, 0, M, M};

static const uint8_t two_byte[256] = {
	/* 00 */ M, M, M, M, BAD, 0, 0, 0, 0, 0, BAD, 0, BAD, M, 0, X8,
	/* 10 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 20 */ M, M, M, M, BAD, BAD, BAD, BAD, M, M, M, M, M, M, M, M,
	/* 30 */ 0, 0, 0, 0, 0, 0, BAD, 0, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD,
	/* 40 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 50 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 60 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 70 */ X8, X8, X8, X8, M, M, M, 0, M, M, BAD, BAD, M, M, M, M,
	/* 80 */ I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I32, I32,
	/* 90 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* a0 */ 0, 0, 0, M, X8, M, BAD, BAD, 0, 0, 0, M, X8, M, M, M,
	/* b0 */ M, M, M, M, M, M, M, M, M, M, X8, M, M, M, M, M,
	/* c0 */ M, M, X8, M, X8, X8, X8, M, 0, 0, 0, 0, 0, 0, 0, 0,
	/* d0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* e0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* f0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M};

/* Intel's numbers, as ModRM has them, to DWARF's. */
static const uint8_t dwarf_register[16] = {UNWIND_RAX, UNWIND_RCX, UNWIND_RDX, UNWIND_RBX,
	UNWIND_RSP, UNWIND_RBP, UNWIND_RSI, UNWIND_RDI, 8, 9, 10, 11, 12, 13, 14, 15};

enum { RSP = 4, RBP = 5, MEMORY = 16 };

struct decoder {
	const uint8_t *bytes;
	size_t size, at;
	bool is_short;	       /* prefix 66 */
	bool is_short_address; /* prefix 67 */
	uint8_t rex;
	uint8_t map; /* 1: one byte, 2: 0f, 3: 0f 38, 4: 0f 3a; 0: VEX or EVEX */
	uint8_t opcode;
	uint8_t reg,
		base; /* of ModRM; base MEMORY + n: [n], MEMORY + 16: something else, +17: rip */
	bool has_table_index; /* [index * 8 + displacement] */
	uint8_t table_base;   /* of [table_base + index * 4]; 16: another operand */
	int32_t displacement;
	int64_t immediate;
};

static bool is_whole(const struct decoder *decoder)
{
	return decoder->at <= decoder->size;
}

static int64_t take(struct decoder *decoder, size_t size)
{
	int64_t value = 0;

	if (size == 0)
		return 0;
	if (!is_whole(decoder) || decoder->size - decoder->at < size) {
		decoder->at = decoder->size + 1;
		return 0;
	}
	memcpy(&value, decoder->bytes + decoder->at, size);
	decoder->at += size;
	return (int64_t)((uint64_t)value << (64 - 8 * size)) >> (64 - 8 * size);
}

static uint8_t take_byte(struct decoder *decoder)
{
	return (uint8_t)take(decoder, 1);
}

static void take_prefixes(struct decoder *decoder)
{
	for (;;) {
		uint8_t byte = take_byte(decoder);

		decoder->opcode = byte;
		if (byte == 0x66)
			decoder->is_short = true;
		else if (byte == 0x67)
			decoder->is_short_address = true;
		else if (byte != 0xf0 && byte != 0xf2 && byte != 0xf3 && byte != 0x2e &&
			 byte != 0x36 && byte != 0x3e && byte != 0x26 && byte != 0x64 &&
			 byte != 0x65)
			break;
	}
	if ((decoder->opcode & 0xf0) == 0x40) {
		decoder->rex = decoder->opcode;
		decoder->opcode = take_byte(decoder);
	}
}

/* After c5, a byte that says nothing of the map; after c4 and 62 it is in the first of 2 or 3. */
static uint8_t take_vector_opcode(struct decoder *decoder)
{
	uint8_t prefix = decoder->opcode, map = take_byte(decoder);

	map = prefix == 0xc5 ? 1 : map & (prefix == 0xc4 ? 31 : 7);
	take(decoder, prefix == 0xc5 ? 0 : prefix == 0xc4 ? 1 : 2);
	decoder->map = 0;
	decoder->opcode = take_byte(decoder);
	if (map == 1)
		return two_byte[decoder->opcode] & (M | I8 | BAD);
	return map == 2 || map == 5 || map == 6 ? M : map == 3 ? X8 : BAD;
}

static uint8_t take_opcode(struct decoder *decoder)
{
	take_prefixes(decoder);
	decoder->map = 1;
	if (decoder->opcode == 0x0f) {
		decoder->opcode = take_byte(decoder);
		decoder->map = 2;
		if (decoder->opcode != 0x38 && decoder->opcode != 0x3a)
			return two_byte[decoder->opcode];
		decoder->map = decoder->opcode == 0x38 ? 3 : 4;
		decoder->opcode = take_byte(decoder);
		return decoder->map == 3 ? M : X8;
	}
	if (decoder->opcode != 0xc4 && decoder->opcode != 0xc5 && decoder->opcode != 0x62)
		return one_byte[decoder->opcode];
	return take_vector_opcode(decoder);
}

/* Mode 0 to 2, base 4: an SIB byte. */
static void take_sib(struct decoder *decoder, uint8_t mode)
{
	uint8_t sib = take_byte(decoder);
	uint8_t index = (sib >> 3 & 7) | (decoder->rex & 2) << 2,
		base = (sib & 7) | (decoder->rex & 1) << 3;

	decoder->base = index == RSP ? MEMORY + base : MEMORY + 16;
	if (sib >> 6 == 2 && index != RSP && mode == 0)
		decoder->table_base = base;
	if (mode == 0 && (sib & 7) == 5) {
		decoder->base = MEMORY + 16;
		decoder->has_table_index = sib >> 6 == 3 && index != RSP;
		decoder->displacement = (int32_t)take(decoder, 4);
	}
}

static void take_modrm(struct decoder *decoder)
{
	uint8_t modrm = take_byte(decoder), mode = modrm >> 6, low = modrm & 7;

	decoder->reg = (modrm >> 3 & 7) | (decoder->rex & 4) << 1;
	decoder->base = low | (decoder->rex & 1) << 3;
	if (mode == 3)
		return;
	decoder->base += MEMORY;
	if (low == 4) {
		take_sib(decoder, mode);
	} else if (mode == 0 && low == 5) {
		decoder->base = MEMORY + 17;
		decoder->displacement = (int32_t)take(decoder, 4);
	}
	if (mode == 1)
		decoder->displacement = (int32_t)take(decoder, 1);
	else if (mode == 2)
		decoder->displacement = (int32_t)take(decoder, 4);
}

static void take_immediate(struct decoder *decoder, uint8_t shape)
{
	bool is_test =
		decoder->map == 1 && (decoder->opcode & 0xfe) == 0xf6 && (decoder->reg & 7) < 2;

	if (is_test)
		shape |= decoder->opcode == 0xf6 ? I8 : IZ;
	if (shape & I16)
		decoder->immediate = take(decoder, 2);
	if (shape & I8)
		decoder->immediate = take(decoder, 1);
	if (shape & IZ)
		decoder->immediate = take(decoder, decoder->is_short ? 2 : 4);
	if (shape & I32)
		decoder->immediate = take(decoder, 4);
	if (shape & IV)
		decoder->immediate = take(decoder, decoder->rex & 8    ? 8
						   : decoder->is_short ? 2
								       : 4);
	if (shape & I64)
		decoder->immediate = take(decoder, decoder->is_short_address ? 4 : 8);
}

/* --- what it does -------------------------------------------------------------------------------
 */

static void set(struct instruction *instruction, enum instruction_kind kind, int64_t value)
{
	instruction->kind = (uint8_t)kind;
	instruction->value = (int32_t)value;
}

/* add, or, adc, sbb, and, sub, xor, cmp with an immediate. */
static void judge_arithmetic(struct instruction *instruction, const struct decoder *decoder)
{
	uint8_t operation = decoder->reg & 7;

	if (operation == 7)
		set(instruction, INSTRUCTION_COMPARE, decoder->immediate);
	else if (decoder->base == RSP && operation == 0)
		set(instruction, INSTRUCTION_ADJUST, decoder->immediate);
	else if (decoder->base == RSP && operation == 5)
		set(instruction, INSTRUCTION_ADJUST, -decoder->immediate);
	else if (decoder->base == RSP)
		set(instruction, INSTRUCTION_RSP_LOST, 0);
}

/* mov to and fro, lea, and the other instructions that write a register. */
static void judge_move(
	struct instruction *instruction, uint8_t to, uint8_t from, int32_t displacement)
{
	if (to == RSP && from == RBP)
		set(instruction, INSTRUCTION_RSP_FROM_RBP, displacement);
	else if (to == RBP && from == RSP)
		set(instruction, INSTRUCTION_RBP_FROM_RSP, displacement);
	else if (to == RSP && from == RSP)
		set(instruction, INSTRUCTION_ADJUST, displacement);
	else if (to == RSP)
		set(instruction, INSTRUCTION_RSP_LOST, 0);
}

static void judge_ff(struct instruction *instruction, const struct decoder *decoder)
{
	switch (decoder->reg & 7) {
	case 2:
		set(instruction, INSTRUCTION_CALL, 0);
		break;
	case 4:
		set(instruction, decoder->has_table_index ? INSTRUCTION_TABLE : INSTRUCTION_JUMP,
			0);
		if (decoder->has_table_index)
			instruction->target = (uint64_t)(int64_t)decoder->displacement;
		break;
	case 6:
		set(instruction, INSTRUCTION_PUSH, 0);
		break;
	default:
		if (decoder->base == RSP)
			set(instruction, INSTRUCTION_RSP_LOST, 0);
	}
}

static void judge_two_byte(
	struct instruction *instruction, const struct decoder *decoder, uint64_t next)
{
	uint8_t opcode = decoder->opcode;

	if ((opcode & 0xf0) == 0x80) {
		set(instruction, INSTRUCTION_BRANCH, 0);
		instruction->target = next + (uint64_t)decoder->immediate;
	} else if (opcode == 0x1f) {
		set(instruction, INSTRUCTION_NOP, 0);
	} else if (opcode == 0x0b) {
		set(instruction, INSTRUCTION_STOP, 0);
	} else if ((opcode & 0xf0) == 0x40 && decoder->reg == RSP) {
		set(instruction, INSTRUCTION_RSP_LOST, 0);
	} else if (opcode == 0xa0 || opcode == 0xa8) {
		set(instruction, INSTRUCTION_PUSH, 0);
	} else if (opcode == 0xa1 || opcode == 0xa9) {
		set(instruction, INSTRUCTION_POP, 0);
	}
}

static void judge_push_pop(struct instruction *instruction, const struct decoder *decoder)
{
	uint8_t reg = (decoder->opcode & 7) | (decoder->rex & 1) << 3;

	set(instruction, decoder->opcode < 0x58 ? INSTRUCTION_PUSH : INSTRUCTION_POP, 0);
	instruction->reg = dwarf_register[reg];
	if (reg == RSP && decoder->opcode >= 0x58)
		set(instruction, INSTRUCTION_RSP_LOST, 0);
}

static void judge_lea(struct instruction *instruction, const struct decoder *decoder, uint64_t next)
{
	if (decoder->base == MEMORY + 17) {
		set(instruction, INSTRUCTION_ADDRESS, 0);
		instruction->reg = dwarf_register[decoder->reg];
		instruction->target = next + (uint64_t)(int64_t)decoder->displacement;
	} else {
		judge_move(
			instruction, decoder->reg, decoder->base - MEMORY, decoder->displacement);
	}
}

static void judge_one_byte(
	struct instruction *instruction, const struct decoder *decoder, uint64_t next)
{
	uint64_t target = next + (uint64_t)decoder->immediate;

	switch (decoder->opcode) {
	case 0x50 ... 0x5f:
		judge_push_pop(instruction, decoder);
		break;
	case 0x68:
	case 0x6a:
	case 0x9c:
		set(instruction, INSTRUCTION_PUSH, 0);
		break;
	case 0x8f:
	case 0x9d:
		set(instruction, INSTRUCTION_POP, 0);
		break;
	case 0x70 ... 0x7f:
	case 0xe0 ... 0xe3:
		set(instruction, INSTRUCTION_BRANCH, 0);
		instruction->target = target;
		break;
	case 0x3c:
	case 0x3d:
		set(instruction, INSTRUCTION_COMPARE, decoder->immediate);
		break;
	case 0x80:
	case 0x81:
	case 0x83:
		judge_arithmetic(instruction, decoder);
		break;
	case 0x89:
		judge_move(instruction, decoder->base, decoder->reg, 0);
		break;
	case 0x8b:
		judge_move(instruction, decoder->reg, decoder->base, 0);
		break;
	case 0x8d:
		judge_lea(instruction, decoder, next);
		break;
	case 0x01:
	case 0x29:
	case 0x21:
		if (decoder->base == RSP)
			set(instruction, INSTRUCTION_RSP_LOST, 0);
		break;
	case 0x03:
	case 0x2b:
	case 0x23:
		if (decoder->reg == RSP)
			set(instruction, INSTRUCTION_RSP_LOST, 0);
		break;
	case 0x90:
		set(instruction, INSTRUCTION_NOP, 0);
		break;
	case 0xb8 ... 0xbf:
		set(instruction, INSTRUCTION_ADDRESS, 0);
		instruction->reg = dwarf_register[(decoder->opcode & 7) | (decoder->rex & 1) << 3];
		instruction->target = (uint64_t)decoder->immediate;
		break;
	case 0x63:
		if (decoder->table_base == 16)
			break;
		set(instruction, INSTRUCTION_OFFSET, 0);
		instruction->reg = dwarf_register[decoder->table_base];
		break;
	case 0xc2:
	case 0xc3:
		set(instruction, INSTRUCTION_RETURN, 0);
		break;
	case 0xc8:
		set(instruction, INSTRUCTION_RSP_LOST, 0);
		break;
	case 0xc9:
		set(instruction, INSTRUCTION_LEAVE, 0);
		break;
	case 0xcc:
	case 0xcf:
	case 0xf4:
		set(instruction, INSTRUCTION_STOP, 0);
		break;
	case 0xe8:
		set(instruction, INSTRUCTION_CALL, 0);
		instruction->target = target;
		break;
	case 0xe9:
	case 0xeb:
		set(instruction, INSTRUCTION_JUMP, 0);
		instruction->target = target;
		break;
	case 0xff:
		judge_ff(instruction, decoder);
		break;
	}
}

bool instruction_decode(
	struct instruction *instruction, const uint8_t *bytes, size_t size, uint64_t address)
{
	struct decoder decoder = {.bytes = bytes, .size = size, .table_base = 16};
	uint8_t shape;

	if (size == 0)
		return false;
	shape = take_opcode(&decoder);
	if (shape & BAD || !is_whole(&decoder))
		return false;
	if (shape & M)
		take_modrm(&decoder);
	take_immediate(&decoder, shape);
	if (!is_whole(&decoder) || decoder.at > 15)
		return false;
	*instruction = (struct instruction){.length = (uint8_t)decoder.at, .reg = 16};
	if (decoder.map == 1)
		judge_one_byte(instruction, &decoder, address + decoder.at);
	else if (decoder.map == 2)
		judge_two_byte(instruction, &decoder, address + decoder.at);
	return true;
}
