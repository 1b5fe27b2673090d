/*
 * cfi: the call frame information of one section, .eh_frame or .debug_frame, as it is written
 * there: CIEs (what many functions have in common) and FDEs (one function each), and the
 * interpreter that turns an FDE's instructions into register rules, row by row.
 *
 * DWARF 5 section 6.4, and for .eh_frame the Linux Standard Base, Core, section 10.6. All bytes are
 * taken as hostile: what makes no sense is counted as damaged and left out.
 */
#pragma once

#include "base/array.h"
#include "unwind/rows.h"

/* One section and the addresses that its encoded pointers are relative to. */
struct cfi_section {
	const uint8_t *bytes; /* borrowed for the life of the struct cfi */
	size_t size;
	uint64_t file_addr;
	bool is_eh;
	uint64_t text_addr, data_addr; /* bases of DW_EH_PE_textrel and _datarel */
};

struct cfi_save {
	uint8_t how;   /* enum unwind_save */
	int32_t value; /* offset, register; for an expression, where its length lies in the section
			*/
};

/* The rules of one row. Registers whose bit is not set in `specified` have no rule. */
struct cfi_state {
	uint8_t cfa; /* UNWIND_CFA_NONE, _REGISTER or _EXPRESSION */
	uint8_t cfa_register;
	int32_t cfa_offset;
	uint32_t specified;
	struct cfi_save saves[UNWIND_REGISTERS];
};

struct cfi_cie {
	uint32_t section; /* index into struct cfi's sections */
	uint32_t offset;  /* where in the section it lies */
	uint32_t code_align;
	int32_t data_align;
	uint8_t pointer_encoding;
	bool has_augmentation_data; /* 'z' */
	bool is_signal;		    /* 'S' */
	bool is_damaged;	    /* its FDEs are left out */
	struct cfi_state initial;
};

struct cfi_function {
	uint64_t start, end; /* file_addrs, end exclusive */
	uint32_t cie;	     /* index into struct cfi's cies */
	uint32_t code_bytes;
	const uint8_t *code; /* its instructions */
};

struct cfi {
	ARRAY(struct cfi_section) sections;
	ARRAY(struct cfi_cie) cies;
	ARRAY(struct cfi_function) functions;
	uint64_t low, high; /* functions that do not start here are left out */
	size_t damaged_count;
};

/*
 * Adds the functions of a section. Set low and high before the first one; the rest of an all-zero
 * struct cfi is right.
 */
void cfi_read(struct cfi *cfi, const struct cfi_section *section);
void cfi_release(struct cfi *cfi);

/* A row: `state` holds from file_addr on. State NULL: no rule (from where the bytes are damaged).
 */
typedef void (*cfi_row)(void *context, uint64_t file_addr, const struct cfi_state *state);

/* Interprets one function of cfi; its rows come in order. False when the bytes were damaged. */
bool cfi_run(
	const struct cfi *cfi, const struct cfi_function *function, cfi_row row, void *context);
