#include "unwind/prologue.h"

#define CODE_BYTES 64
#define SAVED_MAX  8

struct code {
	uint8_t bytes[CODE_BYTES];
	size_t count, at;
};

static void read_code(const struct walk_source *source, uint64_t start, struct code *code)
{
	uint64_t word;

	*code = (struct code){.count = 0};
	while (code->count < CODE_BYTES &&
		source->read_word(source->context, start + code->count, &word)) {
		memcpy(code->bytes + code->count, &word, sizeof(word));
		code->count += sizeof(word);
	}
}

/* Steps over these bytes if they come next. */
static bool take(struct code *code, const char *bytes, size_t length)
{
	if (code->count - code->at < length || memcmp(code->bytes + code->at, bytes, length) != 0)
		return false;
	code->at += length;
	return true;
}

/* push or pop (opcode 50 or 58) of a 64-bit register: opcode + r, or 41 opcode + r for r8 to r15.
 */
static bool take_register(struct code *code, uint8_t opcode, uint8_t *reg)
{
	static const uint8_t order[8] = {UNWIND_RAX, UNWIND_RCX, UNWIND_RDX, UNWIND_RBX, UNWIND_RSP,
		UNWIND_RBP, UNWIND_RSI, UNWIND_RDI};
	const uint8_t *next = code->bytes + code->at;
	size_t left = code->count - code->at, extended = left > 0 && next[0] == 0x41;

	if (left < 1 + extended || (next[extended] & 0xf8) != opcode)
		return false;
	*reg = extended ? UNWIND_R8 + (next[1] & 7) : order[next[0] & 7];
	code->at += 1 + extended;
	return true;
}

static bool take_push(struct code *code, struct prologue *prologue)
{
	uint8_t reg;

	if (!take_register(code, 0x50, &reg))
		return false;
	if (prologue->words == prologue->saved_count && prologue->saved_count < SAVED_MAX)
		prologue->saved_register[prologue->saved_count++] = reg;
	prologue->words++;
	return true;
}

/* sub (/5) or add (/0) of one or four bytes to rsp. */
static bool take_room(struct code *code, uint8_t modrm, struct prologue *prologue)
{
	const uint8_t short_form[3] = {0x48, 0x83, modrm}, long_form[3] = {0x48, 0x81, modrm};
	const uint8_t *next = code->bytes + code->at;
	size_t left = code->count - code->at;
	uint32_t size;

	if (left >= 4 && memcmp(next, short_form, 3) == 0 && next[3] < 0x80) {
		prologue->words += next[3] / 8;
		code->at += 4;
		return true;
	}
	if (left < 7 || memcmp(next, long_form, 3) != 0)
		return false;
	memcpy(&size, next + 3, sizeof(size));
	prologue->words += size / 8;
	code->at += 7;
	return true;
}

bool prologue_decode(
	const struct walk_source *source, uint64_t start, uint64_t ip, struct prologue *prologue)
{
	struct code code;

	*prologue = (struct prologue){.words = 0};
	if (!source->read_word)
		return false;
	read_code(source, start, &code);
	take(&code, "\xf3\x0f\x1e\xfa", 4); /* endbr64 */
	while (start + code.at < ip) {
		if (prologue->saved_count == 1 && prologue->saved_register[0] == UNWIND_RBP &&
			(take(&code, "\x48\x89\xe5", 3) || take(&code, "\x48\x8b\xec", 3)))
			prologue->has_frame_pointer = true;
		else if (!take_push(&code, prologue) && !take_room(&code, 0xec, prologue))
			break;
	}
	return code.count > 0;
}

static void put_first(struct prologue *epilogue, uint8_t reg)
{
	size_t kept = epilogue->saved_count < SAVED_MAX ? epilogue->saved_count++ : SAVED_MAX - 1;

	memmove(epilogue->saved_register + 1, epilogue->saved_register, kept);
	epilogue->saved_register[0] = reg;
	epilogue->words++;
}

bool epilogue_decode(const struct walk_source *source, uint64_t ip, struct prologue *epilogue)
{
	struct code code;
	uint8_t reg;

	*epilogue = (struct prologue){.words = 0};
	if (!source->read_word)
		return false;
	read_code(source, ip, &code);
	take_room(&code, 0xc4, epilogue);
	while (take_register(&code, 0x58, &reg))
		put_first(epilogue, reg);
	return take(&code, "\xc3", 1) || take(&code, "\xf3\xc3", 2);
}
