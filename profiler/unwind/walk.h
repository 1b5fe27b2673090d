/*
 * walk: from the registers and the stack of one thread to the addresses of its callers, innermost
 * first.
 *
 * It needs nothing but rows, registers and memory that its owner reads for it: no allocation, no
 * libc but memcpy and memcmp, no state of its own, async-signal-safe. The recorder walks the copied
 * stack of a sample, the agent its own. x86-64 only: for another machine the registers, their
 * numbers (rows.h) and guess.c are what changes.
 *
 * Every step goes to a higher stack address, except out of a signal handler, so a walk ends. How it
 * ended is always said, and each frame says how it was found.
 */
#pragma once

#include "unwind/rows.h"

#include <string.h>

struct walk_registers {
	uint64_t r[16]; /* by DWARF number, enum unwind_register */
	uint64_t ip;
	uint32_t known; /* bit n: r[n] is valid; rsp must be */
};

#define WALK_ALL_KNOWN 0xffffu

/* One executable mapping of the program. */
struct walk_module {
	uint64_t low, high;		/* run-time addresses, high exclusive */
	uint64_t bias;			/* ip - bias = file_addr */
	const struct unwind_rows *rows; /* NULL: no ELF file behind it (JIT code) or none for us */
};

/* What a walk asks its owner for. */
struct walk_source {
	/* The executable mapping that holds ip; NULL: there is none. Borrowed until the walk is
	 * over. */
	const struct walk_module *(*find_module)(void *context, uint64_t ip);

	/*
	 * Eight bytes from anywhere, at any alignment, for what the stack window does not hold:
	 * code, and the other stack when a handler ran on its own. False: not readable. NULL:
	 * nothing is.
	 */
	bool (*read_word)(void *context, uint64_t address, uint64_t *value);
	void *context;

	/* The copied stack, from rsp upwards: asked before read_word. */
	const uint8_t *stack;
	uint64_t stack_address;
	size_t stack_bytes;
	uint64_t stack_limit; /* end of the mapping that the stack lies in; 0: not known */

	/*
	 * Where everything else fails: how many words of the stack may be searched for something
	 * that looks like a return address (its frame gets WALK_SCANNED). 0: never.
	 */
	uint32_t scan_words;
};

enum walk_end {
	WALK_ROOTED,	 /* the outermost frame was reached */
	WALK_ZERO_FRAME, /* code without CFI whose frame pointer is 0, the ABI's mark of an
			    outermost frame */
	WALK_TRUNCATED,	 /* the next word lies beyond the copied stack */
	WALK_NO_RULE,	 /* code without CFI, and no heuristic holds */
	WALK_BAD_RULE, /* the rule needs a register that is not known or an expression that fails */
	WALK_BAD_STACK,	 /* a stack address is not readable or does not go up */
	WALK_BAD_RETURN, /* the return address is not in executable memory */
	WALK_DEEP,	 /* more frames than the caller has room for */
	WALK_ENDS
};

struct walk_end_text {
	const char *name;    /* "rooted" */
	const char *meaning; /* one line for the user */
};

extern const struct walk_end_text walk_end_texts[WALK_ENDS];

/* What is known of a frame. Without one of the last three it was found by rows (or is the first).
 */
enum walk_frame_flag {
	WALK_RETURN = 1,	/* ip is a return address: see walk_lookup_ip() */
	WALK_SIGNAL = 2,	/* a signal handler's trampoline; the next frame was interrupted */
	WALK_FRAME_POINTER = 4, /* guessed: the caller's frame by rbp */
	WALK_PROLOGUE = 8,	/* guessed: from the code bytes around an interrupted instruction */
	WALK_SCANNED = 16,	/* guessed: something on the stack looked like a return address */
};

#define WALK_GUESSED (WALK_FRAME_POINTER | WALK_PROLOGUE | WALK_SCANNED)

/*
 * The address by which a frame is looked up, for rules, symbols and lines alike. A return address
 * is the instruction after the call, and when a function ends in a call to one that never returns
 * that is already the next function: the call itself lies one byte before. The interrupted
 * instruction of frame 0, and of the code under a signal handler, is itself. This is the rule's
 * only home.
 */
static inline uint64_t walk_lookup_ip(uint64_t ip, uint8_t flags)
{
	return ip - (flags & WALK_RETURN);
}

struct walk_result {
	uint8_t *flags;	   /* in: room for max flags, or NULL */
	uint64_t *cfas;	   /* in: room for max CFAs, or NULL; 0 where the walk ended before it */
	enum walk_end end; /* out, as all that follows */
	size_t depth;
	uint64_t needed_address; /* WALK_TRUNCATED: the word that was missing */
	uint8_t any_flags;	 /* of all frames */
};

/*
 * ip -> rule, direct-mapped, in its owner's memory. It belongs to one address space, and must be
 * cleared whenever an executable mapping of that space goes or changes.
 */
struct walk_cache_entry {
	uint64_t ip; /* as looked up; 0: free */
	const struct unwind_rule *rule;
};

struct walk_cache {
	struct walk_cache_entry *entries;
	size_t mask;
};

/* `count` is a power of two; 1,024 entries (16 KiB) serve a usual program. */
void walk_cache_init(struct walk_cache *cache, struct walk_cache_entry *entries, size_t count);
void walk_cache_clear(struct walk_cache *cache);

/*
 * Writes the addresses of at most `max` frames to ips, innermost first, and returns how many
 * (always at least one when max is not 0). `cache` may be NULL.
 */
size_t unwinder_walk(const struct walk_source *source, struct walk_cache *cache,
	const struct walk_registers *start, uint64_t *ips, size_t max, struct walk_result *result);

/* Eight bytes of the program, from the stack window where it holds them. */
static inline bool walk_source_read(
	const struct walk_source *source, uint64_t address, uint64_t *value)
{
	uint64_t offset = address - source->stack_address;

	if (offset < source->stack_bytes && source->stack_bytes - offset >= sizeof(*value)) {
		memcpy(value, source->stack + offset, sizeof(*value));
		return true;
	}
	return source->read_word && source->read_word(source->context, address, value);
}
