/*
 * frames: addresses of code, and what they are called.
 *
 * A frame is (module, file_addr); the address of a caller is that of its call instruction, not of
 * the return (walk_lookup_ip() in unwind/walk.h is the one home of that rule). Recording knows frames only; names
 * come afterwards, once per frame: one or more `struct line`, innermost inlined function first.
 *
 *     frame  libm.so.6 0x2f1a0   ->  line  exp        e_exp.c:58     (inlined)
 *                                    line  pow_fast   w_pow.c:31
 */
#pragma once

#include "base/array.h"
#include "base/hash.h"
#include "model/modules.h"

typedef uint32_t frame_id;
typedef uint32_t function_id;

struct function {
	string_id name; /* demangled; "[libz.so.1+0x1234]" where there is no symbol */
	module_id module;
	string_id file; /* where it is declared; 0 unknown */
	uint32_t line;
	uint64_t entry; /* file_addr of its first instruction; 0 unknown (inlined everywhere) */
};

struct line {
	function_id function;
	string_id file; /* 0 unknown */
	uint32_t line;	/* 0 unknown */
};

struct frame {
	module_id module;
	uint32_t line_count; /* 0 until it is named */
	uint64_t file_addr;
	uint32_t first_line; /* its lines are lines.items[first_line ...] */
};

struct frames {
	ARRAY(struct frame) items;	  /* items[frame_id - 1] */
	ARRAY(struct function) functions; /* functions.items[function_id - 1] */
	ARRAY(struct line) lines;
	struct hash frame_table, function_table;
};

void frames_release(struct frames *frames);

frame_id frames_intern(struct frames *frames, module_id module, uint64_t file_addr);

/* The number of the equal function, added when new. `entry` tells apart those without a file. */
function_id functions_intern(struct frames *frames, const struct function *function);

/* Names a frame, once: count >= 1 lines, innermost first. */
void frames_name(struct frames *frames, frame_id id, const struct line *lines, size_t count);

struct frame *frames_at(const struct frames *frames, frame_id id);
const struct function *functions_at(const struct frames *frames, function_id id);

/* The lines of a frame, innermost first; *count is 0 while it has no name. */
const struct line *frames_lines(const struct frames *frames, frame_id id, size_t *count);
