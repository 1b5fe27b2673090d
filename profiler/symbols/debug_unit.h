/*
 * debug_unit: an index of one compilation unit's functions and inlined calls.
 *
 *     main()            [100,180)                      calls: 1 main             parent 0
 *       twice() inlined [120,140) at main.c:7                 2 twice  main.c:7  parent 1
 *         add() inlined [124,130) at main.c:3                 3 add    main.c:3  parent 2
 *
 * An address is found in the map by one binary search, which gives the innermost call; its parents
 * are the outer ones. Nothing is named here: a call knows where its DIE is.
 */
#pragma once

#include "base/array.h"
#include "symbols/line_table.h"
#include "symbols/range_map.h"

#include <elfutils/libdw.h>

/* A function, or a call that was inlined into one. */
struct debug_call {
	void *die;	 /* Dwarf_Die.addr: its DW_TAG_subprogram or DW_TAG_inlined_subroutine */
	uint32_t parent; /* the call (numbered from 1) that this one is inlined into; 0: a function
			  */
	uint32_t file;	 /* of the call: index into the unit's files */
	uint32_t line;	 /* of the call */
	uint64_t entry;	 /* of a function: its first instruction; of an inlined call 0 */
};

/* A function that others share their DIE with: where it was compiled by itself. */
struct debug_copy {
	void *origin; /* Dwarf_Die.addr of DW_AT_abstract_origin */
	uint64_t entry;
};

struct debug_unit {
	Dwarf_Die die;			 /* the unit's own */
	Dwarf_Die functions;		 /* the same, but of a split unit that in its .dwo file */
	ARRAY(struct debug_call) calls;	 /* numbered from 1 */
	ARRAY(struct debug_copy) copies; /* sorted by origin */
	struct range_map map;		 /* address -> number of the innermost call */
	struct line_table lines;
};

/*
 * Reads the unit of `die`, for code between the two addresses; what is damaged is left out. At most
 * *ranges_left address ranges are read, by which it becomes less: many functions may name the same
 * long list. Where
 * its functions are in a file of their own (-gsplit-dwarf), that is read; its lines never are
 * there.
 */
struct debug_unit *debug_unit_read(const Dwarf_Die *die, const struct line_sections *sections,
	uint64_t text_low, uint64_t text_high, uint64_t *ranges_left);
void debug_unit_free(struct debug_unit *unit); /* accepts NULL */

/* The innermost call at the address; 0: none. */
uint32_t debug_unit_find(const struct debug_unit *unit, uint64_t file_addr);

/* A call's DIE, to ask libdw about. */
Dwarf_Die debug_unit_die(const struct debug_unit *unit, uint32_t call);

/* Where the function with this DIE was compiled by itself; 0: not in this unit. */
uint64_t debug_unit_copy(const struct debug_unit *unit, const void *origin);

/* Where the line table of a unit's DIE is, and what its paths are relative to; false: it has none.
 */
bool debug_unit_line_table(Dwarf_Die *die, uint64_t *offset, const char **unit_directory);
