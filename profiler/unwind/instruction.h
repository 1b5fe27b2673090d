/*
 * instruction: one x86-64 instruction: how long it is, and what it does to the stack pointer, to
 * rbp and to where execution goes. For code that has no CFI (derive.h).
 *
 * Intel's manual, volume 2, appendix A (opcode maps). VEX and EVEX are known by their length only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum instruction_kind {
	INSTRUCTION_OTHER,
	INSTRUCTION_NOP,
	INSTRUCTION_PUSH,	  /* of reg; 16: of something else */
	INSTRUCTION_POP,	  /* into reg, as above */
	INSTRUCTION_ADJUST,	  /* rsp += value */
	INSTRUCTION_RSP_FROM_RBP, /* rsp = rbp + value */
	INSTRUCTION_RBP_FROM_RSP, /* rbp = rsp + value */
	INSTRUCTION_RSP_LOST,	  /* rsp becomes something that cannot be told */
	INSTRUCTION_LEAVE,
	INSTRUCTION_CALL,   /* to target; 0: not told */
	INSTRUCTION_BRANCH, /* to target, or on */
	INSTRUCTION_JUMP,   /* to target; 0: not told */
	INSTRUCTION_TABLE,  /* to one of the 8-byte addresses at target */
	INSTRUCTION_RETURN,
	INSTRUCTION_STOP,    /* execution does not go on */
	INSTRUCTION_ADDRESS, /* reg becomes target, an immediate or rip + offset */
	INSTRUCTION_OFFSET,  /* the block of a switch is taken from the table that reg points to */
	INSTRUCTION_COMPARE, /* with the immediate value */
};

struct instruction {
	uint8_t kind;
	uint8_t length;
	uint8_t reg; /* by DWARF number */
	int32_t value;
	uint64_t target;
};

/* Decodes what lies at `bytes`, which runs at `address`. False: no instruction, or not all of it.
 */
bool instruction_decode(
	struct instruction *instruction, const uint8_t *bytes, size_t size, uint64_t address);
