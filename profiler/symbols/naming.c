#include "symbols/naming.h"

#include "symbols/kernel_symbols.h"
#include "symbols/symbolizer.h"

#include <stdio.h>

#define LEVELS_MAX    256 /* inlined calls within each other; more are cut */
#define PROGRESS_STEP 256
#define NAME_MAX_BYTES \
	16384 /* no name or path is longer; what a file says may be as long as it is */

struct run {
	const struct naming *naming;
	struct profile *profile;
	ARRAY(frame_id) unnamed; /* ordered by module, then address */
	size_t done;
	struct kernel_symbols *kernel; /* opened at the first kernel frame */
	bool kernel_was_tried;
};

static int by_module_and_address(const void *a, const void *b, void *context)
{
	const struct frames *frames = context;
	const struct frame *x = frames_at(frames, *(const frame_id *)a);
	const struct frame *y = frames_at(frames, *(const frame_id *)b);

	if (x->module != y->module)
		return x->module < y->module ? -1 : 1;
	return (x->file_addr > y->file_addr) - (x->file_addr < y->file_addr);
}

static void collect_unnamed(struct run *run)
{
	struct frames *frames = &run->profile->frames;

	for (frame_id id = 1; id <= frames->items.count; id++)
		if (frames_at(frames, id)->line_count == 0)
			*array_add(&run->unnamed) = id;
	if (run->unnamed.count)
		qsort_r(run->unnamed.items, run->unnamed.count, sizeof(frame_id),
			by_module_and_address, frames);
}

/* A frame of which at most the name is known. */
static void name_plainly(struct run *run, frame_id id, const char *name, uint64_t entry)
{
	struct profile *profile = run->profile;
	struct function function = {.name = strings_intern(&profile->strings, name),
		.module = frames_at(&profile->frames, id)->module,
		.entry = entry};
	struct line line = {.function = functions_intern(&profile->frames, &function)};

	frames_name(&profile->frames, id, &line, 1);
}

static void name_by_address(struct run *run, frame_id id, uint64_t entry)
{
	struct profile *profile = run->profile;
	const struct frame *frame = frames_at(&profile->frames, id);
	const struct module *module = modules_at(&profile->modules, frame->module);
	char name[300];

	if (!entry)
		entry = frame->file_addr;
	snprintf(name, sizeof(name), "[%.256s+0x%llx]",
		strings_get(&profile->strings, module->name), (unsigned long long)entry);
	name_plainly(run, id, name, entry);
}

static string_id intern_name(struct profile *profile, const char *name)
{
	return name ? strings_intern_n(&profile->strings, name, strnlen(name, NAME_MAX_BYTES)) : 0;
}

/* One of the symbolizer's levels in the model's terms. */
static struct line line_of(struct run *run, module_id module, const struct symbol_line *symbol)
{
	struct profile *profile = run->profile;
	struct function function = {.name = intern_name(profile, symbol->function),
		.module = module,
		.file = intern_name(profile, symbol->decl_file),
		.line = symbol->decl_line,
		.entry = symbol->entry};

	return (struct line){.function = functions_intern(&profile->frames, &function),
		.file = intern_name(profile, symbol->file),
		.line = symbol->line};
}

static void name_by_symbols(struct run *run, frame_id id, struct symbol_module *symbols)
{
	const struct frame *frame = frames_at(&run->profile->frames, id);
	module_id module = frame->module;
	const struct symbol_line *levels;
	struct line lines[LEVELS_MAX];
	size_t count = symbol_module_resolve(symbols, frame->file_addr, &levels), named = 0;

	for (size_t i = 0; i < count && named < LEVELS_MAX; i++)
		if (levels[i].function)
			lines[named++] = line_of(run, module, &levels[i]);
	if (named)
		frames_name(&run->profile->frames, id, lines, named);
	else
		name_by_address(run, id, count ? levels[count - 1].entry : 0);
}

static void step(struct run *run)
{
	const struct naming *naming = run->naming;

	if (++run->done % PROGRESS_STEP == 0 && naming->progress)
		naming->progress(naming->context, run->done, run->unnamed.count);
}

static void note_sources(struct module *module, struct symbol_module *symbols)
{
	struct symbol_sources sources = symbol_module_sources(symbols);

	if (sources.symtab_count || sources.dynsym_count)
		module->flags |= MODULE_HAS_SYMBOLS;
	if (sources.unit_count)
		module->flags |= MODULE_HAS_LINES;
}

static void name_file_frames(
	struct run *run, struct module *module, const frame_id *ids, size_t count)
{
	struct elf_file *file = run->naming->file(
		run->naming->context, frames_at(&run->profile->frames, ids[0])->module);
	struct symbol_module *symbols = file ? symbol_module_open(file) : NULL;

	if (symbols)
		note_sources(module, symbols);
	for (size_t i = 0; i < count; i++) {
		if (symbols)
			name_by_symbols(run, ids[i], symbols);
		else
			name_by_address(run, ids[i], 0);
		step(run);
	}
	symbol_module_close(symbols);
}

static void name_kernel_frames(
	struct run *run, struct module *module, const frame_id *ids, size_t count)
{
	struct error ignored; /* no names for kernel addresses then: said by the module's flags */

	if (!run->kernel_was_tried)
		run->kernel = kernel_symbols_open(NULL, &ignored);
	run->kernel_was_tried = true;
	if (run->kernel)
		module->flags |= MODULE_HAS_SYMBOLS;
	for (size_t i = 0; i < count; i++) {
		uint64_t address = frames_at(&run->profile->frames, ids[i])->file_addr;
		struct kernel_symbol symbol;

		if (run->kernel && kernel_symbols_resolve(run->kernel, address, &symbol))
			name_plainly(run, ids[i], symbol.function, symbol.entry);
		else
			name_plainly(run, ids[i], "[kernel]", 0);
		step(run);
	}
}

static void name_module(struct run *run, const frame_id *ids, size_t count)
{
	struct profile *profile = run->profile;
	struct module *module =
		modules_at(&profile->modules, frames_at(&profile->frames, ids[0])->module);

	switch (module->kind) {
	case MODULE_FILE:
	case MODULE_VDSO:
		name_file_frames(run, module, ids, count);
		break;
	case MODULE_KERNEL:
		name_kernel_frames(run, module, ids, count);
		break;
	default: /* nothing tells the parts of unnamed memory apart */
		for (size_t i = 0; i < count; i++)
			name_plainly(run, ids[i], strings_get(&profile->strings, module->name), 0);
	}
}

void naming_run(const struct naming *naming, struct profile *profile)
{
	struct run run = {.naming = naming, .profile = profile};
	size_t first = 0;

	collect_unnamed(&run);
	for (size_t i = 1; i <= run.unnamed.count; i++) {
		const frame_id *ids = run.unnamed.items;

		if (i < run.unnamed.count &&
			frames_at(&profile->frames, ids[i])->module ==
				frames_at(&profile->frames, ids[first])->module)
			continue;
		name_module(&run, ids + first, i - first);
		first = i;
	}
	kernel_symbols_close(run.kernel);
	array_release(&run.unnamed);
}
