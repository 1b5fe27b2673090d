/*
 * rows: how to get from any instruction of one module to its caller, compiled from .eh_frame and
 * .debug_frame once and only read afterwards.
 *
 * A row is a start address (32-bit offset from `base`, sorted) and the number of a rule; it holds
 * up to the next row's start. Gaps between functions are rows whose rule is "no rule". Compilers
 * repeat the same few thousand rules all over, so rules are stored once and a row costs 8 bytes.
 *
 *     offset  rule                                       what `readelf --debug-dump=frames-interp`
 * says 0x1200  cfa rsp+8, ra cfa-8                        00000000000011200 rsp+8    u     u c-8
 *     0x1201  cfa rsp+16, rbp cfa-16, ra cfa-8           00000000000011201 rsp+16   u     c-16  c-8
 *     0x1204  cfa rbp+16, rbp cfa-16, ra cfa-8           00000000000011204 rbp+16   u     c-16  c-8
 *     0x1238  no rule                                    (between two functions)
 *
 * The whole table is one block of memory without pointers, so that it can be written to a file or
 * shared memory and mapped elsewhere (the agent walks with the recorder's tables):
 *
 *     struct unwind_rows | uint32_t starts[row_count] | uint32_t rules[row_count] | uint64_t
 * units[]
 *
 * A rule's number is its index into `units`; unit 0 is always "no rule". Expressions live in the
 * units too: a 16-bit length, then the bytes.
 *
 * Registers have their DWARF numbers for x86-64 (System V ABI, figure 3.36): 0 rax, 1 rdx, 2 rcx,
 * 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8 to 15 r8 to r15, 16 the return address. The frame's CFA
 * ("canonical frame address") is rsp as it was before the call, and becomes the caller's rsp.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

enum unwind_register {
	UNWIND_RAX,
	UNWIND_RDX,
	UNWIND_RCX,
	UNWIND_RBX,
	UNWIND_RSI,
	UNWIND_RDI,
	UNWIND_RBP,
	UNWIND_RSP,
	UNWIND_R8,
	UNWIND_R10 = 10,
	UNWIND_R12 = 12,
	UNWIND_R15 = 15,
	UNWIND_RETURN_ADDRESS,
	UNWIND_REGISTERS
};

enum unwind_cfa {
	UNWIND_CFA_NONE,     /* no rule for this address */
	UNWIND_CFA_REGISTER, /* register + offset */
	UNWIND_CFA_DEREF, /* the word at register + offset (functions that realign their stack) */
	UNWIND_CFA_PLT,	  /* rsp + 8, and 8 more when (ip & 15) >= offset: a PLT entry's push */
	UNWIND_CFA_EXPRESSION, /* the expression at unit `cfa_offset` */
};

enum unwind_save {
	UNWIND_UNDEFINED,	 /* the caller's value is lost */
	UNWIND_SAME,		 /* not touched */
	UNWIND_AT_CFA,		 /* in memory at CFA + value */
	UNWIND_CFA_PLUS,	 /* is CFA + value itself */
	UNWIND_IN_REGISTER,	 /* in register `value` */
	UNWIND_AT_EXPRESSION,	 /* in memory at what the expression at unit `value` gives */
	UNWIND_VALUE_EXPRESSION, /* is what the expression gives */
};

enum unwind_rule_flag {
	UNWIND_RULE_SIGNAL = 1,	     /* a signal handler's trampoline: the caller was interrupted */
	UNWIND_RULE_OUTERMOST = 2,   /* return address marked undefined: _start, a thread's start */
	UNWIND_RULE_RA_AT_CFA_8 = 4, /* return address in its usual place, the word below the CFA */
	UNWIND_RULE_DERIVED = 16,    /* not from CFI, but from the instructions (derive.h) */
	UNWIND_RULE_PLAIN = 8,	     /* CFA by register, the above, every register AT_CFA */
};

struct unwind_saved {
	uint8_t reg; /* 0 to 15; 16 when the return address is not in its usual place */
	uint8_t how; /* enum unwind_save */
	uint16_t zero;
	int32_t value;
};

struct unwind_rule {
	uint8_t cfa;	      /* enum unwind_cfa */
	uint8_t cfa_register; /* 0 to 15 */
	uint8_t flags;	      /* enum unwind_rule_flag */
	uint8_t saved_count;
	int32_t cfa_offset;
	struct unwind_saved saved[];
};

struct unwind_rows {
	uint64_t base;	    /* file_addr of offset 0 */
	uint64_t low, high; /* file_addrs of the executable segments that the table was made for */
	uint32_t row_count;
	uint32_t unit_count;
	uint32_t function_count; /* FDEs that gave rows */
	uint32_t damaged_count;	 /* CIEs and FDEs whose bytes made no sense, in whole or in part */
};

struct unwind_expression {
	uint16_t length;
	uint8_t bytes[];
};

/*
 * Compiles the module's CFI. .debug_frame (of the file, else of its debug file) fills what
 * .eh_frame leaves open; the debug file is only opened when the module itself has no CFI at all.
 * Code that has none gets rows by its instructions, as far as they can be followed; of damaged CFI
 * the rows are those that made sense. NULL with an error only when the file is not for x86-64. The
 * file may be closed afterwards; caller frees.
 */
struct unwind_rows *unwind_rows_compile(struct elf_file *file, struct error *err);
void unwind_rows_free(struct unwind_rows *rows); /* accepts NULL */

/*
 * The rule for the instruction at file_addr, never NULL: where the table has none its `cfa` is
 * UNWIND_CFA_NONE. Borrowed from the table. Async-signal-safe.
 */
const struct unwind_rule *unwind_rows_find(const struct unwind_rows *rows, uint64_t file_addr);

/* Row `index` below row_count: the file_addr where it starts, and its rule. */
const struct unwind_rule *unwind_rows_at(
	const struct unwind_rows *rows, size_t index, uint64_t *file_addr);

/* The expression that a rule names by its unit. */
const struct unwind_expression *unwind_rows_expression(
	const struct unwind_rows *rows, int32_t unit);

/* Size of the whole block. */
size_t unwind_rows_bytes(const struct unwind_rows *rows);

/*
 * A rule as text, "cfa rsp+16, rbp cfa-16, ra cfa-8" or "no rule", for doctor and tests. Cut to
 * `size`; returns `text`.
 */
char *unwind_rule_text(const struct unwind_rule *rule, char *text, size_t size);
