/*
 * items: what the rows of a view stand for: functions, source lines, modules, threads ...
 *
 * Items are numbered from 1 within one view. Each has a name made of the parts that pstats' tables
 * are built from:
 *
 *     segment.c:10(main)          a function with source: file, line, name
 *     {libm.so.6:exp}             one without
 *     {kernel:clear_page_erms}
 *     [libz.so.1+0x1234]          an address without a symbol
 *     [truncated]                 the outer part of the stack is not known
 *
 * Names are raw bytes of other people's programs: whoever prints them escapes.
 */
#pragma once

#include "base/array.h"
#include "base/hash.h"
#include "viz/exporter.h"

typedef uint32_t item_id;

enum item_kind {
	ITEM_FUNCTION,	/* id: function_id */
	ITEM_LINE,	/* id: function_id; file and line */
	ITEM_ADDRESS,	/* id: frame_id, of a frame that was never named */
	ITEM_MODULE,	/* id: module_id */
	ITEM_THREAD,	/* id: thread_id */
	ITEM_PROCESS,	/* id: process_id */
	ITEM_STACK,	/* id: stack_id */
	ITEM_STACK_END, /* id: enum stack_end, of stacks that are not rooted */
};

struct item {
	enum item_kind kind;
	uint32_t id;
	string_id file; /* of ITEM_LINE */
	uint32_t line;	/* of ITEM_LINE */
};

struct items {
	const struct profile *profile; /* borrowed */
	enum view_by by;
	ARRAY(struct item) all; /* all.items[item_id - 1] */
	struct hash table;
	item_id *of_line; /* the item of each of profile->frames.lines */
};

/* Prepares the items for code by function, line or module (else of_line stays NULL). */
void items_init(struct items *items, const struct profile *profile, enum view_by by);
void items_release(struct items *items);

item_id items_intern(struct items *items, const struct item *item);
const struct item *items_at(const struct items *items, item_id id);

/* The item of a frame that has no lines. */
item_id items_of_unnamed(struct items *items, frame_id frame);

/* The whole name as above; caller frees. */
char *items_name(const struct items *items, item_id id);

/* The bare name: "main", "libm.so.6", "[truncated]"; caller frees. */
char *items_short_name(const struct items *items, item_id id);

/* The source file as recorded; "" where there is none. *line is 0 where it is not known. */
const char *items_source(const struct items *items, item_id id, uint32_t *line);

/* The module that the item's code is in; 0 for items without code. */
module_id items_module(const struct items *items, item_id id);

/* The name of that module; "" for none. */
const char *items_module_name(const struct items *items, item_id id);

/* The last part of a path. */
const char *items_base_name(const char *path);

/* Whether a function has a name of its own, not one made of its address. */
bool items_has_symbol(const struct profile *profile, const struct function *function);

/* Whether some module is marked as the recorded program, so that others are libraries. */
bool items_know_program(const struct profile *profile);
