#include "unwind/walk.h"

#include "unwind/expression.h"
#include "unwind/guess.h"

const struct walk_end_text walk_end_texts[WALK_ENDS] = {
	[WALK_ROOTED] = {"rooted", "the outermost frame was reached"},
	[WALK_ZERO_FRAME] = {"zero-frame",
		"outermost by its zero frame pointer, in code without CFI"},
	[WALK_TRUNCATED] = {"truncated", "the stack goes on beyond the part that was copied"},
	[WALK_NO_RULE] = {"no-rule", "code without CFI whose caller could not be guessed"},
	[WALK_BAD_RULE] = {"bad-rule", "the CFI asks for a value that is not known"},
	[WALK_BAD_STACK] = {"bad-stack", "a stack address is not readable or does not go up"},
	[WALK_BAD_RETURN] = {"bad-return", "the return address is not in executable memory"},
	[WALK_DEEP] = {"deep", "the stack has more frames than are kept"},
};

struct walk {
	const struct walk_source *source;
	struct walk_cache *cache;
	struct walk_registers registers; /* of the current frame; a step makes them the caller's */
	const struct unwind_rule *rule;	 /* of the current frame */
	uint64_t cfa;			 /* of the current frame, once a step has found it */
	uint64_t needed_address;
	uint8_t flags;	    /* of the current frame */
	uint8_t next_flags; /* of the caller */
	bool is_mapped;
	bool is_other_stack; /* a signal frame was passed */
};

/* --- finding rules ------------------------------------------------------------------------------
 */

void walk_cache_init(struct walk_cache *cache, struct walk_cache_entry *entries, size_t count)
{
	cache->entries = entries;
	cache->mask = count - 1;
	walk_cache_clear(cache);
}

void walk_cache_clear(struct walk_cache *cache)
{
	for (size_t i = 0; i <= cache->mask; i++)
		cache->entries[i] = (struct walk_cache_entry){0};
}

static struct walk_cache_entry *cache_entry(struct walk_cache *cache, uint64_t ip)
{
	return &cache->entries[(ip ^ ip >> 11) & cache->mask];
}

/*
 * The trampoline of a signal handler is where the kernel lets the handler return to, without a call
 * before it. glibc starts its FDE one byte early for that reason, others may not.
 */
static const struct unwind_rule *find_in_module(
	const struct walk_module *module, uint64_t ip, uint64_t lookup_ip)
{
	static const struct unwind_rule none = {.cfa = UNWIND_CFA_NONE};
	const struct unwind_rule *rule, *here;

	if (!module->rows)
		return &none;
	rule = unwind_rows_find(module->rows, lookup_ip - module->bias);
	if (rule->cfa != UNWIND_CFA_NONE || ip == lookup_ip)
		return rule;
	here = unwind_rows_find(module->rows, ip - module->bias);
	return here->flags & UNWIND_RULE_SIGNAL ? here : rule;
}

/* Sets the rule of the current frame; false when its ip is in no executable mapping. */
static bool find_rule(struct walk *walk)
{
	const struct walk_source *source = walk->source;
	uint64_t ip = walk_lookup_ip(walk->registers.ip, walk->flags);
	struct walk_cache_entry *entry = walk->cache ? cache_entry(walk->cache, ip) : NULL;
	const struct walk_module *module;

	if (entry && entry->ip == ip) {
		walk->rule = entry->rule;
		return true;
	}
	module = source->find_module(source->context, ip);
	if (!module)
		return false;
	walk->rule = find_in_module(module, walk->registers.ip, ip);
	if (entry)
		*entry = (struct walk_cache_entry){.ip = ip, .rule = walk->rule};
	return true;
}

/* --- one step by a rule -------------------------------------------------------------------------
 */

static enum walk_end unreadable(struct walk *walk, uint64_t address)
{
	walk->needed_address = address;
	return guess_unreadable(walk->source, address, walk->is_other_stack);
}

/*
 * Nearly every frame: CFA by register, everything saved relative to it. A register that cannot be
 * read, one that was saved below the copied stack, is not known any more. Those that a function
 * need not give back are taken as unchanged: assembly calls parts of itself that leave them alone
 * (OpenSSL's AES-GCM has its CFA in rax), and no other rule asks for one.
 */
static enum walk_end step_plain(struct walk *walk)
{
	const struct unwind_rule *rule = walk->rule;
	const struct walk_source *source = walk->source;
	struct walk_registers *registers = &walk->registers;
	const struct unwind_saved *saved = rule->saved, *end = saved + rule->saved_count;
	uint32_t known = registers->known;
	uint64_t cfa = registers->r[rule->cfa_register] + (uint64_t)(int64_t)rule->cfa_offset;

	if (!(known >> rule->cfa_register & 1))
		return WALK_BAD_RULE;
	if (cfa <= registers->r[UNWIND_RSP])
		return WALK_BAD_STACK;
	if (!walk_source_read(source, cfa - 8, &registers->ip))
		return unreadable(walk, cfa - 8);
	for (; saved < end; saved++) {
		uint64_t place = cfa + (uint64_t)(int64_t)saved->value;

		known |= 1u << saved->reg;
		if (!walk_source_read(source, place, &registers->r[saved->reg]))
			known &= ~(1u << saved->reg);
	}
	registers->r[UNWIND_RSP] = cfa;
	registers->known = known | 1u << UNWIND_RSP;
	walk->cfa = cfa;
	return WALK_ON;
}

static bool evaluate(const struct walk *walk, int32_t unit, const uint64_t *cfa, uint64_t *value)
{
	const struct walk_source *source = walk->source;
	uint64_t ip = walk_lookup_ip(walk->registers.ip, walk->flags);
	const struct walk_module *module = source->find_module(source->context, ip);

	return module && module->rows &&
	       expression_evaluate(unwind_rows_expression(module->rows, unit), source,
		       &walk->registers, cfa, value);
}

static enum walk_end find_cfa(struct walk *walk)
{
	const struct unwind_rule *rule = walk->rule;
	const struct walk_registers *registers = &walk->registers;
	uint64_t base = registers->r[rule->cfa_register],
		 offset = (uint64_t)(int64_t)rule->cfa_offset;

	if (rule->cfa == UNWIND_CFA_EXPRESSION)
		return evaluate(walk, rule->cfa_offset, NULL, &walk->cfa) ? WALK_ON : WALK_BAD_RULE;
	if (!(registers->known >> rule->cfa_register & 1))
		return WALK_BAD_RULE;
	if (rule->cfa == UNWIND_CFA_PLT)
		walk->cfa = base + 8 + ((registers->ip & 15) >= offset ? 8 : 0);
	else if (rule->cfa == UNWIND_CFA_REGISTER)
		walk->cfa = base + offset;
	else if (!walk_source_read(walk->source, base + offset, &walk->cfa))
		return unreadable(walk, base + offset);
	return WALK_ON;
}

/* The caller's value of one register; false when it cannot be had. */
static bool restore(const struct walk *walk, const struct unwind_saved *saved, uint64_t *value)
{
	const struct walk_registers *registers = &walk->registers;
	uint64_t offset = (uint64_t)(int64_t)saved->value, address;

	switch (saved->how) {
	case UNWIND_SAME:
		*value = registers->r[saved->reg & 15];
		return registers->known >> (saved->reg & 15) & 1;
	case UNWIND_AT_CFA:
		return walk_source_read(walk->source, walk->cfa + offset, value);
	case UNWIND_CFA_PLUS:
		*value = walk->cfa + offset;
		return true;
	case UNWIND_IN_REGISTER:
		*value = registers->r[saved->value & 15];
		return registers->known >> (saved->value & 15) & 1;
	case UNWIND_AT_EXPRESSION:
		return evaluate(walk, saved->value, &walk->cfa, &address) &&
		       walk_source_read(walk->source, address, value);
	case UNWIND_VALUE_EXPRESSION:
		return evaluate(walk, saved->value, &walk->cfa, value);
	default:
		return false;
	}
}

/* Why the return address could not be had: memory that is not there, or a rule that fails. */
static enum walk_end no_return_address(struct walk *walk, const struct unwind_saved *saved)
{
	if (!saved)
		return unreadable(walk, walk->cfa - 8);
	if (saved->how == UNWIND_AT_CFA)
		return unreadable(walk, walk->cfa + (uint64_t)(int64_t)saved->value);
	return WALK_BAD_RULE;
}

/*
 * Any rule. Each register is restored from the frame's own registers, so the caller's are gathered
 * beside them. Under a signal handler all registers may be known again, and its stack may be
 * anywhere.
 */
static enum walk_end step_any(struct walk *walk)
{
	const struct unwind_rule *rule = walk->rule;
	bool is_signal = rule->flags & UNWIND_RULE_SIGNAL, is_exact = !(walk->flags & WALK_RETURN);
	struct walk_registers next = walk->registers;
	const struct unwind_saved *ra = NULL;
	enum walk_end end = find_cfa(walk);
	uint64_t value;

	if (end != WALK_ON)
		return end;
	if (!is_signal && walk->cfa < walk->registers.r[UNWIND_RSP] + !is_exact)
		return WALK_BAD_STACK;
	next.r[UNWIND_RSP] = walk->cfa;
	for (uint32_t i = 0; i < rule->saved_count; i++) {
		const struct unwind_saved *saved = &rule->saved[i];

		if (saved->reg == UNWIND_RETURN_ADDRESS) {
			ra = saved;
			continue;
		}
		next.known &= ~(1u << saved->reg);
		if (restore(walk, saved, &value)) {
			next.r[saved->reg] = value;
			next.known |= 1u << saved->reg;
		}
	}
	if (ra ? !restore(walk, ra, &next.ip)
	       : !walk_source_read(walk->source, walk->cfa - 8, &next.ip))
		return no_return_address(walk, ra);
	if (!(next.known >> UNWIND_RSP & 1))
		return WALK_BAD_RULE;
	if (!is_signal && next.r[UNWIND_RSP] < walk->registers.r[UNWIND_RSP] + !is_exact)
		return WALK_BAD_STACK;
	walk->registers = next;
	return WALK_ON;
}

/* --- the walk -----------------------------------------------------------------------------------
 */

static enum walk_end step_by_guess(struct walk *walk)
{
	enum walk_end end = guess_caller(walk->source, &walk->registers, walk->is_mapped,
		&walk->flags, &walk->next_flags, &walk->needed_address);

	if (end == WALK_ON && !(walk->flags & WALK_SIGNAL))
		walk->cfa = walk->registers.r[UNWIND_RSP];
	return end;
}

/* A rule that was derived from the code is good where it leads to code. */
static enum walk_end step_derived(struct walk *walk)
{
	const struct walk_registers before = walk->registers;
	enum walk_end end = step_any(walk);

	walk->next_flags |= WALK_PROLOGUE;
	if (end == WALK_TRUNCATED ||
		(end == WALK_ON &&
			walk->source->find_module(walk->source->context, walk->registers.ip - 1)))
		return end;
	walk->registers = before;
	walk->cfa = 0;
	return step_by_guess(walk);
}

/* Moves to the caller, or says how the walk ends. */
static enum walk_end step(struct walk *walk)
{
	const struct unwind_rule *rule = walk->rule;
	enum walk_end end;

	walk->next_flags = WALK_RETURN;
	if (rule->flags & UNWIND_RULE_SIGNAL) {
		walk->flags = (uint8_t)((walk->flags & ~WALK_RETURN) | WALK_SIGNAL);
		walk->next_flags = 0;
	}
	if (rule->flags & UNWIND_RULE_OUTERMOST)
		return WALK_ROOTED;
	if (rule->flags & UNWIND_RULE_PLAIN)
		end = step_plain(walk);
	else if (rule->flags & UNWIND_RULE_DERIVED)
		end = step_derived(walk);
	else if (rule->cfa != UNWIND_CFA_NONE)
		end = step_any(walk);
	else
		end = step_by_guess(walk);
	if (walk->flags & WALK_SIGNAL)
		walk->is_other_stack = true;
	if (end == WALK_ON && walk->registers.ip == 0)
		return WALK_ROOTED;
	return end;
}

static void record(const struct walk *walk, struct walk_result *result)
{
	size_t frame = result->depth - 1;

	result->any_flags |= walk->flags;
	if (result->flags)
		result->flags[frame] = walk->flags;
	if (result->cfas)
		result->cfas[frame] = walk->cfa;
}

/* Walks on from a frame that has been written; each round ends with the next one written. */
static enum walk_end walk_on(
	struct walk *walk, uint64_t *ips, size_t max, struct walk_result *result)
{
	for (;;) {
		enum walk_end end;

		walk->cfa = 0;
		end = step(walk);
		record(walk, result);
		if (end != WALK_ON)
			return end;
		if (result->depth == max)
			return WALK_DEEP;
		walk->flags = walk->next_flags;
		walk->is_mapped = find_rule(walk);
		if (!walk->is_mapped)
			return WALK_BAD_RETURN;
		ips[result->depth++] = walk->registers.ip;
	}
}

size_t unwinder_walk(const struct walk_source *source, struct walk_cache *cache,
	const struct walk_registers *start, uint64_t *ips, size_t max, struct walk_result *result)
{
	static const struct unwind_rule none = {.cfa = UNWIND_CFA_NONE};
	struct walk walk; /* what is not set here is set before it is read */

	result->depth = 0;
	result->any_flags = 0;
	result->needed_address = 0;
	result->end = WALK_DEEP;
	if (max == 0)
		return 0;
	walk.source = source;
	walk.cache = cache;
	walk.registers = *start;
	walk.registers.known |= 1u << UNWIND_RSP;
	walk.needed_address = 0;
	walk.flags = 0;
	walk.is_other_stack = false;
	walk.is_mapped = find_rule(&walk);
	if (!walk.is_mapped)
		walk.rule = &none;
	ips[result->depth++] = start->ip;
	result->end = walk_on(&walk, ips, max, result);
	if (result->end == WALK_TRUNCATED)
		result->needed_address = walk.needed_address;
	return result->depth;
}
