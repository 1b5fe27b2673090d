#include "unwind/guess.h"

#include "unwind/prologue.h"

/* Where the end of the stack is not known, how far above the copy an address may be meant. */
#define STACK_MAX (UINT64_C(256) << 20)

/* A function that calls itself `call` bytes away is taken as the one that was interrupted. */
#define FUNCTION_MAX 4096

/* Functions begin at multiples of this, and the filling before them is covered by no row. */
#define ALIGNMENT	     16
#define COVERED_FUNCTION_MAX (64u << 10)

#define CALLEE_SAVED (1u << UNWIND_RBX | 1u << UNWIND_RBP | 1u << UNWIND_RSP | 0xfu << UNWIND_R12)

enum call_check { CALL_NO, CALL_UNKNOWN, CALL_YES };

struct code {
	uint8_t at[8];
	bool is_known;
};

static struct code read_code(const struct walk_source *source, uint64_t address)
{
	struct code code = {.is_known = false};
	uint64_t word;

	if (source->read_word && source->read_word(source->context, address, &word)) {
		memcpy(code.at, &word, sizeof(word));
		code.is_known = true;
	}
	return code;
}

/* Length of an indirect call (ff /2) by its ModRM byte. */
static size_t indirect_call_length(uint8_t modrm)
{
	uint8_t mode = modrm >> 6, base = modrm & 7;
	size_t length = 2;

	if ((modrm >> 3 & 7) != 2)
		return 0;
	if (mode == 3)
		return length;
	if (base == 4)
		length++;
	if (mode == 1)
		length++;
	else if (mode == 2 || (mode == 0 && base == 5))
		length += 4;
	return length;
}

/* Is there a call instruction just before this address? */
static enum call_check follows_call(const struct walk_source *source, uint64_t address)
{
	const struct code code = read_code(source, address - 8);

	if (!code.is_known)
		return CALL_UNKNOWN;
	if (code.at[3] == 0xe8)
		return CALL_YES;
	for (size_t length = 2; length <= 7; length++)
		if (code.at[8 - length] == 0xff &&
			indirect_call_length(code.at[9 - length]) == length)
			return CALL_YES;
	return CALL_NO;
}

/* The target of the direct call just before this address. */
static bool called_by(const struct walk_source *source, uint64_t address, uint64_t *target)
{
	const struct code code = read_code(source, address - 8);
	int32_t distance;

	if (!code.is_known || code.at[3] != 0xe8)
		return false;
	memcpy(&distance, code.at + 4, sizeof(distance));
	*target = address + (uint64_t)(int64_t)distance;
	return true;
}

/* A direct call whose target lies shortly before ip. */
static bool follows_call_near(const struct walk_source *source, uint64_t address, uint64_t ip)
{
	uint64_t target;

	return called_by(source, address, &target) && ip - target < FUNCTION_MAX;
}

bool guess_is_call_of(const struct walk_source *source, uint64_t return_address, uint64_t ip)
{
	const struct walk_module *module = source->find_module(source->context, ip);
	uint64_t target, border;

	if (!module || !module->rows || !called_by(source, return_address, &target) ||
		ip - target >= COVERED_FUNCTION_MAX)
		return false;
	for (border = (target | (ALIGNMENT - 1)) + 1; border <= ip; border += ALIGNMENT)
		if (unwind_rows_find(module->rows, border - 1 - module->bias)->cfa ==
			UNWIND_CFA_NONE)
			return false;
	return true;
}

/* A jump through memory, as in a PLT: endbr64; bnd jmp *x(rip). Or what such an entry does first.
 */
static bool is_stub(const struct walk_source *source, uint64_t address)
{
	struct code code = read_code(source, address);
	size_t at = 0;

	if (code.is_known && memcmp(code.at, "\xf3\x0f\x1e\xfa", 4) == 0)
		code = read_code(source, address + 4);
	if (!code.is_known)
		return true;
	at += code.at[0] == 0xf2;
	return code.at[at] == 0x68 || (code.at[at] == 0xff && code.at[at + 1] == 0x25);
}

bool guess_is_call_of_another(
	const struct walk_source *source, uint64_t return_address, uint64_t ip)
{
	uint64_t target;

	return called_by(source, return_address, &target) && !is_stub(source, target) &&
	       !guess_is_call_of(source, return_address, ip);
}

static bool is_executable(const struct walk_source *source, uint64_t return_address)
{
	return source->find_module(source->context, return_address - 1) != NULL;
}

static bool is_return_address(const struct walk_source *source, uint64_t address)
{
	return is_executable(source, address) && follows_call(source, address) != CALL_NO;
}

/* The caller when the return address lies `words` words above rsp, below them a pushed rbp. */
static bool take_from_stack(
	const struct walk_source *source, struct walk_registers *registers, uint64_t words)
{
	uint64_t rsp = registers->r[UNWIND_RSP], ra, rbp = registers->r[UNWIND_RBP];

	if (!walk_source_read(source, rsp + 8 * words, &ra) || !is_return_address(source, ra))
		return false;
	if (words && !walk_source_read(source, rsp, &rbp))
		return false;
	registers->r[UNWIND_RBP] = rbp;
	registers->known |= words ? 1u << UNWIND_RBP : 0;
	registers->known &= CALLEE_SAVED;
	registers->r[UNWIND_RSP] = rsp + 8 * words + 8;
	registers->ip = ra;
	return true;
}

struct pattern {
	uint8_t before; /* bytes of it that lie before ip */
	uint8_t length;
	uint8_t bytes[6];
	uint8_t words; /* on the stack below the return address */
};

/* Instructions at which the return address is in a known place. */
static const struct pattern patterns[] = {
	{0, 1, {0x55}, 0},			   /* push rbp */
	{0, 5, {0xf3, 0x0f, 0x1e, 0xfa, 0x55}, 0}, /* endbr64; push rbp */
	{1, 4, {0x55, 0x48, 0x89, 0xe5}, 1},	   /* push rbp; HERE mov rbp, rsp */
	{1, 4, {0x55, 0x48, 0x8b, 0xec}, 1},	   /* the same, encoded the other way round */
	{0, 2, {0x5d, 0xc3}, 1},		   /* pop rbp; ret */
	{0, 1, {0xc3}, 0},			   /* ret */
	{0, 2, {0xf3, 0xc3}, 0},		   /* rep ret */
};

static bool pattern_matches(
	const struct pattern *pattern, const struct walk_source *source, uint64_t ip)
{
	const struct code code = read_code(source, ip - pattern->before);

	return code.is_known && memcmp(code.at, pattern->bytes, pattern->length) == 0;
}

static bool take_by_prologue(const struct walk_source *source, struct walk_registers *registers)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (pattern_matches(&patterns[i], source, registers->ip) &&
			take_from_stack(source, registers, patterns[i].words))
			return true;
	return false;
}

/*
 * A function that has pushed nothing: the word at rsp is its return address. Certain when that
 * follows a direct call to where we are.
 */
static bool take_by_near_call(const struct walk_source *source, struct walk_registers *registers)
{
	uint64_t ra;

	return walk_source_read(source, registers->r[UNWIND_RSP], &ra) &&
	       follows_call_near(source, ra, registers->ip) &&
	       take_from_stack(source, registers, 0);
}

/* How far up the stack the return address of a function that keeps no frame pointer is looked for.
 */
#define FRAME_WORDS_MAX 64

/*
 * A word that follows a direct call, and lies where the prologue of the called function has left
 * its return address.
 */
static bool is_own_return_address(const struct walk_source *source, uint64_t ip, uint64_t words,
	uint64_t ra, struct prologue *prologue)
{
	uint64_t target;

	return is_executable(source, ra) && called_by(source, ra, &target) &&
	       ip - target < FUNCTION_MAX && prologue_decode(source, target, ip, prologue) &&
	       !prologue->has_frame_pointer && prologue->words == words;
}

static void give_back(const struct walk_source *source, struct walk_registers *registers,
	const struct prologue *prologue, uint64_t place)
{
	registers->known &= CALLEE_SAVED;
	for (size_t i = 0; i < prologue->saved_count; i++) {
		uint8_t saved = prologue->saved_register[i];

		if (!(CALLEE_SAVED >> saved & 1) || saved == UNWIND_RSP)
			continue;
		if (walk_source_read(source, place - 8 * (i + 1), &registers->r[saved]))
			registers->known |= 1u << saved;
		else
			registers->known &= ~(1u << saved);
	}
}

/* A function that was called directly and has pushed registers, without a frame pointer. */
static bool take_by_pushes(const struct walk_source *source, struct walk_registers *registers)
{
	uint64_t rsp = registers->r[UNWIND_RSP], ra;
	const struct walk_module *module = source->find_module(source->context, registers->ip);
	struct prologue prologue;

	if (!module || !module->rows) /* code made at run time keeps frame pointers */
		return false;
	for (uint64_t words = 1; words <= FRAME_WORDS_MAX; words++) {
		if (!walk_source_read(source, rsp + 8 * words, &ra))
			return false;
		if (!is_own_return_address(source, registers->ip, words, ra, &prologue))
			continue;
		give_back(source, registers, &prologue, rsp + 8 * words);
		registers->r[UNWIND_RSP] = rsp + 8 * words + 8;
		registers->ip = ra;
		return true;
	}
	return false;
}

/* Code that only gives its room and registers back, and returns. */
static bool take_by_epilogue(const struct walk_source *source, struct walk_registers *registers)
{
	struct prologue epilogue;
	uint64_t place, ra;

	if (!epilogue_decode(source, registers->ip, &epilogue))
		return false;
	place = registers->r[UNWIND_RSP] + 8 * epilogue.words;
	if (!walk_source_read(source, place, &ra) || !is_return_address(source, ra))
		return false;
	give_back(source, registers, &epilogue, place);
	registers->r[UNWIND_RSP] = place + 8;
	registers->ip = ra;
	return true;
}

/* The same where nothing better holds: it must at least follow some call. */
static bool take_by_any_call(const struct walk_source *source, struct walk_registers *registers)
{
	uint64_t ra;

	return walk_source_read(source, registers->r[UNWIND_RSP], &ra) &&
	       follows_call(source, ra) == CALL_YES && take_from_stack(source, registers, 0);
}

/*
 * The kernel's struct ucontext lies at rsp when the handler has returned to its trampoline: in
 * front of the registers are flags, link and the alternate stack, 40 bytes (<asm/ucontext.h>,
 * struct sigcontext).
 */
static bool take_by_trampoline(const struct walk_source *source, struct walk_registers *registers)
{
	static const uint8_t sigreturn[] = {
		0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f}; /* mov rax, 15; sys */
	static const uint8_t order[16] = {8, 9, 10, 11, 12, 13, 14, 15, UNWIND_RDI, UNWIND_RSI,
		UNWIND_RBP, UNWIND_RBX, UNWIND_RDX, UNWIND_RAX, UNWIND_RCX, UNWIND_RSP};
	const struct code code = read_code(source, registers->ip);
	uint64_t place = registers->r[UNWIND_RSP] + 40;
	struct walk_registers interrupted = {.known = WALK_ALL_KNOWN};

	if (!code.is_known || memcmp(code.at, sigreturn, sizeof(sigreturn)) != 0)
		return false;
	for (size_t i = 0; i < 16; i++)
		if (!walk_source_read(source, place + 8 * i, &interrupted.r[order[i]]))
			return false;
	if (!walk_source_read(source, place + 8 * 16, &interrupted.ip))
		return false;
	*registers = interrupted;
	return true;
}

/* glibc's makecontext() lets a coroutine's function return to this: mov rbx, rsp; mov (rsp), rdi.
 */
static bool is_coroutine_start(const struct walk_source *source, uint64_t ip)
{
	static const uint8_t start_context[] = {0x48, 0x89, 0xdc, 0x48, 0x8b, 0x3c, 0x24};
	const struct code code = read_code(source, ip);

	return code.is_known && memcmp(code.at, start_context, sizeof(start_context)) == 0;
}

enum walk_end guess_unreadable(
	const struct walk_source *source, uint64_t address, bool is_other_stack)
{
	uint64_t above = source->stack_address + source->stack_bytes;
	uint64_t limit = source->stack_limit ? source->stack_limit : above + STACK_MAX;

	if (is_other_stack || (address + 8 > above && address < limit))
		return WALK_TRUNCATED;
	return WALK_BAD_STACK;
}

/* [rbp] is the caller's rbp, above it the return address. */
static enum walk_end take_by_frame_pointer(const struct walk_source *source,
	struct walk_registers *registers, bool is_return, uint64_t *needed_address)
{
	uint64_t rbp = registers->r[UNWIND_RBP], ra, next;

	if (!(registers->known >> UNWIND_RBP & 1))
		return WALK_NO_RULE;
	if (rbp == 0)
		return is_return ? WALK_ZERO_FRAME : WALK_NO_RULE;
	if (rbp < registers->r[UNWIND_RSP] || rbp % 8 ||
		(source->stack_limit && rbp + 16 > source->stack_limit))
		return WALK_NO_RULE;
	if (!walk_source_read(source, rbp + 8, &ra) || !walk_source_read(source, rbp, &next)) {
		*needed_address = rbp + 8;
		return guess_unreadable(source, rbp + 8, false) == WALK_TRUNCATED ? WALK_TRUNCATED
										  : WALK_NO_RULE;
	}
	if (ra == 0 && next == 0)
		return WALK_ROOTED;
	if (!is_return_address(source, ra))
		return WALK_NO_RULE;
	registers->r[UNWIND_RBP] = next;
	registers->r[UNWIND_RSP] = rbp + 16;
	registers->ip = ra;
	registers->known = 1u << UNWIND_RBP | 1u << UNWIND_RSP;
	return WALK_ON;
}

static bool take_by_scan(const struct walk_source *source, struct walk_registers *registers)
{
	uint64_t place = registers->r[UNWIND_RSP], ra;

	for (uint32_t i = 0; i < source->scan_words; i++, place += 8) {
		if (!walk_source_read(source, place, &ra))
			return false;
		if (!is_executable(source, ra) || follows_call(source, ra) != CALL_YES)
			continue;
		registers->r[UNWIND_RSP] = place + 8;
		registers->ip = ra;
		registers->known = 1u << UNWIND_RSP;
		return true;
	}
	return false;
}

enum walk_end guess_caller(const struct walk_source *source, struct walk_registers *registers,
	bool is_mapped, uint8_t *own_flags, uint8_t *flags, uint64_t *needed_address)
{
	bool is_return = *own_flags & WALK_RETURN;
	enum walk_end end;

	if (is_mapped && take_by_trampoline(source, registers)) {
		*own_flags = (uint8_t)((*own_flags & ~WALK_RETURN) | WALK_SIGNAL);
		*flags = WALK_PROLOGUE;
		return WALK_ON;
	}
	if (is_mapped && is_return && is_coroutine_start(source, registers->ip)) {
		*own_flags &= ~WALK_RETURN; /* nothing was called there */
		return WALK_ROOTED;
	}
	*flags = WALK_RETURN | WALK_PROLOGUE;
	if (!is_mapped)
		return take_by_any_call(source, registers) ? WALK_ON : WALK_NO_RULE;
	if (!is_return &&
		(take_by_prologue(source, registers) || take_by_near_call(source, registers)))
		return WALK_ON;
	if (take_by_epilogue(source, registers) || take_by_pushes(source, registers))
		return WALK_ON;
	end = take_by_frame_pointer(source, registers, is_return, needed_address);
	if (end == WALK_ON)
		*flags = WALK_RETURN | WALK_FRAME_POINTER;
	if (end != WALK_NO_RULE)
		return end;
	if (!is_return && take_by_any_call(source, registers))
		return WALK_ON;
	*flags = WALK_RETURN | WALK_SCANNED;
	return take_by_scan(source, registers) ? WALK_ON : WALK_NO_RULE;
}
