#include "symbols/symbolizer.h"

#include "base/array.h"
#include "symbols/debug_info.h"
#include "symbols/debuginfod.h"
#include "symbols/symbol_table.h"

#include <string.h>

struct symbol_module {
	struct elf_file *file;
	struct elf_file *debug;	 /* NULL: none */
	struct debug_info *info; /* NULL: none */
	struct symbol_table *table;
	ARRAY(struct symbol_line) lines;
};

static struct elf_file *find_debug(struct elf_file *file)
{
	struct elf_file *debug = elf_file_debug(file);

	return debug ? debug : debuginfod_fetch(elf_file_build_id(file));
}

struct symbol_module *symbol_module_open(struct elf_file *file)
{
	struct symbol_module *module = alloc_zeroed(1, sizeof(*module));
	uint64_t low, high;

	module->file = elf_file_reference(file);
	module->debug = find_debug(file);
	module->table = symbol_table_open(file, module->debug);
	elf_file_text_range(file, &low, &high);
	if (module->debug)
		module->info = debug_info_open(module->debug, low, high);
	return module;
}

void symbol_module_close(struct symbol_module *module)
{
	if (!module)
		return;
	array_release(&module->lines);
	debug_info_close(module->info);
	symbol_table_close(module->table);
	elf_file_close(module->debug);
	elf_file_close(module->file);
	free(module);
}

/* DWARF has no scope and parameters for a C++ function of one unit only: its symbol has. */
static const char *better_name(struct symbol_module *module, const struct debug_level *level)
{
	uint64_t address = level->is_inlined ? level->copy : level->entry;
	struct symbol symbol;

	if (level->is_full_name || !address ||
		!symbol_table_find(module->table, address, &symbol) || symbol.entry != address)
		return level->function;
	return symbol.was_mangled || !level->function ? symbol.plain_name : level->function;
}

static void add_level(struct symbol_module *module, const struct debug_level *level)
{
	*array_add(&module->lines) = (struct symbol_line){.function = better_name(module, level),
		.file = level->file,
		.line = level->line,
		.decl_file = level->decl_file,
		.decl_line = level->decl_line,
		.entry = level->entry,
		.is_inlined = level->is_inlined};
}

/* What DWARF does not know: the name at most, the line stays. */
static void add_symbol(
	struct symbol_module *module, const struct debug_level *level, uint64_t file_addr)
{
	struct symbol symbol = {0};

	if (symbol_table_find(module->table, file_addr, &symbol) || level)
		*array_add(&module->lines) = (struct symbol_line){.function = symbol.name,
			.file = level ? level->file : NULL,
			.line = level ? level->line : 0,
			.entry = symbol.entry};
}

size_t symbol_module_resolve(
	struct symbol_module *module, uint64_t file_addr, const struct symbol_line **lines)
{
	const struct debug_level *levels = NULL;
	size_t count = module->info ? debug_info_find(module->info, file_addr, &levels) : 0;

	module->lines.count = 0;
	if (!count || !levels[count - 1].entry)
		add_symbol(module, count ? &levels[0] : NULL, file_addr);
	else
		for (size_t i = 0; i < count; i++)
			add_level(module, &levels[i]);
	*lines = module->lines.items;
	return module->lines.count;
}

struct symbol_sources symbol_module_sources(const struct symbol_module *module)
{
	struct symbol_sources sources = {
		.debug_path = module->info ? elf_file_name(module->debug) : NULL};

	symbol_table_counts(
		module->table, &sources.symtab_count, &sources.dynsym_count, &sources.frame_count);
	if (module->info)
		sources.unit_count = debug_info_unit_count(module->info);
	return sources;
}
