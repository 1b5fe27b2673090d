/*
 * Makes the rows of a module: gathers the functions of its CFI, sorts them by address, runs them
 * one after the other and stores each distinct rule once.
 */
#include "base/hash.h"
#include "elf/elf_file.h"
#include "unwind/bytes.h"
#include "unwind/cfi.h"
#include "unwind/derive.h"
#include "unwind/rows.h"

#include <elf.h>
#include <gelf.h>

/* Longer expressions are not found in CFI; the bound keeps damaged ones from costing time. */
#define EXPRESSION_MAX 256

/* The entry point of ld.so and of musl's programs is a few instructions of assembly without CFI. */
#define ENTRY_BYTES 96

struct builder {
	const struct cfi *cfi;
	const struct cfi_section *section; /* of the function that is running */
	bool is_signal;
	bool is_derived;
	uint64_t end; /* where its rows end */
	uint64_t base;
	ARRAY(uint32_t) starts;
	ARRAY(uint32_t) rules;
	ARRAY(uint64_t) units;
	struct hash interned;
	size_t damaged_count;
};

/* --- rules --------------------------------------------------------------------------------------
 */

/* Rules and expressions both know their own size, so equal bytes may serve as either. */
struct units_key {
	const uint64_t *units;
	uint32_t count;
};

static bool same_units(const void *owner, uint32_t id, const void *key_pointer)
{
	const struct builder *builder = owner;
	const struct units_key *key = key_pointer;

	return builder->units.count - id >= key->count &&
	       memcmp(builder->units.items + id, key->units, key->count * sizeof(uint64_t)) == 0;
}

/* The unit where this content is stored, once. */
static uint32_t intern_units(struct builder *builder, const uint64_t *units, uint32_t count)
{
	const struct units_key key = {units, count};
	uint64_t hash = hash_bytes(units, count * sizeof(*units));
	uint32_t id = hash_find(&builder->interned, hash, same_units, builder, &key);

	if (id)
		return id;
	id = (uint32_t)builder->units.count;
	array_reserve(&builder->units, builder->units.count + count);
	memcpy(builder->units.items + id, units, count * sizeof(*units));
	builder->units.count += count;
	hash_insert(&builder->interned, hash, id);
	return id;
}

/* The bytes of the expression whose length lies at `place` of the section. */
static bool find_expression(const struct builder *builder, int32_t place, struct bytes *code)
{
	const struct cfi_section *section = builder->section;
	struct bytes bytes = {section->bytes + place, section->bytes + section->size, false};
	uint64_t length = bytes_uleb(&bytes);

	*code = (struct bytes){bytes.at, bytes.at + length, false};
	return !bytes.bad && length <= EXPRESSION_MAX && length <= bytes_left(&bytes);
}

static bool intern_expression(struct builder *builder, int32_t place, int32_t *unit)
{
	uint64_t units[(sizeof(struct unwind_expression) + EXPRESSION_MAX) / 8 + 1] = {0};
	struct unwind_expression *expression = (struct unwind_expression *)units;
	struct bytes code;

	if (!find_expression(builder, place, &code))
		return false;
	expression->length = (uint16_t)bytes_left(&code);
	memcpy(expression->bytes, code.at, expression->length);
	*unit = (int32_t)intern_units(
		builder, units, (uint32_t)(sizeof(*expression) + expression->length + 7) / 8);
	return true;
}

/*
 * The linker's expression for PLT entries, in which the last instructions run with one word more on
 * the stack: rsp + 8 + ((rip & 15) >= N) * 8, with N 11 or, in entries that begin with endbr64, 10.
 */
static bool is_plt_expression(const struct bytes *code, int32_t *threshold)
{
	static const uint8_t before[] = {
		0x77, 8, 0x80, 0, 0x3f, 0x1a};			 /* breg7 8 breg16 0 lit15 and */
	static const uint8_t after[] = {0x2a, 0x33, 0x24, 0x22}; /* ge lit3 shl plus */
	uint8_t literal;

	if (bytes_left(code) != sizeof(before) + 1 + sizeof(after) ||
		memcmp(code->at, before, sizeof(before)) != 0 ||
		memcmp(code->at + sizeof(before) + 1, after, sizeof(after)) != 0)
		return false;
	literal = code->at[sizeof(before)];
	*threshold = literal - 0x30;
	return literal >= 0x30 && literal <= 0x3f; /* lit0 to lit15 */
}

/* "breg N; deref": the CFA lies in memory, in functions that realign their stack. */
static bool is_deref_expression(struct bytes code, uint8_t *reg, int32_t *offset)
{
	uint8_t op = bytes_u8(&code);
	int64_t value = bytes_sleb(&code);

	*reg = op - 0x70;
	*offset = (int32_t)value;
	return op >= 0x70 && op <= 0x7f && bytes_u8(&code) == 0x06 && !code.bad &&
	       bytes_left(&code) == 0 && value == *offset;
}

static bool build_cfa(
	struct builder *builder, const struct cfi_state *state, struct unwind_rule *rule)
{
	struct bytes code;

	rule->cfa = state->cfa;
	rule->cfa_register = state->cfa_register;
	rule->cfa_offset = state->cfa_offset;
	if (state->cfa != UNWIND_CFA_EXPRESSION)
		return state->cfa == UNWIND_CFA_REGISTER;
	if (!find_expression(builder, state->cfa_offset, &code))
		return false;
	if (is_plt_expression(&code, &rule->cfa_offset)) {
		rule->cfa = UNWIND_CFA_PLT;
		rule->cfa_register = UNWIND_RSP;
		return true;
	}
	if (is_deref_expression(code, &rule->cfa_register, &rule->cfa_offset)) {
		rule->cfa = UNWIND_CFA_DEREF;
		return true;
	}
	rule->cfa_register = 0;
	return intern_expression(builder, state->cfa_offset, &rule->cfa_offset);
}

static bool build_save(
	struct builder *builder, struct unwind_rule *rule, uint8_t reg, struct cfi_save save)
{
	bool is_expression =
		save.how == UNWIND_AT_EXPRESSION || save.how == UNWIND_VALUE_EXPRESSION;

	if (is_expression && !intern_expression(builder, save.value, &save.value))
		return false;
	if (reg == UNWIND_RETURN_ADDRESS && save.how == UNWIND_UNDEFINED) {
		rule->flags |= UNWIND_RULE_OUTERMOST;
		return true;
	}
	if (reg == UNWIND_RETURN_ADDRESS && save.how == UNWIND_AT_CFA && save.value == -8) {
		rule->flags |= UNWIND_RULE_RA_AT_CFA_8;
		return true;
	}
	if (save.how != UNWIND_AT_CFA || reg == UNWIND_RSP) /* rsp is the CFA in a plain rule */
		rule->flags &= (uint8_t)~UNWIND_RULE_PLAIN;
	rule->saved[rule->saved_count++] =
		(struct unwind_saved){.reg = reg, .how = save.how, .value = save.value};
	return true;
}

/*
 * A row that says nothing of the return address, or that it is "the same", cannot lead to a caller:
 * no rule.
 */
static bool build_rule(
	struct builder *builder, const struct cfi_state *state, struct unwind_rule *rule)
{
	const struct cfi_save *ra = &state->saves[UNWIND_RETURN_ADDRESS];
	uint32_t left = state->specified;

	*rule = (struct unwind_rule){.flags = UNWIND_RULE_PLAIN};
	if (!(left >> UNWIND_RETURN_ADDRESS & 1) || ra->how == UNWIND_SAME)
		return false;
	if (!build_cfa(builder, state, rule))
		return false;
	while (left) {
		uint8_t reg = (uint8_t)__builtin_ctz(left);

		left &= left - 1;
		if (!build_save(builder, rule, reg, state->saves[reg]))
			return false;
	}
	if (builder->is_signal)
		rule->flags |= UNWIND_RULE_SIGNAL;
	if (builder->is_derived)
		rule->flags |= UNWIND_RULE_DERIVED;
	if (rule->cfa != UNWIND_CFA_REGISTER || builder->is_signal || builder->is_derived ||
		!(rule->flags & UNWIND_RULE_RA_AT_CFA_8))
		rule->flags &= (uint8_t)~UNWIND_RULE_PLAIN;
	return true;
}

/* --- rows ---------------------------------------------------------------------------------------
 */

/* A later row at the same place replaces the earlier: the gap that another function then filled. */
static void add_row(struct builder *builder, uint64_t file_addr, uint32_t rule)
{
	uint32_t offset = (uint32_t)(file_addr - builder->base);
	size_t count = builder->starts.count;

	if (count && builder->starts.items[count - 1] == offset)
		count--;
	builder->starts.count = builder->rules.count = count;
	if (rule == (count ? builder->rules.items[count - 1] : 0))
		return;
	*array_add(&builder->starts) = offset;
	*array_add(&builder->rules) = rule;
}

static void take_row(void *context, uint64_t file_addr, const struct cfi_state *state)
{
	struct builder *builder = context;
	union {
		struct unwind_rule rule;
		uint64_t units[1 + UNWIND_REGISTERS];
	} content;
	uint32_t rule = 0;

	if (file_addr >= builder->end)
		return;
	if (state && build_rule(builder, state, &content.rule))
		rule = intern_units(builder, content.units, 1u + content.rule.saved_count);
	else if (state)
		builder->damaged_count++;
	add_row(builder, file_addr, rule);
}

/*
 * Functions in order of their starts. Where two overlap, damage or a linker's leftover, the one
 * that starts later has the bytes; of two with the same start the first one, from .eh_frame.
 */
static void build_gap(
	struct builder *builder, const struct derived *derived, uint64_t start, uint64_t end)
{
	builder->end = end;
	builder->is_signal = false;
	builder->is_derived = true;
	derived_rows(derived, start, end, take_row, builder);
	builder->is_derived = false;
	add_row(builder, end, 0);
}

static void build_rows(struct builder *builder, const struct derived *derived)
{
	const struct cfi *cfi = builder->cfi;
	uint64_t covered = cfi->low;

	for (size_t i = 0; i < cfi->functions.count; i++) {
		const struct cfi_function *function = &cfi->functions.items[i];
		const struct cfi_cie *cie = &cfi->cies.items[function->cie];
		const struct cfi_function *next = function + 1;

		if (i && function->start == function[-1].start)
			continue;
		while (next < cfi->functions.items + cfi->functions.count &&
			next->start == function->start)
			next++;
		if (function->start > covered)
			build_gap(builder, derived, covered, function->start);
		builder->end = function->end;
		if (next < cfi->functions.items + cfi->functions.count &&
			next->start < builder->end)
			builder->end = next->start;
		builder->section = &cfi->sections.items[cie->section];
		builder->is_signal = cie->is_signal;
		builder->damaged_count += !cfi_run(cfi, function, take_row, builder);
		add_row(builder, builder->end, 0);
		if (function->end > covered)
			covered = function->end;
	}
	if (cfi->high > covered)
		build_gap(builder, derived, covered, cfi->high);
}

/* One pass of a radix sort by 11 bits of the start's offset; stable. */
static void sort_pass(const struct cfi_function *from, struct cfi_function *to, size_t count,
	uint64_t base, unsigned shift)
{
	size_t places[2048] = {0}, place = 0;

	for (size_t i = 0; i < count; i++)
		places[(from[i].start - base) >> shift & 2047]++;
	for (size_t i = 0; i < 2048; i++) {
		size_t here = places[i];

		places[i] = place;
		place += here;
	}
	for (size_t i = 0; i < count; i++)
		to[places[(from[i].start - base) >> shift & 2047]++] = from[i];
}

/* By start, keeping the order of equal ones. */
static void sort_functions(struct cfi *cfi)
{
	size_t count = cfi->functions.count;
	struct cfi_function *other = alloc_bytes(count * sizeof(*other) + 1), *items;

	sort_pass(cfi->functions.items, other, count, cfi->low, 0);
	sort_pass(other, cfi->functions.items, count, cfi->low, 11);
	sort_pass(cfi->functions.items, other, count, cfi->low, 22);
	items = cfi->functions.items;
	cfi->functions.items = other;
	cfi->functions.capacity = count;
	free(items);
}

/* --- what the file has --------------------------------------------------------------------------
 */

static uint64_t section_addr(const struct elf_file *file, const char *name)
{
	struct elf_section section;

	return elf_file_section(file, name, &section) ? section.file_addr : 0;
}

static void read_section(struct cfi *cfi, const struct elf_file *file, const char *name, bool is_eh)
{
	struct elf_section section;

	if (!elf_file_section(file, name, &section) || !section.bytes)
		return;
	cfi_read(cfi, &(struct cfi_section){
			      .bytes = section.bytes,
			      .size = section.size,
			      .file_addr = section.file_addr,
			      .is_eh = is_eh,
			      .text_addr = section_addr(file, ".text"),
			      .data_addr = section_addr(file, ".got"),
		      });
}

static bool is_covered(const struct cfi *cfi, uint64_t file_addr)
{
	for (size_t i = 0; i < cfi->functions.count; i++)
		if (file_addr >= cfi->functions.items[i].start &&
			file_addr < cfi->functions.items[i].end)
			return true;
	return false;
}

/* An entry point without CFI is the outermost frame of a process: gives it the FDE that says so. */
static void add_entry_point(struct cfi *cfi, const struct elf_file *file)
{
	static const uint8_t outermost[] = {
		/* length 20, a CIE: version 1, "", code 1, data -8, return address 16 */
		20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0x78, 16,
		/* def_cfa rsp+8, undefined 16, padding */
		0x0c, 7, 8, 0x07, 16, 0, 0, 0, 0, 0, 0};
	const struct cfi_section section = {
		.bytes = outermost, .size = sizeof(outermost), .is_eh = true};
	GElf_Ehdr header;
	uint64_t entry;

	if (!gelf_getehdr(elf_file_handle(file), &header))
		return;
	entry = header.e_entry;
	if (entry < cfi->low || entry >= cfi->high || is_covered(cfi, entry))
		return;
	cfi_read(cfi, &section);
	*array_add(&cfi->functions) = (struct cfi_function){
		.start = entry,
		.end = cfi->high - entry < ENTRY_BYTES ? cfi->high : entry + ENTRY_BYTES,
		.cie = (uint32_t)cfi->cies.count - 1,
	};
}

static struct unwind_rows *pack(const struct builder *builder)
{
	size_t row_bytes = builder->starts.count * sizeof(uint32_t);
	size_t unit_bytes = builder->units.count * sizeof(uint64_t);
	struct unwind_rows *rows = alloc_bytes(sizeof(*rows) + 2 * row_bytes + unit_bytes);
	uint8_t *at = (uint8_t *)(rows + 1);

	*rows = (struct unwind_rows){
		.base = builder->base,
		.low = builder->cfi->low,
		.high = builder->cfi->high,
		.row_count = (uint32_t)builder->starts.count,
		.unit_count = (uint32_t)builder->units.count,
		.function_count = (uint32_t)builder->cfi->functions.count,
		.damaged_count = (uint32_t)(builder->cfi->damaged_count + builder->damaged_count),
	};
	if (row_bytes) {
		memcpy(at, builder->starts.items, row_bytes);
		memcpy(at + row_bytes, builder->rules.items, row_bytes);
	}
	memcpy(at + 2 * row_bytes, builder->units.items, unit_bytes);
	return rows;
}

static struct unwind_rows *build(struct cfi *cfi, struct elf_file *file)
{
	struct builder builder = {.cfi = cfi, .base = cfi->low};
	struct derived derived = {0};
	struct unwind_rows *rows;

	*array_add(&builder.units) = 0; /* unit 0: no rule */
	sort_functions(cfi);
	array_reserve(&builder.starts, cfi->functions.count * 4);
	array_reserve(&builder.rules, cfi->functions.count * 4);
	derive_gaps(&derived, file, cfi);
	build_rows(&builder, &derived);
	derived_release(&derived);
	rows = pack(&builder);
	array_release(&builder.starts);
	array_release(&builder.rules);
	array_release(&builder.units);
	hash_release(&builder.interned);
	return rows;
}

struct unwind_rows *unwind_rows_compile(struct elf_file *file, struct error *err)
{
	struct cfi cfi = {0};
	struct elf_file *debug = NULL;
	struct unwind_rows *rows;

	if (elf_file_machine(file) != EM_X86_64 || !elf_file_is_64(file)) {
		error_set(err, "cannot unwind the stacks of %s: it is not 64-bit x86-64 code",
			elf_file_name(file));
		return NULL;
	}
	elf_file_text_range(file, &cfi.low, &cfi.high);
	if (cfi.high > cfi.low && cfi.high - cfi.low > UINT32_MAX)
		cfi.high = cfi.low + UINT32_MAX; /* the rows' offsets have 32 bits */
	read_section(&cfi, file, ".eh_frame", true);
	read_section(&cfi, file, ".debug_frame", false);
	if (cfi.functions.count == 0 && (debug = elf_file_debug(file)) != NULL)
		read_section(&cfi, debug, ".debug_frame", false);
	add_entry_point(&cfi, file);
	rows = build(&cfi, file);
	cfi_release(&cfi);
	elf_file_close(debug);
	return rows;
}

void unwind_rows_free(struct unwind_rows *rows)
{
	free(rows);
}
