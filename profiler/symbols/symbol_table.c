#include "symbols/symbol_table.h"

#include "base/array.h"
#include "elf/debug_data.h"
#include "symbols/demangle.h"
#include "symbols/plt.h"
#include "symbols/range_map.h"
#include "unwind/cfi.h"

#include <gelf.h>
#include <string.h>

struct entry {
	uint64_t low, size;
	const char *name; /* lies in a file */
	uint32_t number;  /* in its table: symbols of one source file lie together */
	uint8_t rank;	  /* the higher is preferred at one address */
	bool is_plt;
	bool is_named; /* the following are filled in */
	bool was_mangled;
	char *display; /* owned */
	char *plain;   /* owned; NULL: equal to display */
	uint64_t entry;
};

/* A function that is known by its call frame information only. */
struct bounds {
	uint64_t low, high;
};

struct symbol_table {
	struct elf_file *file, *debug;
	struct elf_file *inner; /* of .gnu_debugdata; NULL: none, or not needed */
	uint64_t text_low, text_high;
	ARRAY(struct entry) entries; /* sorted by address, one for each */
	ARRAY(struct bounds) frames; /* sorted by address */
	struct range_map entry_map;  /* -> number in entries + 1 */
	struct range_map frame_map;  /* -> number in frames + 1 */
	size_t symtab_count, dynsym_count;
};

/* --- reading ------------------------------------------------------------------------------------
 */

/* What is surely a function first, one with a size first, then how widely it is known; 0: no
 * function. */
static uint8_t rank_of(const GElf_Sym *symbol, const char *name)
{
	uint8_t rank;

	switch (GELF_ST_BIND(symbol->st_info)) {
	case STB_GLOBAL:
	case STB_GNU_UNIQUE:
		rank = 3;
		break;
	case STB_WEAK:
		rank = 2;
		break;
	default:
		rank = 1;
	}
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return rank + 16 + (symbol->st_size ? 16 : 0);
	case STT_NOTYPE: /* labels of assembly; not the assembler's own (.L1) nor ARM's ($x) */
		return name[0] == '.' || name[0] == '$' ? 0 : rank;
	default:
		return 0;
	}
}

static void add_symbol(
	struct symbol_table *table, const GElf_Sym *symbol, const char *name, uint32_t number)
{
	uint8_t rank;

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS || !name || !*name ||
		symbol->st_value < table->text_low || symbol->st_value >= table->text_high)
		return;
	rank = rank_of(symbol, name);
	if (rank)
		*array_add(&table->entries) = (struct entry){.low = symbol->st_value,
			.size = symbol->st_size,
			.name = name,
			.number = number,
			.rank = rank};
}

/*
 * The functions in the file's table of this type (SHT_SYMTAB, SHT_DYNSYM), of which a file has one:
 * headers of many that share their contents would cost as much memory as many. Returns how many
 * there were.
 */
static size_t add_symbols(struct symbol_table *table, const struct elf_file *file, uint32_t type)
{
	Elf *elf = elf_file_handle(file);
	Elf_Scn *section = NULL;
	size_t before = table->entries.count;

	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		GElf_Sym symbol;
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != type)
			continue;
		data = elf_getdata(section, NULL);
		for (int i = 1; data && gelf_getsym(data, i, &symbol); i++)
			add_symbol(
				table, &symbol, elf_strptr(elf, header.sh_link, symbol.st_name), i);
		break;
	}
	return table->entries.count - before;
}

static void add_plt(struct symbol_table *table)
{
	struct plt plt = {0};

	plt_read(&plt, table->file);
	for (size_t i = 0; i < plt.stubs.count; i++) {
		const struct plt_stub *stub = &plt.stubs.items[i];

		*array_add(&table->entries) = (struct entry){.low = stub->low,
			.size = stub->high - stub->low,
			.name = stub->target,
			.rank = 1,
			.is_plt = true};
	}
	plt_release(&plt);
}

static void read_frames(struct cfi *cfi, const struct elf_file *file, const char *name, bool is_eh)
{
	struct elf_section section, eh_header = {0};

	if (!elf_file_section(file, name, &section) || !section.bytes)
		return;
	elf_file_section(file, ".eh_frame_hdr", &eh_header);
	cfi_read(cfi, &(struct cfi_section){.bytes = section.bytes,
			      .size = section.size,
			      .file_addr = section.file_addr,
			      .is_eh = is_eh,
			      .data_addr = eh_header.file_addr});
}

static int compare_bounds(const void *left, const void *right)
{
	const struct bounds *a = left, *b = right;

	return a->low < b->low ? -1 : a->low > b->low;
}

static void add_frames(struct symbol_table *table)
{
	struct cfi cfi = {.low = table->text_low, .high = table->text_high};

	read_frames(&cfi, table->file, ".eh_frame", true);
	read_frames(&cfi, table->file, ".debug_frame", false);
	for (size_t i = 0; i < cfi.functions.count; i++) {
		const struct cfi_function *function = &cfi.functions.items[i];

		*array_add(&table->frames) = (struct bounds){function->start, function->end};
	}
	cfi_release(&cfi);
	if (table->frames.count)
		qsort(table->frames.items, table->frames.count, sizeof(struct bounds),
			compare_bounds);
	for (size_t i = 0; i < table->frames.count; i++)
		range_map_add(&table->frame_map, (struct range){table->frames.items[i].low,
							 table->frames.items[i].high, i + 1});
	range_map_seal(&table->frame_map);
}

/* --- which one holds an address -----------------------------------------------------------------
 */

/* By address; there the preferred one first. The last resort is the name: always the same answer.
 */
static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	size_t a_underscores, b_underscores;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	a_underscores = strspn(a->name, "_");
	b_underscores = strspn(b->name, "_");
	if (a_underscores != b_underscores)
		return a_underscores < b_underscores ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void keep_preferred(struct symbol_table *table)
{
	size_t kept = 0;

	if (table->entries.count)
		qsort(table->entries.items, table->entries.count, sizeof(struct entry),
			compare_entries);
	for (size_t i = 0; i < table->entries.count; i++) {
		const struct entry *entry = &table->entries.items[i];

		if (!kept || table->entries.items[kept - 1].low != entry->low)
			table->entries.items[kept++] = *entry;
	}
	table->entries.count = kept;
}

/* Where the code at `low` ends at the latest by the frame information: of its function or the next.
 */
static uint64_t frame_end(const struct symbol_table *table, uint64_t low)
{
	uint32_t inside = range_map_find(&table->frame_map, low);
	size_t first = 0, last = table->frames.count;

	if (inside)
		return table->frames.items[inside - 1].high;
	while (first < last) {
		size_t middle = first + (last - first) / 2;

		if (table->frames.items[middle].low <= low)
			first = middle + 1;
		else
			last = middle;
	}
	return first < table->frames.count ? table->frames.items[first].low : table->text_high;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * A symbol without a size is a label of assembly: within one that has a size it is a place in that,
 * elsewhere a function that ends where something else starts.
 */
static void map_entries(struct symbol_table *table)
{
	uint64_t sized_end = 0;

	for (size_t i = 0; i < table->entries.count; i++) {
		const struct entry *entry = &table->entries.items[i];
		uint64_t next = i + 1 < table->entries.count ? entry[1].low : table->text_high;
		uint64_t end = entry->low + smaller(entry->size, table->text_high - entry->low);

		if (end > sized_end)
			sized_end = end;
		else if (!entry->size && entry->low < sized_end)
			continue;
		if (!entry->size)
			end = smaller(next, frame_end(table, entry->low));
		range_map_add(&table->entry_map, (struct range){entry->low, end, i + 1});
	}
	range_map_seal(&table->entry_map);
}

struct symbol_table *symbol_table_open(struct elf_file *file, struct elf_file *debug)
{
	struct symbol_table *table = alloc_zeroed(1, sizeof(*table));

	table->file = elf_file_reference(file);
	table->debug = debug ? elf_file_reference(debug) : NULL;
	elf_file_text_range(file, &table->text_low, &table->text_high);
	table->symtab_count = add_symbols(table, file, SHT_SYMTAB);
	if (!table->symtab_count && debug && debug != file)
		table->symtab_count = add_symbols(table, debug, SHT_SYMTAB);
	if (!table->symtab_count)
		table->inner = debug_data_open(file);
	if (table->inner)
		table->symtab_count = add_symbols(table, table->inner, SHT_SYMTAB);
	table->dynsym_count = add_symbols(table, file, SHT_DYNSYM);
	add_plt(table);
	add_frames(table);
	keep_preferred(table);
	map_entries(table);
	return table;
}

void symbol_table_close(struct symbol_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->entries.count; i++) {
		free(table->entries.items[i].display);
		free(table->entries.items[i].plain);
	}
	array_release(&table->entries);
	array_release(&table->frames);
	range_map_release(&table->entry_map);
	range_map_release(&table->frame_map);
	elf_file_close(table->file);
	elf_file_close(table->debug);
	elf_file_close(table->inner);
	free(table);
}

/* --- naming -------------------------------------------------------------------------------------
 */

/* Where ".cold" or ".cold.12" begins at the end of the name; 0: nowhere. */
static size_t cold_suffix(const char *name)
{
	const char *suffix = NULL, *end;

	for (const char *at = name; (at = strstr(at, ".cold")); at++)
		suffix = at;
	if (!suffix)
		return 0;
	end = suffix + strlen(".cold");
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	return *end ? 0 : suffix - name;
}

static size_t distance(size_t a, size_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * The function that `cold` is a part of: of several static ones of that name the one that is
 * nearest in the symbol table, which is in the order of the source files.
 */
static const struct entry *hot_part(
	const struct symbol_table *table, const struct entry *cold, size_t length)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < table->entries.count; i++) {
		const struct entry *entry = &table->entries.items[i];

		if (strncmp(entry->name, cold->name, length) || entry->name[length])
			continue;
		if (!best || distance(entry->number, cold->number) <
				     distance(best->number, cold->number))
			best = entry;
	}
	return best;
}

/* "memcpy@@GLIBC_2.14" -> "memcpy"; a copy. */
static char *without_version(const char *name)
{
	size_t length = strcspn(name, "@");

	return alloc_string_n(name, length ? length : strlen(name));
}

/* "f(int) [clone .part.0]" -> "f(int)"; a copy, or NULL when there is nothing to cut. */
static char *without_clone(const char *name)
{
	const char *clone = strstr(name, " [clone .");

	return clone ? alloc_string_n(name, clone - name) : NULL;
}

static void name_entry(struct symbol_table *table, struct entry *entry)
{
	char *name = without_version(entry->name);
	size_t hot_length = cold_suffix(name);
	const struct entry *hot = NULL;

	if (hot_length) {
		hot = hot_part(table, entry, hot_length);
		name[hot_length] = '\0';
	}
	entry->entry = hot ? hot->low : entry->low;
	entry->display = demangle(name);
	entry->was_mangled = entry->display;
	if (!entry->display)
		entry->display = alloc_string(name);
	if (entry->is_plt) {
		char *target = entry->display;

		entry->display = alloc_format("%s@plt", target);
		free(target);
	}
	entry->plain = without_clone(entry->display);
	entry->is_named = true;
	free(name);
}

bool symbol_table_find(struct symbol_table *table, uint64_t file_addr, struct symbol *symbol)
{
	uint32_t number = range_map_find(&table->entry_map, file_addr);
	struct entry *entry;

	if (!number) {
		number = range_map_find(&table->frame_map, file_addr);
		if (number)
			*symbol = (struct symbol){.entry = table->frames.items[number - 1].low};
		return number;
	}
	entry = &table->entries.items[number - 1];
	if (!entry->is_named)
		name_entry(table, entry);
	*symbol = (struct symbol){.name = entry->display,
		.plain_name = entry->plain ? entry->plain : entry->display,
		.entry = entry->entry,
		.was_mangled = entry->was_mangled};
	return true;
}

void symbol_table_counts(
	const struct symbol_table *table, size_t *symtab, size_t *dynsym, size_t *frames)
{
	*symtab = table->symtab_count;
	*dynsym = table->dynsym_count;
	*frames = table->frames.count;
}
