#include "unwind/cfi.h"

#include "unwind/bytes.h"

/* GCC nests one or two; hand-written assembly a few more. */
#define REMEMBERED_MAX 16

/* How pointers are written in .eh_frame (LSB 10.5). */
enum {
	PE_ABSOLUTE = 0x00,
	PE_ULEB = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_TEXTREL = 0x20,
	PE_DATAREL = 0x30,
	PE_FUNCREL = 0x40,
	PE_ALIGNED = 0x50,
	PE_RELATION = 0x70,
	PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

/* Call frame instructions (DWARF 5 section 7.24); the first three hold an operand in their low
 * bits. */
enum {
	DW_CFA_advance_loc = 0x40,
	DW_CFA_offset = 0x80,
	DW_CFA_restore = 0xc0,
	DW_CFA_nop = 0x00,
	DW_CFA_set_loc = 0x01,
	DW_CFA_advance_loc1 = 0x02,
	DW_CFA_advance_loc2 = 0x03,
	DW_CFA_advance_loc4 = 0x04,
	DW_CFA_offset_extended = 0x05,
	DW_CFA_restore_extended = 0x06,
	DW_CFA_undefined = 0x07,
	DW_CFA_same_value = 0x08,
	DW_CFA_register = 0x09,
	DW_CFA_remember_state = 0x0a,
	DW_CFA_restore_state = 0x0b,
	DW_CFA_def_cfa = 0x0c,
	DW_CFA_def_cfa_register = 0x0d,
	DW_CFA_def_cfa_offset = 0x0e,
	DW_CFA_def_cfa_expression = 0x0f,
	DW_CFA_expression = 0x10,
	DW_CFA_offset_extended_sf = 0x11,
	DW_CFA_def_cfa_sf = 0x12,
	DW_CFA_def_cfa_offset_sf = 0x13,
	DW_CFA_val_offset = 0x14,
	DW_CFA_val_offset_sf = 0x15,
	DW_CFA_val_expression = 0x16,
	DW_CFA_MIPS_advance_loc8 = 0x1d,
	DW_CFA_GNU_window_save = 0x2d,
	DW_CFA_GNU_args_size = 0x2e,
	DW_CFA_GNU_negative_offset_extended = 0x2f,
};

static uint64_t read_formatted(struct bytes *bytes, uint8_t encoding)
{
	switch (encoding & PE_FORMAT) {
	case PE_ABSOLUTE:
	case PE_UDATA8:
	case PE_SDATA8:
		return bytes_fixed(bytes, 8);
	case PE_ULEB:
		return bytes_uleb(bytes);
	case PE_SLEB:
		return (uint64_t)bytes_sleb(bytes);
	case PE_UDATA2:
		return bytes_fixed(bytes, 2);
	case PE_UDATA4:
		return bytes_fixed(bytes, 4);
	case PE_SDATA2:
		return (uint64_t)bytes_signed(bytes, 2);
	case PE_SDATA4:
		return (uint64_t)bytes_signed(bytes, 4);
	default:
		bytes->bad = true;
		return 0;
	}
}

/*
 * A pointer as .eh_frame writes it. An indirect one is the address of the pointer in the running
 * program: only personality routines are written so, which nobody asks for here.
 */
static uint64_t read_pointer(
	struct bytes *bytes, uint8_t encoding, const struct cfi_section *section, uint64_t function)
{
	uint64_t place = section->file_addr + (uint64_t)(bytes->at - section->bytes);
	uint64_t value;

	if (encoding == PE_OMIT)
		return 0;
	if ((encoding & PE_RELATION) == PE_ALIGNED) {
		bytes_skip(bytes, -place & 7);
		return bytes_fixed(bytes, 8);
	}
	value = read_formatted(bytes, encoding);
	switch (encoding & PE_RELATION) {
	case PE_PCREL:
		return value + place;
	case PE_TEXTREL:
		return value + section->text_addr;
	case PE_DATAREL:
		return value + section->data_addr;
	case PE_FUNCREL:
		return value + function;
	default:
		return value;
	}
}

/* One CIE or FDE as it lies in its section. */
struct entry {
	uint32_t offset; /* of its length field */
	bool is_cie;
	uint64_t cie;	   /* FDE: offset of its CIE */
	struct bytes body; /* what follows the CIE pointer */
};

/*
 * The next entry of the section; false at the end or where the lengths make no sense. A length of 0
 * ends .eh_frame for the C library, but linkers leave such words in the middle too.
 */
static bool next_entry(const struct cfi_section *section, struct bytes *bytes, struct entry *entry)
{
	uint64_t length, id, here;
	size_t id_size = 4;

	do {
		entry->offset = (uint32_t)(bytes->at - section->bytes);
		length = bytes_fixed(bytes, 4);
	} while (length == 0 && bytes_left(bytes) >= 4);
	if (length == 0xffffffff) {
		length = bytes_fixed(bytes, 8);
		id_size = section->is_eh ? 4 : 8;
	}
	if (bytes->bad || length < id_size || length > bytes_left(bytes))
		return false;
	entry->body = (struct bytes){bytes->at, bytes->at + length, false};
	bytes_skip(bytes, length);
	here = (uint64_t)(entry->body.at - section->bytes);
	id = bytes_fixed(&entry->body, id_size);
	if (section->is_eh) {
		entry->is_cie = id == 0;
		entry->cie = here - id;
	} else {
		entry->is_cie = id == (id_size == 8 ? UINT64_MAX : 0xffffffff);
		entry->cie = id;
	}
	return true;
}

/* --- the interpreter ----------------------------------------------------------------------------
 */

struct run {
	const struct cfi_section *section;
	const struct cfi_cie *cie;
	struct bytes code;
	struct cfi_state state;
	uint64_t location;
	uint64_t end;
	cfi_row row; /* NULL for a CIE's own instructions */
	void *context;
	struct cfi_state remembered[REMEMBERED_MAX];
	size_t remembered_count;
};

static int32_t checked_offset(struct run *run, int64_t value, int64_t factor)
{
	int64_t product;

	if (__builtin_mul_overflow(value, factor, &product) || product != (int32_t)product) {
		run->code.bad = true;
		return 0;
	}
	return (int32_t)product;
}

static int32_t unsigned_offset(struct run *run, uint64_t value, int64_t factor)
{
	if (value > INT64_MAX) {
		run->code.bad = true;
		return 0;
	}
	return checked_offset(run, (int64_t)value, factor);
}

/* The numbers above the return address are vector and flag registers, of no use to a walk. */
static void set_save(struct run *run, uint64_t reg, enum unwind_save how, int32_t value)
{
	if (reg >= UNWIND_REGISTERS)
		return;
	run->state.saves[reg] = (struct cfi_save){.how = (uint8_t)how, .value = value};
	run->state.specified |= 1u << reg;
}

static void restore_save(struct run *run, uint64_t reg)
{
	if (reg >= UNWIND_REGISTERS)
		return;
	run->state.saves[reg] = run->cie->initial.saves[reg];
	run->state.specified &= ~(1u << reg);
	run->state.specified |= run->cie->initial.specified & 1u << reg;
}

static void set_cfa(struct run *run, uint64_t reg, int32_t offset)
{
	if (reg >= UNWIND_RETURN_ADDRESS) {
		run->code.bad = true;
		return;
	}
	run->state.cfa = UNWIND_CFA_REGISTER;
	run->state.cfa_register = (uint8_t)reg;
	run->state.cfa_offset = offset;
}

/* Passes over an expression and returns where its length lies in the section. */
static int32_t pass_expression(struct run *run)
{
	int64_t place = run->code.at - run->section->bytes;

	bytes_skip(&run->code, bytes_uleb(&run->code));
	return checked_offset(run, place, 1);
}

/* What holds so far holds up to the new location; false when the function ends before it. */
static bool advance(struct run *run, uint64_t location)
{
	if (location < run->location || run->code.bad) {
		run->code.bad = true;
		return false;
	}
	if (location == run->location)
		return true;
	if (run->row)
		run->row(run->context, run->location, &run->state);
	run->location = location;
	return location < run->end;
}

static bool advance_by(struct run *run, uint64_t delta)
{
	uint64_t bytes, location;

	if (__builtin_mul_overflow(delta, run->cie->code_align, &bytes) ||
		__builtin_add_overflow(run->location, bytes, &location)) {
		run->code.bad = true;
		return false;
	}
	return advance(run, location);
}

static void remember(struct run *run)
{
	if (run->remembered_count == REMEMBERED_MAX)
		run->code.bad = true;
	else
		run->remembered[run->remembered_count++] = run->state;
}

static void recall(struct run *run)
{
	if (run->remembered_count == 0)
		run->code.bad = true;
	else
		run->state = run->remembered[--run->remembered_count];
}

static void run_cfa(struct run *run, uint8_t op)
{
	struct bytes *code = &run->code;
	uint8_t reg = run->state.cfa_register;
	uint64_t operand;

	switch (op) {
	case DW_CFA_def_cfa:
		operand = bytes_uleb(code);
		set_cfa(run, operand, unsigned_offset(run, bytes_uleb(code), 1));
		break;
	case DW_CFA_def_cfa_sf:
		operand = bytes_uleb(code);
		set_cfa(run, operand, checked_offset(run, bytes_sleb(code), run->cie->data_align));
		break;
	case DW_CFA_def_cfa_register:
		code->bad |= run->state.cfa != UNWIND_CFA_REGISTER;
		set_cfa(run, bytes_uleb(code), run->state.cfa_offset);
		break;
	case DW_CFA_def_cfa_offset:
		code->bad |= run->state.cfa != UNWIND_CFA_REGISTER;
		set_cfa(run, reg, unsigned_offset(run, bytes_uleb(code), 1));
		break;
	case DW_CFA_def_cfa_offset_sf:
		code->bad |= run->state.cfa != UNWIND_CFA_REGISTER;
		set_cfa(run, reg, checked_offset(run, bytes_sleb(code), run->cie->data_align));
		break;
	case DW_CFA_def_cfa_expression:
		run->state.cfa = UNWIND_CFA_EXPRESSION;
		run->state.cfa_register = 0;
		run->state.cfa_offset = pass_expression(run);
		break;
	}
}

static void run_save(struct run *run, uint8_t op)
{
	struct bytes *code = &run->code;
	uint64_t reg = bytes_uleb(code), operand;
	int64_t align = run->cie->data_align;

	switch (op) {
	case DW_CFA_offset_extended:
		set_save(run, reg, UNWIND_AT_CFA, unsigned_offset(run, bytes_uleb(code), align));
		break;
	case DW_CFA_offset_extended_sf:
		set_save(run, reg, UNWIND_AT_CFA, checked_offset(run, bytes_sleb(code), align));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		set_save(run, reg, UNWIND_AT_CFA, unsigned_offset(run, bytes_uleb(code), -align));
		break;
	case DW_CFA_val_offset:
		set_save(run, reg, UNWIND_CFA_PLUS, unsigned_offset(run, bytes_uleb(code), align));
		break;
	case DW_CFA_val_offset_sf:
		set_save(run, reg, UNWIND_CFA_PLUS, checked_offset(run, bytes_sleb(code), align));
		break;
	case DW_CFA_restore_extended:
		restore_save(run, reg);
		break;
	case DW_CFA_undefined:
		set_save(run, reg, UNWIND_UNDEFINED, 0);
		break;
	case DW_CFA_same_value:
		set_save(run, reg, UNWIND_SAME, 0);
		break;
	case DW_CFA_register:
		operand = bytes_uleb(code);
		code->bad |= operand >= UNWIND_RETURN_ADDRESS;
		set_save(run, reg, UNWIND_IN_REGISTER, (int32_t)(operand & 15));
		break;
	case DW_CFA_expression:
		set_save(run, reg, UNWIND_AT_EXPRESSION, pass_expression(run));
		break;
	case DW_CFA_val_expression:
		set_save(run, reg, UNWIND_VALUE_EXPRESSION, pass_expression(run));
		break;
	}
}

/* An instruction without operand in its low bits; false where the function ends. */
static bool run_extended(struct run *run, uint8_t op)
{
	struct bytes *code = &run->code;

	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save:
		return true;
	case DW_CFA_set_loc:
		return advance(run, read_pointer(code, run->cie->pointer_encoding, run->section,
					    run->location));
	case DW_CFA_advance_loc1:
		return advance_by(run, bytes_u8(code));
	case DW_CFA_advance_loc2:
		return advance_by(run, bytes_fixed(code, 2));
	case DW_CFA_advance_loc4:
		return advance_by(run, bytes_fixed(code, 4));
	case DW_CFA_MIPS_advance_loc8:
		return advance_by(run, bytes_fixed(code, 8));
	case DW_CFA_remember_state:
		remember(run);
		return true;
	case DW_CFA_restore_state:
		recall(run);
		return true;
	case DW_CFA_GNU_args_size:
		bytes_uleb(code);
		return true;
	case DW_CFA_def_cfa:
	case DW_CFA_def_cfa_sf:
	case DW_CFA_def_cfa_register:
	case DW_CFA_def_cfa_offset:
	case DW_CFA_def_cfa_offset_sf:
	case DW_CFA_def_cfa_expression:
		run_cfa(run, op);
		return true;
	default:
		if ((op > DW_CFA_val_expression && op != DW_CFA_GNU_negative_offset_extended))
			code->bad = true;
		else
			run_save(run, op);
		return true;
	}
}

static bool run_one(struct run *run)
{
	uint8_t op = bytes_u8(&run->code);
	uint8_t operand = op & 0x3f;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		return advance_by(run, operand);
	case DW_CFA_offset:
		set_save(run, operand, UNWIND_AT_CFA,
			unsigned_offset(run, bytes_uleb(&run->code), run->cie->data_align));
		return true;
	case DW_CFA_restore:
		restore_save(run, operand);
		return true;
	default:
		return run_extended(run, op);
	}
}

/* Runs all instructions; what they leave holds from run->location on. False when damaged. */
static bool run_all(struct run *run)
{
	while (run->code.at < run->code.end && !run->code.bad)
		if (!run_one(run))
			break;
	return !run->code.bad;
}

bool cfi_run(const struct cfi *cfi, const struct cfi_function *function, cfi_row row, void *context)
{
	const struct cfi_cie *cie = &cfi->cies.items[function->cie];
	struct run run; /* not cleared: the remembered states are 2 KiB */
	bool good;

	run.section = &cfi->sections.items[cie->section];
	run.cie = cie;
	run.code = (struct bytes){function->code, function->code + function->code_bytes, false};
	run.state = cie->initial;
	run.location = function->start;
	run.end = function->end;
	run.row = row;
	run.context = context;
	run.remembered_count = 0;
	good = run_all(&run);
	if (run.location < run.end)
		row(context, run.location, good ? &run.state : NULL);
	return good;
}

/* --- CIEs and FDEs ------------------------------------------------------------------------------
 */

/* What the augmentation string promises; false when it says something unknown without a length. */
static bool read_augmentation(struct cfi_cie *cie, struct bytes *body,
	const struct cfi_section *section, const char *letters)
{
	struct bytes data = *body;

	if (*letters == 'z') {
		uint64_t length = bytes_uleb(body);

		data = *body;
		bytes_skip(body, length);
		data.end = body->at;
		cie->has_augmentation_data = true;
		letters++;
	}
	for (; *letters; letters++) {
		if (*letters == 'R') {
			cie->pointer_encoding = bytes_u8(&data);
		} else if (*letters == 'P') {
			uint8_t encoding = bytes_u8(&data);

			read_pointer(&data, encoding, section, 0);
		} else if (*letters == 'L') {
			bytes_u8(&data);
		} else if (*letters == 'S') {
			cie->is_signal = true;
		} else if (*letters != 'B') { /* B: AArch64 pointer signing, without data */
			return cie->has_augmentation_data;
		}
	}
	if (!cie->has_augmentation_data)
		*body = data;
	return !data.bad;
}

static bool read_cie_head(
	struct cfi_cie *cie, struct bytes *body, const struct cfi_section *section)
{
	uint8_t version = bytes_u8(body);
	const char *letters = (const char *)body->at;
	uint64_t code_align, return_address;
	int64_t data_align;

	if (version != 1 && version != 3 && version != 4)
		return false;
	while (bytes_u8(body))
		;
	if (body->bad)
		return false;
	if (letters[0] == 'e' && letters[1] == 'h') { /* GCC 2: a pointer that nobody needs */
		bytes_skip(body, 8);
		letters += 2;
	}
	if (version == 4 && (bytes_u8(body) != 8 || bytes_u8(body) != 0))
		return false; /* addresses of 8 bytes, no segments */
	code_align = bytes_uleb(body);
	data_align = bytes_sleb(body);
	return_address = version == 1 ? bytes_u8(body) : bytes_uleb(body);
	if (code_align == 0 || code_align > UINT32_MAX || data_align != (int32_t)data_align ||
		return_address != UNWIND_RETURN_ADDRESS)
		return false;
	cie->code_align = (uint32_t)code_align;
	cie->data_align = (int32_t)data_align;
	return read_augmentation(cie, body, section, letters);
}

static bool read_cie(
	struct cfi_cie *cie, const struct entry *entry, const struct cfi_section *section)
{
	struct run run = {.section = section, .cie = cie, .code = entry->body, .end = UINT64_MAX};

	if (!read_cie_head(cie, &run.code, section) || run.code.bad || !run_all(&run))
		return false;
	cie->initial = run.state;
	return true;
}

static void read_cies(struct cfi *cfi, uint32_t section_index)
{
	const struct cfi_section *section = &cfi->sections.items[section_index];
	struct bytes bytes = {section->bytes, section->bytes + section->size, false};
	struct entry entry;

	while (next_entry(section, &bytes, &entry)) {
		struct cfi_cie cie = {.section = section_index, .offset = entry.offset};

		if (!entry.is_cie)
			continue;
		cie.is_damaged = !read_cie(&cie, &entry, section);
		cfi->damaged_count += cie.is_damaged;
		*array_add(&cfi->cies) = cie;
	}
}

/*
 * The CIE at `offset` among those from `first` on, which lie in the order of the section; most FDEs
 * have the same one as the FDE before them. cies.count when there is none.
 */
static size_t find_cie(const struct cfi *cfi, size_t first, uint64_t offset, size_t last_found)
{
	size_t low = first, high = cfi->cies.count;

	if (last_found < high && cfi->cies.items[last_found].offset == offset)
		return last_found;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cfi->cies.items[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < cfi->cies.count && cfi->cies.items[low].offset == offset)
		return low;
	return cfi->cies.count;
}

static bool read_fde(const struct cfi *cfi, struct entry *entry, const struct cfi_section *section,
	struct cfi_function *function)
{
	const struct cfi_cie *cie = &cfi->cies.items[function->cie];
	uint8_t encoding = section->is_eh ? cie->pointer_encoding : PE_ABSOLUTE;
	struct bytes *body = &entry->body;
	uint64_t size;

	if (encoding & PE_INDIRECT)
		return false;
	function->start = read_pointer(body, encoding, section, 0);
	size = read_formatted(body, encoding);
	if (cie->has_augmentation_data)
		bytes_skip(body, bytes_uleb(body));
	if (body->bad || bytes_left(body) > UINT32_MAX)
		return false;
	function->end = size > UINT64_MAX - function->start ? UINT64_MAX : function->start + size;
	function->code = body->at;
	function->code_bytes = (uint32_t)bytes_left(body);
	return true;
}

/* Linkers leave FDEs of functions that they dropped, with a start of 0 and the like. */
static bool is_wanted(const struct cfi *cfi, struct cfi_function *function)
{
	if (function->end > cfi->high)
		function->end = cfi->high;
	return function->start >= cfi->low && function->start < function->end;
}

void cfi_read(struct cfi *cfi, const struct cfi_section *section)
{
	size_t first = cfi->cies.count, found = first;
	struct bytes bytes = {section->bytes, section->bytes + section->size, false};
	struct entry entry;

	if (section->size == 0 || section->size > INT32_MAX)
		return; /* offsets into it are 32 bits wide */
	*array_add(&cfi->sections) = *section;
	read_cies(cfi, (uint32_t)cfi->sections.count - 1);
	while (next_entry(section, &bytes, &entry)) {
		struct cfi_function function;

		if (entry.is_cie)
			continue;
		found = find_cie(cfi, first, entry.cie, found);
		function.cie = (uint32_t)found;
		if (found == cfi->cies.count || cfi->cies.items[found].is_damaged ||
			!read_fde(cfi, &entry, section, &function))
			cfi->damaged_count++;
		else if (is_wanted(cfi, &function))
			*array_add(&cfi->functions) = function;
	}
}

void cfi_release(struct cfi *cfi)
{
	array_release(&cfi->sections);
	array_release(&cfi->cies);
	array_release(&cfi->functions);
}
