#include "symbols/debug_info.h"

#include "base/hash.h"
#include "symbols/debug_unit.h"
#include "symbols/demangle.h"
#include "symbols/range_map.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <stdlib.h>
#include <string.h>

/* An origin's origin's origin...: GCC writes two or three. */
#define ORIGINS_MAX 16

/* Address ranges: as many as the debug information has bytes is more than it can list, but for what
 * lies in other files (.dwo). */
#define RANGES_MIN (UINT64_C(1) << 20)

/* A compilation unit; its index is read when it is first hit. */
struct unit {
	Dwarf_Die die;
	struct debug_unit *index;
};

/* What is known about one function, however often it was inlined. */
struct debug_function {
	const void *die; /* its last origin: Dwarf_Die.addr */
	const char *name;
	const char *decl_file;
	uint32_t decl_line;
	bool is_full_name;
};

/* The files that another unit than the one that was hit numbers: origins may lie there (LTO, dwz).
 */
struct unit_files {
	const void *unit; /* Dwarf_CU */
	struct line_files files;
};

struct debug_info {
	struct elf_file *file, *alternate;
	Dwarf *dwarf, *alternate_dwarf;
	struct line_sections sections, alternate_sections;
	uint64_t text_low, text_high;
	uint64_t ranges_left; /* may still be read */
	ARRAY(struct unit) units;
	struct range_map unit_map; /* -> number in units + 1 */
	ARRAY(struct debug_function) functions;
	struct hash function_table;
	ARRAY(struct unit_files) files; /* of units that were not hit */
	struct hash files_table;
	ARRAY(char *) names; /* owned */
	ARRAY(struct debug_level) levels;
};

/* --- opening ------------------------------------------------------------------------------------
 */

static void add_unit(struct debug_info *info, Dwarf_Die *die)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;

	*array_add(&info->units) = (struct unit){*die};
	while (info->ranges_left && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		info->ranges_left--;
		if (low >= info->text_low && high <= info->text_high)
			range_map_add(
				&info->unit_map, (struct range){low, high, info->units.count});
	}
}

static void read_units(struct debug_info *info)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;

	while (!dwarf_get_units(info->dwarf, unit, &unit, NULL, NULL, &die, NULL)) {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_compile_unit || tag == DW_TAG_skeleton_unit)
			add_unit(info, &die);
	}
	range_map_seal(&info->unit_map);
}

/* What several debug files have in common (dwz); without it some names stay unknown. */
static void open_alternate(struct debug_info *info)
{
	info->alternate = elf_file_alternate(info->file);
	if (!info->alternate)
		return;
	info->alternate_dwarf =
		dwarf_begin_elf(elf_file_handle(info->alternate), DWARF_C_READ, NULL);
	if (!info->alternate_dwarf)
		return;
	dwarf_setalt(info->dwarf, info->alternate_dwarf);
	line_sections_find(&info->alternate_sections, info->alternate);
}

static uint64_t ranges_allowed(const struct elf_file *file)
{
	static const char *const names[] = {".debug_info", ".debug_rnglists", ".debug_ranges"};
	uint64_t allowed = RANGES_MIN;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct elf_section section;

		if (elf_file_section(file, names[i], &section))
			allowed += section.size;
	}
	return allowed;
}

struct debug_info *debug_info_open(struct elf_file *file, uint64_t text_low, uint64_t text_high)
{
	Dwarf *dwarf = dwarf_begin_elf(elf_file_handle(file), DWARF_C_READ, NULL);
	struct debug_info *info;

	if (!dwarf)
		return NULL;
	info = alloc_zeroed(1, sizeof(*info));
	info->dwarf = dwarf;
	info->file = elf_file_reference(file);
	info->text_low = text_low;
	info->text_high = text_high;
	info->ranges_left = ranges_allowed(file);
	line_sections_find(&info->sections, file);
	open_alternate(info);
	read_units(info);
	return info;
}

void debug_info_close(struct debug_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->units.count; i++)
		debug_unit_free(info->units.items[i].index);
	for (size_t i = 0; i < info->names.count; i++)
		free(info->names.items[i]);
	for (size_t i = 0; i < info->files.count; i++)
		line_files_release(&info->files.items[i].files);
	array_release(&info->files);
	hash_release(&info->files_table);
	array_release(&info->units);
	range_map_release(&info->unit_map);
	array_release(&info->functions);
	hash_release(&info->function_table);
	array_release(&info->names);
	array_release(&info->levels);
	dwarf_end(info->dwarf);
	dwarf_end(info->alternate_dwarf);
	elf_file_close(info->alternate);
	elf_file_close(info->file);
	free(info);
}

size_t debug_info_unit_count(const struct debug_info *info)
{
	return info->units.count;
}

/* --- functions ----------------------------------------------------------------------------------
 */

static bool follow(Dwarf_Die *die, unsigned attribute_code)
{
	Dwarf_Attribute attribute;
	Dwarf_Die next;

	if (!dwarf_attr(die, attribute_code, &attribute) || !dwarf_formref_die(&attribute, &next))
		return false;
	*die = next;
	return true;
}

/* A call's function is described in its origin, a definition's in its declaration. */
static bool next_origin(Dwarf_Die *die)
{
	return follow(die, DW_AT_abstract_origin) || follow(die, DW_AT_specification);
}

static const char *string_of(Dwarf_Die *die, unsigned attribute_code)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, attribute_code, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

static const char *linkage_name_of(Dwarf_Die *die)
{
	const char *name = string_of(die, DW_AT_linkage_name);

	return name ? name : string_of(die, DW_AT_MIPS_linkage_name);
}

/*
 * The linkage name says scope and parameters; compilers give none to functions that are not linked
 * by name (static, or C).
 */
static void name_function(struct debug_info *info, Dwarf_Die die, struct debug_function *function)
{
	const char *linkage_name = NULL;

	for (int i = 0; i < ORIGINS_MAX; i++) {
		if (!linkage_name)
			linkage_name = linkage_name_of(&die);
		if (!function->name)
			function->name = string_of(&die, DW_AT_name);
		if (!next_origin(&die))
			break;
	}
	if (linkage_name) {
		char *full_name = demangle(linkage_name);

		if (full_name) {
			*array_add(&info->names) = full_name;
			function->name = full_name;
			function->is_full_name = true;
		}
	}
}

static bool same_files(const void *owner, uint32_t id, const void *key)
{
	const struct debug_info *info = owner;

	return info->files.items[id - 1].unit == key;
}

static struct line_files *files_of(struct debug_info *info, Dwarf_CU *cu)
{
	uint64_t hash = hash_pair((uintptr_t)cu, 1);
	uint32_t number = hash_find(&info->files_table, hash, same_files, info, cu);
	const char *directory;
	struct unit_files *added;
	uint64_t table;
	Dwarf_Die die;

	if (number)
		return &info->files.items[number - 1].files;
	added = array_add(&info->files);
	*added = (struct unit_files){.unit = cu};
	hash_insert(&info->files_table, hash, info->files.count);
	if (dwarf_cu_die(cu, &die, NULL, NULL, NULL, NULL, NULL, NULL) &&
		debug_unit_line_table(&die, &table, &directory))
		line_files_read(&added->files,
			dwarf_cu_getdwarf(cu) == info->alternate_dwarf ? &info->alternate_sections
								       : &info->sections,
			table, directory);
	return &added->files;
}

/* The file is a number of the unit that the attribute stands in, which need not be the one hit. */
static const char *decl_file_of(struct debug_info *info, struct debug_unit *unit, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	struct line_files *files = &unit->lines.files;
	Dwarf_Word number;

	if (!dwarf_attr_integrate(die, DW_AT_decl_file, &attribute) ||
		dwarf_formudata(&attribute, &number))
		return NULL;
	if (attribute.cu != unit->functions.cu)
		files = files_of(info, attribute.cu);
	return line_files_path(files, number);
}

static bool same_function(const void *owner, uint32_t id, const void *key)
{
	const struct debug_info *info = owner;

	return info->functions.items[id - 1].die == key;
}

/* What is known about the function of a call, by the last of its origins. */
static const struct debug_function *function_of(
	struct debug_info *info, struct debug_unit *unit, Dwarf_Die die)
{
	Dwarf_Die last = die;
	struct debug_function *function;
	uint32_t number;
	uint64_t hash;
	int line;

	for (int i = 0; i < ORIGINS_MAX && next_origin(&last); i++)
		;
	hash = hash_pair((uintptr_t)last.addr, 0);
	number = hash_find(&info->function_table, hash, same_function, info, last.addr);
	if (number)
		return &info->functions.items[number - 1];
	function = array_add(&info->functions);
	*function = (struct debug_function){.die = last.addr};
	hash_insert(&info->function_table, hash, info->functions.count);
	name_function(info, die, function);
	function->decl_file = decl_file_of(info, unit, &die);
	if (!dwarf_decl_line(&die, &line))
		function->decl_line = line;
	return function;
}

/* --- looking up ---------------------------------------------------------------------------------
 */

static struct debug_unit *unit_at(struct debug_info *info, uint64_t file_addr)
{
	uint32_t number = range_map_find(&info->unit_map, file_addr);
	struct unit *unit;

	if (!number)
		return NULL;
	unit = &info->units.items[number - 1];
	if (!unit->index)
		unit->index = debug_unit_read(&unit->die, &info->sections, info->text_low,
			info->text_high, &info->ranges_left);
	return unit->index;
}

/* Where the function of an inlined call was compiled by itself, its symbol has the full name. */
static uint64_t copy_of(const struct debug_unit *unit, Dwarf_Die die)
{
	return follow(&die, DW_AT_abstract_origin) ? debug_unit_copy(unit, die.addr) : 0;
}

static void add_level(struct debug_info *info, struct debug_unit *unit, uint32_t number,
	const char *file, uint32_t line)
{
	const struct debug_call *call = &unit->calls.items[number - 1];
	Dwarf_Die die = debug_unit_die(unit, number);
	const struct debug_function *function = function_of(info, unit, die);
	bool is_inlined = call->parent;

	*array_add(&info->levels) = (struct debug_level){.function = function->name,
		.file = file,
		.line = line,
		.decl_file = function->decl_file,
		.decl_line = function->decl_line,
		.entry = call->entry,
		.copy = is_inlined && !function->is_full_name ? copy_of(unit, die) : 0,
		.is_inlined = is_inlined,
		.is_full_name = function->is_full_name};
}

size_t debug_info_find(
	struct debug_info *info, uint64_t file_addr, const struct debug_level **levels)
{
	struct debug_unit *unit = unit_at(info, file_addr);
	const struct line_row *row;
	const char *file = NULL;
	uint32_t line = 0, number;

	info->levels.count = 0;
	if (!unit)
		return 0;
	row = line_table_find(&unit->lines, file_addr);
	if (row) {
		file = line_files_path(&unit->lines.files, row->file);
		line = row->line;
	}
	number = debug_unit_find(unit, file_addr);
	if (!number && file)
		*array_add(&info->levels) = (struct debug_level){.file = file, .line = line};
	for (; number; number = unit->calls.items[number - 1].parent) {
		const struct debug_call *call = &unit->calls.items[number - 1];

		add_level(info, unit, number, file, line);
		file = line_files_path(&unit->lines.files, call->file);
		line = call->line;
	}
	*levels = info->levels.items;
	return info->levels.count;
}
