/* The walk over fake stacks: arrays of words, rows from hand-made CFI, code bytes where guesses
 * read. */
#include "fake_module.h"
#include "unwind/expression.h"
#include "unwind/walk.h"

#include <check.h>
#include <stdlib.h>

#define BIAS  UINT64_C(0x555555550000)
#define IP(x) (BIAS + (x)) /* run-time address of the fake module's file_addr */
#define STACK UINT64_C(0x7ffc00001000)
#define OTHER UINT64_C(0x7f0000000000) /* memory that only read_word has: an alternate stack */
#define JIT   UINT64_C(0x7e0000000000) /* executable, without file */

/* Where the functions of the module lie, and what they do. */
enum {
	LEAF = 0x1000,	 /* cfa rsp+8 throughout */
	FRAMED = 0x1100, /* cfa rbp+16, rbp saved, from its fifth byte */
	SAVER = 0x1200,	 /* cfa rsp+32, rbx and r12 saved */
	OUTERMOST = 0x1300,
	SIGNAL = 0x1401, /* FDE from 0x1400; like glibc's trampoline: ucontext at rsp */
	PLT = 0x1500,
	REALIGNED = 0x1600, /* cfa [rbp-8] */
	VFORK = 0x1700,	    /* return address in rdi, cfa rsp+0 */
	BY_RBX = 0x1800,    /* cfa rbx+16 */
	BY_R10 = 0x1900,    /* cfa r10+0 */
	NORETURN = 0x1a00,  /* cfa rsp+16, 0x10 bytes; then at once: */
	AFTER = 0x1a10,	    /* cfa rsp+48 */
	SHRINKING = 0x1b00, /* cfa rsp-8 */
	NO_CFI = 0x2000,
};

struct fake {
	struct unwind_rows *rows;
	struct walk_module modules[2];
	uint64_t stack[64], other[64];
	uint8_t jit[256];
	struct walk_source source;
	struct walk_registers registers;
	uint64_t ips[64], cfas[64];
	uint8_t flags[64];
	struct walk_result result;
	int lookups;
};

static struct fake fake;

static const struct walk_module *find_module(void *context, uint64_t ip)
{
	struct fake *world = context;

	world->lookups++;
	for (size_t i = 0; i < 2; i++)
		if (ip >= world->modules[i].low && ip < world->modules[i].high)
			return &world->modules[i];
	return NULL;
}

static bool read_from(
	uint64_t address, uint64_t *value, uint64_t start, const void *bytes, size_t size)
{
	if (address < start || address - start > size - 8)
		return false;
	memcpy(value, (const uint8_t *)bytes + (address - start), 8);
	return true;
}

static bool read_word(void *context, uint64_t address, uint64_t *value)
{
	const struct fake *world = context;

	return read_from(address, value, OTHER, world->other, sizeof(world->other)) ||
	       read_from(address, value, JIT, world->jit, sizeof(world->jit));
}

static struct unwind_rows *make_rows(void)
{
	struct fake_module module = {.entry = 0};
	struct fake_section *eh = &module.eh;
	uint32_t cie = fake_cie(eh, "zR", 0x1b, FAKE_USUAL), signal;

	fake_fde(eh, cie, LEAF, 0x40, FAKE(0));
	fake_fde(eh, cie, FRAMED, 0x40, FAKE(0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6));
	fake_fde(eh, cie, SAVER, 0x40, FAKE(0x0e, 32, 0x83, 3, 0x8c, 2));
	fake_fde(eh, cie, OUTERMOST, 0x40, FAKE(0x07, 16));
	fake_fde(eh, cie, PLT, 0x40,
		FAKE(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22));
	fake_fde(eh, cie, REALIGNED, 0x40, FAKE(0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0));
	fake_fde(eh, cie, VFORK, 0x40, FAKE(0x0e, 0, 0x09, 16, 5));
	fake_fde(eh, cie, BY_RBX, 0x40, FAKE(0x0c, 3, 16));
	fake_fde(eh, cie, BY_R10, 0x40, FAKE(0x0c, 10, 0));
	fake_fde(eh, cie, NORETURN, 0x10, FAKE(0x0e, 16));
	fake_fde(eh, cie, AFTER, 0x10, FAKE(0x0e, 48));
	fake_fde(eh, cie, SHRINKING, 0x10, FAKE(0x13, 1));
	/* rsp at [rsp+160], ip at [rsp+168], rbx at [rsp+128], rax at [rsp+144] as in a ucontext */
	signal = fake_cie(eh, "zRS", 0x1b, FAKE(0));
	fake_fde(eh, signal, SIGNAL - 1, 0x10,
		FAKE(0x0f, 4, 0x77, 0xa0, 1, 0x06, 0x10, 7, 3, 0x77, 0xa0, 1, 0x10, 16, 3, 0x77,
			0xa8, 1, 0x10, 3, 3, 0x77, 0x80, 1, 0x10, 0, 3, 0x77, 0x90, 1));
	return fake_rows(&module);
}

static void setup(void)
{
	fake = (struct fake){.rows = make_rows()};
	fake.modules[0] = (struct walk_module){IP(FAKE_TEXT), IP(FAKE_TEXT_END), BIAS, fake.rows};
	fake.modules[1] = (struct walk_module){JIT, JIT + 0x1000, 0, NULL};
	fake.source = (struct walk_source){
		.find_module = find_module,
		.read_word = read_word,
		.context = &fake,
		.stack = (const uint8_t *)fake.stack,
		.stack_address = STACK,
		.stack_bytes = sizeof(fake.stack),
		.stack_limit = STACK + 4096,
	};
	fake.registers = (struct walk_registers){.known = WALK_ALL_KNOWN};
	fake.registers.r[UNWIND_RSP] = STACK;
	fake.result = (struct walk_result){.flags = fake.flags, .cfas = fake.cfas};
}

static void teardown(void)
{
	unwind_rows_free(fake.rows);
}

static enum walk_end walk_from(uint64_t ip)
{
	fake.registers.ip = ip;
	unwinder_walk(&fake.source, NULL, &fake.registers, fake.ips, 64, &fake.result);
	return fake.result.end;
}

static void assert_walk(enum walk_end end, size_t depth, const uint64_t *ips)
{
	ck_assert_str_eq(walk_end_texts[fake.result.end].name, walk_end_texts[end].name);
	ck_assert_uint_eq(fake.result.depth, depth);
	for (size_t i = 0; i < depth; i++)
		ck_assert_uint_eq(fake.ips[i], ips[i]);
}

#define assert_frames(end, ...) \
	assert_walk(end, sizeof((uint64_t[]){__VA_ARGS__}) / 8, (uint64_t[]){__VA_ARGS__})

/* --- by rows
 * -------------------------------------------------------------------------------------- */

START_TEST(test_frames_by_rows)
{
	fake.stack[0] = IP(SAVER + 9); /* leaf's return address; saver: 3 words, then its own */
	fake.stack[1] = 0xb0b;	       /* rbx at cfa-24 */
	fake.stack[2] = 0xc0c;	       /* r12 at cfa-16 */
	fake.stack[4] = IP(FRAMED + 9);
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 10;
	fake.stack[10] = 0xd0d; /* the caller's rbp */
	fake.stack[11] = IP(OUTERMOST + 5);
	fake.stack[3] = 1;
	/* leaf's cfa is +8, saver's +8+32, framed's rbp+16 */
	fake.stack[4] = IP(FRAMED + 9);
	walk_from(IP(LEAF + 3));
	assert_frames(WALK_ROOTED, IP(LEAF + 3), IP(SAVER + 9), IP(FRAMED + 9), IP(OUTERMOST + 5));
	ck_assert_uint_eq(fake.cfas[0], STACK + 8);
	ck_assert_uint_eq(fake.cfas[1], STACK + 40);
	ck_assert_uint_eq(fake.cfas[2], STACK + 96);
	ck_assert_uint_eq(fake.cfas[3], 0);
	ck_assert_int_eq(fake.flags[0], 0);
	ck_assert_int_eq(fake.flags[1], WALK_RETURN);
	ck_assert_int_eq(fake.flags[3], WALK_RETURN);
	ck_assert_int_eq(fake.result.any_flags, WALK_RETURN);
}
END_TEST

START_TEST(test_saved_registers_are_restored)
{
	/* saver restores rbx, by which the frame above finds its CFA */
	fake.stack[1] = STACK + 8 * 20;
	fake.stack[3] = IP(BY_RBX + 4);
	fake.stack[21] = IP(OUTERMOST + 5);
	walk_from(IP(SAVER + 3));
	assert_frames(WALK_ROOTED, IP(SAVER + 3), IP(BY_RBX + 4), IP(OUTERMOST + 5));
}
END_TEST

START_TEST(test_prologue_rows)
{
	/* framed before, between and after its push and mov */
	fake.registers.r[UNWIND_RBP] = 1;
	fake.stack[0] = IP(OUTERMOST + 5);
	walk_from(IP(FRAMED));
	assert_frames(WALK_ROOTED, IP(FRAMED), IP(OUTERMOST + 5));
	fake.stack[1] = IP(OUTERMOST + 6);
	walk_from(IP(FRAMED + 1));
	assert_frames(WALK_ROOTED, IP(FRAMED + 1), IP(OUTERMOST + 6));
	fake.registers.r[UNWIND_RBP] = STACK + 16;
	fake.stack[3] = IP(OUTERMOST + 7);
	walk_from(IP(FRAMED + 4));
	assert_frames(WALK_ROOTED, IP(FRAMED + 4), IP(OUTERMOST + 7));
}
END_TEST

START_TEST(test_return_address_at_the_end_of_a_function)
{
	/* noreturn's last instruction is a call: its return address is the start of the next one */
	fake.stack[0] = IP(AFTER);
	fake.stack[2] = IP(OUTERMOST + 5);
	walk_from(IP(LEAF));
	assert_frames(WALK_ROOTED, IP(LEAF), IP(AFTER), IP(OUTERMOST + 5));
	ck_assert_uint_eq(walk_lookup_ip(fake.ips[1], fake.flags[1]), IP(AFTER) - 1);
	/* interrupted at the same address it is itself */
	fake.stack[5] = IP(OUTERMOST + 6);
	walk_from(IP(AFTER));
	assert_frames(WALK_ROOTED, IP(AFTER), IP(OUTERMOST + 6));
}
END_TEST

START_TEST(test_plt)
{
	fake.stack[0] = IP(OUTERMOST + 5);
	fake.stack[1] = IP(OUTERMOST + 6);
	walk_from(IP(PLT + 16 + 10));
	assert_frames(WALK_ROOTED, IP(PLT + 16 + 10), IP(OUTERMOST + 5));
	walk_from(IP(PLT + 16 + 11));
	assert_frames(WALK_ROOTED, IP(PLT + 16 + 11), IP(OUTERMOST + 6));
}
END_TEST

START_TEST(test_realigned_stack)
{
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 8;
	fake.stack[7] = STACK + 8 * 12; /* the CFA */
	fake.stack[8] = STACK + 8 * 20; /* the caller's rbp */
	fake.stack[11] = IP(FRAMED + 9);
	fake.stack[21] = IP(OUTERMOST + 5);
	walk_from(IP(REALIGNED + 9));
	assert_frames(WALK_ROOTED, IP(REALIGNED + 9), IP(FRAMED + 9), IP(OUTERMOST + 5));
	ck_assert_uint_eq(fake.cfas[0], STACK + 8 * 12);
}
END_TEST

START_TEST(test_return_address_in_register)
{
	fake.registers.r[UNWIND_RDI] = IP(LEAF + 3);
	fake.stack[0] = IP(OUTERMOST + 5);
	walk_from(IP(VFORK + 2));
	assert_frames(WALK_ROOTED, IP(VFORK + 2), IP(LEAF + 3), IP(OUTERMOST + 5));
}
END_TEST

START_TEST(test_zero_return_address)
{
	fake.stack[0] = IP(LEAF + 5);
	fake.stack[1] = 0;
	walk_from(IP(LEAF));
	assert_frames(WALK_ROOTED, IP(LEAF), IP(LEAF + 5));
}
END_TEST

/* A handler on the alternate stack; the code that it interrupted, at its first byte, on the main
 * one. */
static void make_signal_stack(void)
{
	fake.source.stack = (const uint8_t *)fake.other;
	fake.source.stack_address = OTHER;
	fake.source.stack_limit = OTHER + sizeof(fake.other);
	fake.registers.r[UNWIND_RSP] = OTHER;
	fake.other[0] = IP(SIGNAL);	     /* the handler returns to the trampoline */
	fake.other[1 + 16] = STACK + 8 * 30; /* rbx */
	fake.other[1 + 20] = STACK + 8 * 2;  /* rsp */
	fake.other[1 + 21] = IP(FRAMED);     /* ip: its first byte */
	fake.stack[2] = IP(BY_RBX + 4);
	fake.stack[31] = IP(OUTERMOST + 5);
}

static bool read_main_stack(void *context, uint64_t address, uint64_t *value)
{
	const struct fake *world = context;

	return read_from(address, value, STACK, world->stack, sizeof(world->stack));
}

START_TEST(test_signal_on_alternate_stack)
{
	make_signal_stack();
	fake.source.read_word = read_main_stack;
	walk_from(IP(LEAF + 2));
	assert_frames(WALK_ROOTED, IP(LEAF + 2), IP(SIGNAL), IP(FRAMED), IP(BY_RBX + 4),
		IP(OUTERMOST + 5));
	ck_assert_int_eq(fake.flags[1], WALK_SIGNAL);
	ck_assert_int_eq(fake.flags[2], 0);
	ck_assert_int_eq(fake.flags[3], WALK_RETURN);
	ck_assert_int_eq(fake.result.any_flags, WALK_RETURN | WALK_SIGNAL);
}
END_TEST

START_TEST(test_signal_without_the_other_stack)
{
	make_signal_stack();
	fake.source.read_word = NULL;
	walk_from(IP(LEAF + 2));
	assert_frames(WALK_TRUNCATED, IP(LEAF + 2), IP(SIGNAL), IP(FRAMED));
	ck_assert_uint_eq(fake.result.needed_address, STACK + 16);
}
END_TEST

START_TEST(test_cache_gives_the_same)
{
	struct walk_cache_entry entries[4];
	struct walk_cache cache;
	int lookups;

	walk_cache_init(&cache, entries, 4);
	fake.stack[0] = IP(SAVER + 9);
	fake.stack[4] = IP(LEAF + 5);
	fake.stack[5] = IP(OUTERMOST + 5);
	fake.registers.ip = IP(LEAF + 3);
	for (int round = 0; round < 3; round++) {
		unwinder_walk(&fake.source, &cache, &fake.registers, fake.ips, 64, &fake.result);
		assert_frames(
			WALK_ROOTED, IP(LEAF + 3), IP(SAVER + 9), IP(LEAF + 5), IP(OUTERMOST + 5));
	}
	walk_cache_init(&cache, entries, 1); /* everything collides */
	unwinder_walk(&fake.source, &cache, &fake.registers, fake.ips, 64, &fake.result);
	ck_assert_int_eq(fake.result.end, WALK_ROOTED);
	fake.stack[0] = IP(OUTERMOST + 5);
	fake.registers.ip = IP(OUTERMOST + 4);
	unwinder_walk(&fake.source, &cache, &fake.registers, fake.ips, 64, &fake.result);
	lookups = fake.lookups;
	unwinder_walk(&fake.source, &cache, &fake.registers, fake.ips, 64, &fake.result);
	ck_assert_int_eq(fake.lookups, lookups);
	walk_cache_clear(&cache);
	unwinder_walk(&fake.source, &cache, &fake.registers, fake.ips, 64, &fake.result);
	ck_assert_int_eq(fake.lookups, lookups + 1);
}
END_TEST

/* --- expressions
 * ----------------------------------------------------------------------------------- */

struct expression_case {
	const uint8_t *code;
	size_t code_bytes;
	uint64_t value;
};

/* rax is 10, rcx -3, the word at STACK is 0x1122334455667788, the CFA 0x5000 is on the stack. */
static const struct expression_case expressions[] = {
	{FAKE(0x96), 0x5000},			/* nop: the CFA */
	{FAKE(0x23, 0x80, 1), 0x5080},		/* plus_uconst */
	{FAKE(0x3f), 15},			/* lit15 */
	{FAKE(0x70, 0x7f), 9},			/* breg0 -1 */
	{FAKE(0x92, 2, 1), (uint64_t)-2},	/* bregx rcx+1 */
	{FAKE(0x08, 0xff), 255},		/* const1u */
	{FAKE(0x09, 0xff), UINT64_MAX},		/* const1s */
	{FAKE(0x0a, 1, 2), 0x201},		/* const2u */
	{FAKE(0x0b, 0xfe, 0xff), (uint64_t)-2}, /* const2s */
	{FAKE(0x0c, 1, 2, 3, 4), 0x4030201},	/* const4u */
	{FAKE(0x0d, 0xfd, 0xff, 0xff, 0xff), (uint64_t)-3},
	{FAKE(0x0e, 1, 2, 3, 4, 5, 6, 7, 8), 0x807060504030201},
	{FAKE(0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), UINT64_MAX},
	{FAKE(0x10, 0x81, 1), 129},			     /* constu */
	{FAKE(0x11, 0x7f), UINT64_MAX},			     /* consts */
	{FAKE(0x03, 0, 0x12, 0, 0, 0, 0, 0, 0), IP(0x1200)}, /* addr: moved with the module */
	{FAKE(0x77, 0, 0x06), 0x1122334455667788},	     /* breg7 0, deref */
	{FAKE(0x77, 0, 0x94, 2), 0x7788},		     /* deref_size 2 */
	{FAKE(0x77, 3, 0x94, 1), 0x55},			     /* at any alignment */
	{FAKE(0x35, 0x12, 0x22), 10},			     /* lit5 dup plus */
	{FAKE(0x35, 0x36, 0x13), 5},			     /* drop */
	{FAKE(0x35, 0x36, 0x14), 5},			     /* over */
	{FAKE(0x35, 0x36, 0x15, 2), 0x5000},		     /* pick 2 */
	{FAKE(0x35, 0x36, 0x16, 0x1c), 1},		     /* swap minus: 6 - 5 */
	{FAKE(0x31, 0x32, 0x33, 0x17), 2},		     /* rot: 1 2 3 becomes 3 1 2 */
	{FAKE(0x31, 0x32, 0x33, 0x17, 0x13), 1}, {FAKE(0x31, 0x32, 0x33, 0x17, 0x13, 0x13), 3},
	{FAKE(0x72, 0, 0x19), 3},			     /* rcx abs */
	{FAKE(0x35, 0x1f), (uint64_t)-5},		     /* neg */
	{FAKE(0x30, 0x20), UINT64_MAX},			     /* not */
	{FAKE(0x36, 0x33, 0x1a), 2},			     /* and */
	{FAKE(0x36, 0x33, 0x21), 7},			     /* or */
	{FAKE(0x36, 0x33, 0x27), 5},			     /* xor */
	{FAKE(0x37, 0x32, 0x1b), 3},			     /* div */
	{FAKE(0x72, 0, 0x32, 0x1b), UINT64_MAX},	     /* -3 / 2 */
	{FAKE(0x37, 0x34, 0x1d), 3},			     /* mod */
	{FAKE(0x37, 0x34, 0x1e), 28},			     /* mul */
	{FAKE(0x37, 0x34, 0x24), 0x70},			     /* shl */
	{FAKE(0x72, 0, 0x4f, 0x4f, 0x22, 0x25), 3},	     /* shr 62 */
	{FAKE(0x72, 0, 0x31, 0x26), (uint64_t)-2},	     /* shra */
	{FAKE(0x37, 0x08, 64, 0x24), 0},		     /* shifted out */
	{FAKE(0x72, 0, 0x31, 0x2d), 1},			     /* -3 lt 1, signed */
	{FAKE(0x72, 0, 0x31, 0x2b), 0},			     /* gt */
	{FAKE(0x31, 0x31, 0x2a), 1},			     /* ge */
	{FAKE(0x31, 0x31, 0x2c), 1},			     /* le */
	{FAKE(0x31, 0x31, 0x29), 1},			     /* eq */
	{FAKE(0x31, 0x31, 0x2e), 0},			     /* ne */
	{FAKE(0x35, 0x2f, 1, 0, 0x36, 0x96), 5},	     /* skip over lit6 */
	{FAKE(0x35, 0x31, 0x28, 1, 0, 0x36), 5},	     /* bra, taken */
	{FAKE(0x35, 0x30, 0x28, 1, 0, 0x36), 6},	     /* not taken */
	{FAKE(0x35, 0x31, 0x1c, 0x12, 0x28, 0xfa, 0xff), 0}, /* a loop: 5 - 1 ... 0 */
};

static bool evaluate(const uint8_t *code, size_t code_bytes, uint64_t *value)
{
	struct {
		struct unwind_expression expression;
		uint8_t bytes[256];
	} expression = {.expression.length = (uint16_t)code_bytes};
	const uint64_t cfa = 0x5000;

	memcpy(expression.expression.bytes, code, code_bytes);
	fake.registers.r[UNWIND_RAX] = 10;
	fake.registers.r[UNWIND_RCX] = (uint64_t)-3;
	fake.registers.ip = IP(LEAF);
	fake.stack[0] = 0x1122334455667788;
	return expression_evaluate(
		&expression.expression, &fake.source, &fake.registers, &cfa, value);
}

START_TEST(test_expressions)
{
	uint64_t value = 0;

	ck_assert(evaluate(expressions[_i].code, expressions[_i].code_bytes, &value));
	ck_assert_uint_eq(value, expressions[_i].value);
}
END_TEST

static const struct expression_case bad_expressions[] = {
	{FAKE(0x13, 0x13), 0},			      /* drops more than there is */
	{FAKE(0x13), 0},			      /* leaves nothing */
	{FAKE(0x22), 0},			      /* plus of one */
	{FAKE(0x35, 0x30, 0x1b), 0},		      /* division by zero */
	{FAKE(0x35, 0x30, 0x1d), 0},		      /* and its rest */
	{FAKE(0x2f, 0xfd, 0xff), 0},		      /* an endless loop */
	{FAKE(0x12, 0x2f, 0xfc, 0xff), 0},	      /* one that fills the stack */
	{FAKE(0x2f, 0x10, 0), 0},		      /* jumps out */
	{FAKE(0x2f, 0xf0, 0xff), 0}, {FAKE(0x06), 0}, /* reads at 0x5000, where nothing is */
	{FAKE(0x77, 0, 0x94, 9), 0},		      /* nine bytes */
	{FAKE(0x0c, 1, 2), 0},			      /* cut */
	{FAKE(0x15, 9), 0},			      /* picks too deep */
	{FAKE(0x92, 40, 0), 0},			      /* no such register */
	{FAKE(0xf0), 0},			      /* unknown */
	{FAKE(0x50), 0},			      /* a register's name is no value */
};

START_TEST(test_bad_expressions)
{
	uint64_t value = 0;

	ck_assert(!evaluate(bad_expressions[_i].code, bad_expressions[_i].code_bytes, &value));
}
END_TEST

/* --- by guess
 * ------------------------------------------------------------------------------------- */

static void put_code(size_t place, const uint8_t *code, size_t size)
{
	memcpy(fake.jit + place, code, size);
}

/* A direct call that ends at `place` of the JIT's code, to `target`; its return address. */
static uint64_t put_call(size_t place, size_t target)
{
	int32_t distance = (int32_t)target - (int32_t)place;

	fake.jit[place - 5] = 0xe8;
	memcpy(fake.jit + place - 4, &distance, 4);
	return JIT + place;
}

START_TEST(test_frame_pointers)
{
	/* two frames of JIT code, called from code with rows that ends at the root */
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 4;
	fake.stack[4] = STACK + 8 * 8;
	fake.stack[5] = put_call(100, 0);
	fake.stack[8] = STACK + 8 * 12;
	fake.stack[9] = IP(FRAMED + 9);
	fake.stack[13] = IP(OUTERMOST + 5);
	walk_from(JIT + 20);
	assert_frames(WALK_ROOTED, JIT + 20, JIT + 100, IP(FRAMED + 9), IP(OUTERMOST + 5));
	ck_assert_int_eq(fake.flags[0], 0);
	ck_assert_int_eq(fake.flags[1], WALK_RETURN | WALK_FRAME_POINTER);
	ck_assert_int_eq(fake.flags[2], WALK_RETURN | WALK_FRAME_POINTER);
	ck_assert_int_eq(fake.flags[3], WALK_RETURN);
	ck_assert_uint_eq(fake.cfas[0], STACK + 8 * 6);
}
END_TEST

START_TEST(test_frame_pointers_need_a_call)
{
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 4;
	fake.stack[5] = JIT + 100; /* executable, but nothing calls before it */
	walk_from(JIT + 20);
	assert_frames(WALK_NO_RULE, JIT + 20);
	fake.source.read_word = NULL; /* where code cannot be read it is believed */
	walk_from(JIT + 20);
	ck_assert_uint_ge(fake.result.depth, 2);
	ck_assert_int_eq(fake.flags[1], WALK_RETURN | WALK_FRAME_POINTER);
}
END_TEST

START_TEST(test_zero_frame_pointer)
{
	fake.stack[0] = JIT + 50;
	fake.registers.r[UNWIND_RBP] = 0;
	walk_from(IP(LEAF));
	assert_frames(WALK_ZERO_FRAME, IP(LEAF), JIT + 50);
	/* in frame 0 a zero in rbp may be just a number */
	walk_from(JIT + 50);
	ck_assert_int_eq(fake.result.end, WALK_NO_RULE);
}
END_TEST

START_TEST(test_end_of_frame_pointers)
{
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 4;
	fake.stack[4] = fake.stack[5] = 0;
	walk_from(JIT + 20);
	assert_frames(WALK_ROOTED, JIT + 20);
}
END_TEST

struct prologue_case {
	const uint8_t *code;
	size_t code_bytes;
	size_t ip;    /* which of the bytes is next */
	size_t words; /* on the stack below the return address */
};

static const struct prologue_case prologues[] = {
	{FAKE(0x55, 0x48, 0x89, 0xe5), 0, 0},	    /* push rbp */
	{FAKE(0xf3, 0x0f, 0x1e, 0xfa, 0x55), 0, 0}, /* endbr64; push rbp */
	{FAKE(0x55, 0x48, 0x89, 0xe5), 1, 1},	    /* push rbp; mov rbp, rsp */
	{FAKE(0x55, 0x48, 0x8b, 0xec), 1, 1}, {FAKE(0x90, 0x5d, 0xc3), 1, 1}, /* pop rbp; ret */
	{FAKE(0x90, 0x5d, 0xc3), 2, 0},					      /* ret */
	{FAKE(0x90, 0xf3, 0xc3), 1, 0},					      /* rep ret */
};

/* The frame pointer chain leads past the caller, the bytes do not. */
START_TEST(test_prologues)
{
	const struct prologue_case *test = &prologues[_i];
	uint64_t caller = put_call(100, 4000), next = put_call(120, 80);

	put_code(40, test->code, test->code_bytes);
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 8;
	if (test->words) {
		fake.stack[0] = STACK + 8 * 12;
		fake.stack[12] = 0;
		fake.stack[13] = IP(OUTERMOST + 5);
	}
	fake.stack[test->words] = caller;
	fake.stack[8] = 0;
	fake.stack[9] = next;
	walk_from(JIT + 40 + test->ip);
	ck_assert_uint_ge(fake.result.depth, 3);
	ck_assert_uint_eq(fake.ips[1], caller);
	ck_assert_int_eq(fake.flags[1], WALK_RETURN | WALK_PROLOGUE);
	ck_assert_uint_eq(fake.ips[2], test->words ? IP(OUTERMOST + 5) : next);
	ck_assert_uint_eq(fake.cfas[0], STACK + 8 * test->words + 8);
}
END_TEST

START_TEST(test_leaf_by_the_call_to_it)
{
	uint64_t caller = put_call(100, 30), further = put_call(120, 80);

	fake.registers.r[UNWIND_RBP] = STACK + 8 * 8;
	fake.stack[0] = caller;
	fake.stack[9] = further;
	walk_from(JIT + 40); /* ten bytes into what the caller called */
	ck_assert_uint_eq(fake.ips[1], caller);
	ck_assert_uint_eq(fake.ips[2], further);
	put_call(100, 50); /* the call went elsewhere: the word at rsp is a leftover */
	walk_from(JIT + 40);
	ck_assert_uint_eq(fake.ips[1], further);
}
END_TEST

START_TEST(test_call_through_null)
{
	fake.stack[0] = put_call(100, 0);
	fake.jit[95] = 0; /* an indirect call instead: ff d0 */
	put_code(98, FAKE(0xff, 0xd0));
	walk_from(0);
	ck_assert_uint_ge(fake.result.depth, 2);
	ck_assert_uint_eq(fake.ips[0], 0);
	ck_assert_uint_eq(fake.ips[1], JIT + 100);
	ck_assert_int_eq(fake.flags[1], WALK_RETURN | WALK_PROLOGUE);
	fake.stack[0] = 0x1234;
	walk_from(0);
	assert_frames(WALK_NO_RULE, 0);
}
END_TEST

static const struct prologue_case calls[] = {
	{FAKE(0xff, 0xd0), 0, 1},		    /* call rax */
	{FAKE(0x41, 0xff, 0xd3), 0, 1},		    /* call r11 */
	{FAKE(0xff, 0x10), 0, 1},		    /* call [rax] */
	{FAKE(0xff, 0x15, 1, 2, 3, 4), 0, 1},	    /* call [rip+x] */
	{FAKE(0xff, 0x50, 0x18), 0, 1},		    /* call [rax+24] */
	{FAKE(0xff, 0x54, 0x24, 0x18), 0, 1},	    /* call [rsp+24] */
	{FAKE(0xff, 0x90, 1, 2, 3, 4), 0, 1},	    /* call [rax+x] */
	{FAKE(0xff, 0x94, 0xc0, 1, 2, 3, 4), 0, 1}, /* call [rax+rax*8+x] */
	{FAKE(0xff, 0x14, 0xc0), 0, 1},		    /* call [rax+rax*8] */
	{FAKE(0xff, 0xe0), 0, 0},		    /* jmp rax */
	{FAKE(0xff, 0x30), 0, 0},		    /* push [rax] */
	{FAKE(0x48, 0x89, 0xc7), 0, 0},		    /* mov rdi, rax */
};

START_TEST(test_scan)
{
	put_code(100 - calls[_i].code_bytes, calls[_i].code, calls[_i].code_bytes);
	fake.registers.r[UNWIND_RBP] = 5;
	fake.stack[0] = STACK;
	fake.stack[3] = JIT + 100;
	walk_from(JIT + 20);
	assert_frames(WALK_NO_RULE, JIT + 20); /* not asked for */
	fake.source.scan_words = 4;
	walk_from(JIT + 20);
	ck_assert_uint_eq(fake.result.depth, calls[_i].words ? 2 : 1);
	if (calls[_i].words)
		ck_assert_int_eq(fake.flags[1], WALK_RETURN | WALK_SCANNED);
	fake.source.scan_words = 3;
	walk_from(JIT + 20);
	assert_frames(WALK_NO_RULE, JIT + 20);
}
END_TEST

START_TEST(test_trampoline_by_its_bytes)
{
	put_code(64, FAKE(0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05));
	fake.stack[0] = JIT + 64;
	fake.stack[1 + 5 + 10] = STACK + 8 * 50; /* rbp */
	fake.stack[1 + 5 + 15] = STACK + 8 * 40; /* rsp */
	fake.stack[1 + 5 + 16] = IP(FRAMED);
	fake.stack[40] = IP(FRAMED + 9);
	fake.stack[51] = IP(OUTERMOST + 5);
	walk_from(IP(LEAF));
	assert_frames(
		WALK_ROOTED, IP(LEAF), JIT + 64, IP(FRAMED), IP(FRAMED + 9), IP(OUTERMOST + 5));
	ck_assert_int_eq(fake.flags[1], WALK_SIGNAL);
	ck_assert_int_eq(fake.flags[2], WALK_PROLOGUE);
}
END_TEST

/* --- limits
 * --------------------------------------------------------------------------------------- */

START_TEST(test_truncated)
{
	fake.source.stack_bytes = 36; /* four words and a half */
	fake.stack[0] = IP(SAVER + 9);
	walk_from(IP(LEAF));
	assert_frames(WALK_TRUNCATED, IP(LEAF), IP(SAVER + 9));
	ck_assert_uint_eq(fake.result.needed_address, STACK + 32);
	fake.source.stack_limit =
		STACK + 32; /* there is no more: the table or the stack is wrong */
	walk_from(IP(LEAF));
	ck_assert_int_eq(fake.result.end, WALK_BAD_STACK);
	fake.source.stack_limit = 0; /* not known */
	walk_from(IP(LEAF));
	ck_assert_int_eq(fake.result.end, WALK_TRUNCATED);
	fake.source.stack_bytes = 0;
	walk_from(IP(LEAF));
	assert_frames(WALK_TRUNCATED, IP(LEAF));
	ck_assert_uint_eq(fake.result.needed_address, STACK);
}
END_TEST

START_TEST(test_truncated_frame_pointer)
{
	fake.registers.r[UNWIND_RBP] = STACK + 8 * 64;
	walk_from(JIT + 20);
	assert_frames(WALK_TRUNCATED, JIT + 20);
	ck_assert_uint_eq(fake.result.needed_address, STACK + 8 * 65);
}
END_TEST

START_TEST(test_stack_must_go_up)
{
	fake.stack[0] = IP(SHRINKING + 4);
	walk_from(IP(LEAF));
	assert_frames(WALK_BAD_STACK, IP(LEAF), IP(SHRINKING + 4));
	fake.registers.r[UNWIND_RBX] = STACK + 64; /* the CFA would be where rsp already is */
	fake.registers.r[UNWIND_RSP] = STACK + 80;
	fake.stack[9] = IP(OUTERMOST + 5);
	walk_from(IP(BY_RBX));
	assert_frames(WALK_BAD_STACK, IP(BY_RBX));
	fake.registers.r[UNWIND_RSP] = STACK;
	fake.registers.r[UNWIND_RBP] = STACK + 64; /* the same, with the CFA from memory */
	fake.stack[0] = IP(REALIGNED + 9);
	fake.stack[7] = STACK + 8;
	walk_from(IP(LEAF));
	assert_frames(WALK_BAD_STACK, IP(LEAF), IP(REALIGNED + 9));
	fake.registers.r[UNWIND_RDI] = IP(VFORK + 4); /* its return address is itself, for ever */
	walk_from(IP(VFORK + 4));
	ck_assert_uint_le(fake.result.depth, 2);
	fake.registers.r[UNWIND_RBP] = STACK + 32; /* a frame pointer that points to itself */
	fake.stack[4] = STACK + 32;
	fake.stack[5] = put_call(100, 0);
	walk_from(JIT + 20);
	assert_frames(WALK_NO_RULE, JIT + 20, JIT + 100);
}
END_TEST

START_TEST(test_unknown_registers)
{
	/* r10 is the callee's to change, but a rule that asks for it after a call knows better */
	fake.registers.r[UNWIND_R10] = STACK + 80;
	fake.stack[0] = IP(BY_R10 + 4);
	fake.stack[9] = IP(OUTERMOST + 5);
	walk_from(IP(LEAF));
	assert_frames(WALK_ROOTED, IP(LEAF), IP(BY_R10 + 4), IP(OUTERMOST + 5));
	fake.registers.known = 0;
	walk_from(IP(LEAF));
	assert_frames(WALK_BAD_RULE, IP(LEAF), IP(BY_R10 + 4));
	walk_from(IP(BY_R10 + 4));
	assert_frames(WALK_BAD_RULE, IP(BY_R10 + 4));
}
END_TEST

START_TEST(test_bad_return_address)
{
	fake.stack[0] = 0x123456;
	walk_from(IP(LEAF));
	assert_frames(WALK_BAD_RETURN, IP(LEAF));
	fake.stack[0] = IP(FAKE_TEXT); /* the call before it would not be in the module */
	walk_from(IP(LEAF));
	assert_frames(WALK_BAD_RETURN, IP(LEAF));
}
END_TEST

/* A coroutine's function returns to __start_context, which nobody called. */
START_TEST(test_coroutine_start)
{
	static const uint8_t start_context[] = {0x48, 0x89, 0xdc, 0x48, 0x8b, 0x3c, 0x24};

	memcpy(fake.jit + 32, start_context, sizeof(start_context));
	fake.stack[0] = JIT + 32;
	walk_from(IP(LEAF));
	assert_frames(WALK_ROOTED, IP(LEAF), JIT + 32);
	ck_assert_int_eq(fake.flags[1], 0);
	fake.stack[0] = JIT + 33;
	walk_from(IP(LEAF));
	ck_assert_int_ne(fake.result.end, WALK_ROOTED);
}
END_TEST

START_TEST(test_no_rule)
{
	fake.registers.known = 1u << UNWIND_RSP;
	walk_from(IP(NO_CFI));
	assert_frames(WALK_NO_RULE, IP(NO_CFI));
}
END_TEST

START_TEST(test_room_for_few)
{
	for (size_t i = 0; i < 64; i++)
		fake.stack[i] = IP(LEAF + 4);
	fake.registers.ip = IP(LEAF);
	for (size_t max = 0; max < 5; max++) {
		fake.ips[max] = 77;
		ck_assert_uint_eq(unwinder_walk(&fake.source, NULL, &fake.registers, fake.ips, max,
					  &fake.result),
			max);
		ck_assert_int_eq(fake.result.end, WALK_DEEP);
		ck_assert_uint_eq(fake.result.depth, max);
		ck_assert_uint_eq(fake.ips[max], 77);
	}
}
END_TEST

START_TEST(test_results_are_optional)
{
	fake.result = (struct walk_result){0};
	fake.stack[0] = IP(OUTERMOST + 5);
	ck_assert_int_eq(walk_from(IP(LEAF)), WALK_ROOTED);
}
END_TEST

START_TEST(test_every_end_has_a_text)
{
	for (int end = 0; end < WALK_ENDS; end++) {
		ck_assert_ptr_nonnull(walk_end_texts[end].name);
		ck_assert_ptr_nonnull(walk_end_texts[end].meaning);
		for (int other = 0; other < end; other++)
			ck_assert_str_ne(walk_end_texts[end].name, walk_end_texts[other].name);
	}
}
END_TEST

#define add_cases(tcase, test, cases) \
	tcase_add_loop_test(tcase, test, 0, sizeof(cases) / sizeof(cases[0]))

Suite *walk_suite(void);

Suite *walk_suite(void)
{
	Suite *suite = suite_create("walk");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, setup, teardown);
	tcase_add_test(core, test_frames_by_rows);
	tcase_add_test(core, test_saved_registers_are_restored);
	tcase_add_test(core, test_prologue_rows);
	tcase_add_test(core, test_return_address_at_the_end_of_a_function);
	tcase_add_test(core, test_plt);
	tcase_add_test(core, test_realigned_stack);
	tcase_add_test(core, test_return_address_in_register);
	tcase_add_test(core, test_zero_return_address);
	tcase_add_test(core, test_signal_on_alternate_stack);
	tcase_add_test(core, test_signal_without_the_other_stack);
	tcase_add_test(core, test_cache_gives_the_same);
	add_cases(core, test_expressions, expressions);
	tcase_add_test(core, test_frame_pointers);
	tcase_add_test(core, test_frame_pointers_need_a_call);
	tcase_add_test(core, test_zero_frame_pointer);
	tcase_add_test(core, test_end_of_frame_pointers);
	add_cases(core, test_prologues, prologues);
	tcase_add_test(core, test_leaf_by_the_call_to_it);
	tcase_add_test(core, test_call_through_null);
	add_cases(core, test_scan, calls);
	tcase_add_test(core, test_trampoline_by_its_bytes);
	suite_add_tcase(suite, core);
	tcase_add_checked_fixture(limits, setup, teardown);
	add_cases(limits, test_bad_expressions, bad_expressions);
	tcase_add_test(limits, test_truncated);
	tcase_add_test(limits, test_truncated_frame_pointer);
	tcase_add_test(limits, test_stack_must_go_up);
	tcase_add_test(limits, test_unknown_registers);
	tcase_add_test(limits, test_bad_return_address);
	tcase_add_test(limits, test_no_rule);
	tcase_add_test(core, test_coroutine_start);
	tcase_add_test(limits, test_room_for_few);
	tcase_add_test(limits, test_results_are_optional);
	tcase_add_test(limits, test_every_end_has_a_text);
	suite_add_tcase(suite, limits);
	return suite;
}
