#include "symbols/debug_unit.h"

#include <dwarf.h>
#include <string.h>

/* DIEs nest as deep as blocks in the source do; deeper than this is damage. */
#define DEPTH_MAX 400

/* A DIE has some twenty at most. More, which can take no bytes in it, are there to cost time. */
#define ATTRIBUTES_MAX 200

/* The attributes that matter here; code 0: the DIE does not have it. */
struct die_attributes {
	Dwarf_Attribute low, high, ranges, entry, origin, file, line, declaration;
};

struct reader {
	struct debug_unit *unit;
	uint64_t text_low, text_high;
	uint64_t *ranges_left;
	const void *furthest;		/* no DIE is read twice, wherever damaged references lead */
	const void *plain_abbreviation; /* the last one that was looked at and is not too long */
	bool descend_types;		/* the language has functions inside of types */
};

static int keep_attribute(Dwarf_Attribute *attribute, void *context)
{
	struct die_attributes *attributes = context;

	switch (dwarf_whatattr(attribute)) {
	case DW_AT_low_pc:
		attributes->low = *attribute;
		break;
	case DW_AT_high_pc:
		attributes->high = *attribute;
		break;
	case DW_AT_ranges:
		attributes->ranges = *attribute;
		break;
	case DW_AT_entry_pc:
		attributes->entry = *attribute;
		break;
	case DW_AT_abstract_origin:
		attributes->origin = *attribute;
		break;
	case DW_AT_call_file:
		attributes->file = *attribute;
		break;
	case DW_AT_call_line:
		attributes->line = *attribute;
		break;
	case DW_AT_declaration:
		attributes->declaration = *attribute;
		break;
	}
	return DWARF_CB_OK;
}

static uint64_t number_of(Dwarf_Attribute *attribute)
{
	Dwarf_Word value;

	return attribute->code && !dwarf_formudata(attribute, &value) ? value : 0;
}

/* --- addresses ----------------------------------------------------------------------------------
 */

static void add_range(
	struct reader *reader, uint64_t low, uint64_t high, uint32_t call, unsigned depth)
{
	struct debug_call *item = &reader->unit->calls.items[call - 1];

	if (low < reader->text_low || high > reader->text_high || low >= high)
		return;
	if (!item->parent && !item->entry)
		item->entry = low;
	range_map_add(&reader->unit->map, (struct range){low, high, call, depth});
}

/* DW_AT_high_pc is an address or, since DWARF 4, the length. */
static bool read_extent(struct die_attributes *attributes, uint64_t *low, uint64_t *high)
{
	Dwarf_Addr address;

	if (!attributes->low.code || !attributes->high.code ||
		dwarf_formaddr(&attributes->low, &address))
		return false;
	*low = address;
	if (dwarf_formaddr(&attributes->high, &address))
		address = *low + number_of(&attributes->high);
	*high = address;
	return true;
}

static void read_ranges(struct reader *reader, Dwarf_Die *die, struct die_attributes *attributes,
	uint32_t call, unsigned depth)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	if (read_extent(attributes, &low, &high)) {
		add_range(reader, low, high, call, depth);
		return;
	}
	if (!attributes->ranges.code)
		return;
	while (*reader->ranges_left && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		--*reader->ranges_left;
		add_range(reader, low, high, call, depth);
	}
}

/* --- DIEs ---------------------------------------------------------------------------------------
 */

static uint32_t add_call(struct reader *reader, Dwarf_Die *die, uint32_t parent, unsigned depth)
{
	struct debug_unit *unit = reader->unit;
	struct die_attributes attributes;
	struct debug_call *call;
	uint32_t number;
	Dwarf_Addr entry;

	memset(&attributes, 0, sizeof(attributes));
	dwarf_getattrs(die, keep_attribute, &attributes, 0);
	if (!attributes.low.code && !attributes.ranges.code)
		return parent;
	call = array_add(&unit->calls);
	*call = (struct debug_call){.die = die->addr,
		.parent = parent,
		.file = number_of(&attributes.file),
		.line = number_of(&attributes.line)};
	number = unit->calls.count;
	if (!parent && attributes.entry.code && !dwarf_formaddr(&attributes.entry, &entry))
		call->entry = entry;
	read_ranges(reader, die, &attributes, number, depth);
	return number;
}

static void add_copy(struct reader *reader, uint32_t number)
{
	Dwarf_Die die = debug_unit_die(reader->unit, number), origin;
	Dwarf_Attribute attribute;

	if (reader->unit->calls.items[number - 1].entry &&
		dwarf_attr(&die, DW_AT_abstract_origin, &attribute) &&
		dwarf_formref_die(&attribute, &origin))
		*array_add(&reader->unit->copies) = (struct debug_copy){
			origin.addr, reader->unit->calls.items[number - 1].entry};
}

static void read_children(struct reader *reader, Dwarf_Die *die, uint32_t parent, unsigned depth);

static void read_die(struct reader *reader, Dwarf_Die *die, uint32_t parent, unsigned depth)
{
	uint32_t number;

	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		number = add_call(reader, die, 0, depth);
		if (number)
			add_copy(reader, number);
		read_children(reader, die, number, depth);
		break;
	case DW_TAG_inlined_subroutine:
		number = add_call(reader, die, parent, depth);
		read_children(reader, die, number, depth);
		break;
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
	case DW_TAG_namespace:
	case DW_TAG_module:
		read_children(reader, die, parent, depth);
		break;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
		if (reader->descend_types)
			read_children(reader, die, 0, depth);
		break;
	}
}

/* libdw passes over all attributes of a DIE to find the next one. Also false for no DIE at all. */
static bool is_passable(struct reader *reader, Dwarf_Die *die)
{
	size_t count;

	if (dwarf_tag(die) == DW_TAG_invalid)
		return false;
	if (die->abbrev == reader->plain_abbreviation)
		return true;
	if (dwarf_getattrcnt(die->abbrev, &count) || count > ATTRIBUTES_MAX)
		return false;
	reader->plain_abbreviation = die->abbrev;
	return true;
}

static void read_children(struct reader *reader, Dwarf_Die *die, uint32_t parent, unsigned depth)
{
	Dwarf_Die child;
	int more;

	if (depth > DEPTH_MAX || dwarf_child(die, &child))
		return;
	do {
		if (child.addr <= reader->furthest || !is_passable(reader, &child))
			return;
		reader->furthest = child.addr;
		read_die(reader, &child, parent, depth + 1);
		more = dwarf_siblingof(&child, &child);
	} while (!more);
}

/* C and C++ compilers put every compiled function beside the types, never into them. */
static bool puts_functions_into_types(Dwarf_Die *die)
{
	switch (dwarf_srclang(die)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return false;
	default:
		return true;
	}
}

/* Sets where the functions are: in the unit itself, or in its .dwo file. */
static void find_functions(struct debug_unit *unit)
{
	Dwarf_Die split;

	unit->functions = unit->die;
	if (!dwarf_cu_info(unit->die.cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) && split.addr)
		unit->functions = split;
}

static int compare_copies(const void *left, const void *right)
{
	const struct debug_copy *a = left, *b = right;

	return a->origin < b->origin ? -1 : a->origin > b->origin;
}

struct debug_unit *debug_unit_read(const Dwarf_Die *die, const struct line_sections *sections,
	uint64_t text_low, uint64_t text_high, uint64_t *ranges_left)
{
	struct debug_unit *unit = alloc_zeroed(1, sizeof(*unit));
	struct reader reader = {.unit = unit,
		.text_low = text_low,
		.text_high = text_high,
		.ranges_left = ranges_left};
	const char *directory;
	uint64_t table;

	unit->die = *die;
	find_functions(unit);
	reader.descend_types = puts_functions_into_types(&unit->functions);
	read_children(&reader, &unit->functions, 0, 0);
	range_map_seal(&unit->map);
	if (unit->copies.count)
		qsort(unit->copies.items, unit->copies.count, sizeof(struct debug_copy),
			compare_copies);
	if (debug_unit_line_table(&unit->die, &table, &directory))
		line_table_read(&unit->lines, sections, table, directory, text_low, text_high);
	return unit;
}

void debug_unit_free(struct debug_unit *unit)
{
	if (!unit)
		return;
	array_release(&unit->calls);
	array_release(&unit->copies);
	range_map_release(&unit->map);
	line_table_release(&unit->lines);
	free(unit);
}

/* --- looking up ---------------------------------------------------------------------------------
 */

uint32_t debug_unit_find(const struct debug_unit *unit, uint64_t file_addr)
{
	return range_map_find(&unit->map, file_addr);
}

Dwarf_Die debug_unit_die(const struct debug_unit *unit, uint32_t call)
{
	return (Dwarf_Die){.addr = unit->calls.items[call - 1].die, .cu = unit->functions.cu};
}

uint64_t debug_unit_copy(const struct debug_unit *unit, const void *origin)
{
	const struct debug_copy key = {.origin = (void *)origin};
	const struct debug_copy *found =
		unit->copies.count ? bsearch(&key, unit->copies.items, unit->copies.count,
					     sizeof(key), compare_copies)
				   : NULL;

	return found ? found->entry : 0;
}

bool debug_unit_line_table(Dwarf_Die *die, uint64_t *offset, const char **unit_directory)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, DW_AT_stmt_list, &attribute) || dwarf_formudata(&attribute, &value))
		return false;
	*offset = value;
	*unit_directory =
		dwarf_attr(die, DW_AT_comp_dir, &attribute) ? dwarf_formstring(&attribute) : NULL;
	return true;
}
