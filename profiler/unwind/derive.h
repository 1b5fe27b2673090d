/*
 * derive: rows for code without CFI, from its instructions: C that was compiled without unwind
 * tables (busybox), assembly, _init and _fini.
 *
 * Such code lies in the gaps between the functions of the CFI. In each gap one function after the
 * other is followed along its jumps, with an account of what its instructions push and pop. What
 * does not come out even, a return with something still on the stack, was no function or has gone
 * on behind a call that never returns: no rows there. What is found is a guess, though a good one.
 */
#pragma once

#include "unwind/cfi.h"

struct elf_file;

struct derived_state {
	int32_t depth;	   /* CFA - rsp; 0: not known */
	int32_t rbp_depth; /* CFA - rbp; 0: not known */
	int32_t saved[6];  /* CFA - where rbx, rbp, r12 to r15 lie; 0: not saved */
};

struct derived_gap {
	uint64_t start, end;
	uint32_t *states; /* for each byte of the gap, index + 1 into states; 0: no rule */
	uint8_t *entries; /* for each byte, 1: a function starts here */
};

struct derived {
	ARRAY(struct derived_gap) gaps;
	ARRAY(struct derived_state) states;
};

/* Into an all-zero struct. The functions of cfi are in order. */
void derive_gaps(struct derived *derived, struct elf_file *file, const struct cfi *cfi);
void derived_release(struct derived *derived);

/* Gives the rows from `start` to `end`, between two functions of the CFI. */
void derived_rows(
	const struct derived *derived, uint64_t start, uint64_t end, cfi_row row, void *context);
