#include "symbols/line_table.h"

#include "unwind/bytes.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

/* A file or directory entry has at most so many fields: path, directory, time, size, MD5, source.
 */
#define FIELDS_MAX 16

struct line_header {
	uint16_t version;
	uint8_t offset_size; /* 4, or 8 in 64-bit DWARF */
	uint8_t instruction_size, opcode_base, line_range;
	int8_t line_base;
	uint8_t operand_counts[256]; /* of the standard opcodes */
	struct bytes tables;	     /* directories and files */
	struct bytes program;
};

/* --- header -------------------------------------------------------------------------------------
 */

/* Narrows `bytes` to its next `size` bytes. */
static struct bytes take(struct bytes *bytes, uint64_t size)
{
	struct bytes taken = *bytes;

	bytes_skip(bytes, size);
	taken.end = bytes->at;
	taken.bad = bytes->bad;
	return taken;
}

/* What says how the rest is to be read; false when this is no line table. */
static bool read_header(
	struct line_header *header, const struct line_sections *sections, uint64_t offset)
{
	struct bytes bytes = {sections->line.bytes, sections->line.bytes + sections->line.size};
	struct bytes unit, head;
	uint64_t length;

	bytes_skip(&bytes, offset);
	length = bytes_fixed(&bytes, 4);
	header->offset_size = length == 0xffffffff ? 8 : 4;
	if (header->offset_size == 8)
		length = bytes_fixed(&bytes, 8);
	unit = take(&bytes, length);
	header->version = bytes_fixed(&unit, 2);
	if (header->version >= 5)
		bytes_skip(&unit, 2); /* sizes of an address and of a segment selector */
	length = bytes_fixed(&unit, header->offset_size);
	head = take(&unit, length);
	header->program = unit;
	header->instruction_size = bytes_u8(&head);
	if (header->version >= 4)
		bytes_skip(&head, 1); /* operations per instruction: 1 outside of VLIW machines */
	bytes_skip(&head, 1);	      /* whether rows start as statements: no matter here */
	header->line_base = bytes_u8(&head);
	header->line_range = bytes_u8(&head);
	header->opcode_base = bytes_u8(&head);
	for (unsigned i = 1; i < header->opcode_base; i++)
		header->operand_counts[i] = bytes_u8(&head);
	header->tables = head;
	return !head.bad && !unit.bad && header->version >= 2 && header->version <= 5 &&
	       header->line_range && header->opcode_base;
}

/* A string up to its NUL; NULL: it has none. */
static const char *read_string(struct bytes *bytes)
{
	const char *text = (const char *)bytes->at;

	bytes_skip(bytes, strnlen(text, bytes_left(bytes)) + 1);
	return bytes->bad ? NULL : text;
}

static const char *string_at(const struct elf_section *section, uint64_t offset)
{
	struct bytes bytes = {section->bytes, section->bytes + section->size};

	bytes_skip(&bytes, offset);
	return bytes.bad || !bytes_left(&bytes) ? NULL : read_string(&bytes);
}

/* --- files --------------------------------------------------------------------------------------
 */

static void add_file(struct line_files *files, struct bytes *bytes)
{
	const char *name = read_string(bytes);
	uint64_t directory = bytes_uleb(bytes);

	bytes_uleb(bytes); /* time of last change */
	bytes_uleb(bytes); /* size */
	if (!bytes->bad)
		*array_add(&files->files) = (struct line_file){name, directory};
}

/* Before DWARF 5: strings, ended by an empty one; number 0 is the unit's directory and no file. */
static void read_old_tables(struct line_files *files, struct bytes bytes)
{
	*array_add(&files->directories) = NULL;
	while (bytes_left(&bytes) && *bytes.at) {
		const char *directory = read_string(&bytes);

		if (directory)
			*array_add(&files->directories) = directory;
	}
	bytes_skip(&bytes, 1);
	while (bytes_left(&bytes) && *bytes.at)
		add_file(files, &bytes);
}

struct field {
	uint64_t content, form;
};

/* One field of a DWARF 5 entry: a string, or a number. */
static void read_field(const struct line_header *header, const struct line_sections *sections,
	uint64_t form, struct bytes *bytes, const char **text, uint64_t *number)
{
	switch (form) {
	case DW_FORM_string:
		*text = read_string(bytes);
		break;
	case DW_FORM_line_strp:
		*text = string_at(&sections->line_strings, bytes_fixed(bytes, header->offset_size));
		break;
	case DW_FORM_strp:
		*text = string_at(&sections->strings, bytes_fixed(bytes, header->offset_size));
		break;
	case DW_FORM_strp_sup:
	case DW_FORM_sec_offset:
		bytes_skip(bytes, header->offset_size);
		break;
	case DW_FORM_data1:
		*number = bytes_u8(bytes);
		break;
	case DW_FORM_data2:
		*number = bytes_fixed(bytes, 2);
		break;
	case DW_FORM_data4:
		*number = bytes_fixed(bytes, 4);
		break;
	case DW_FORM_data8:
		*number = bytes_fixed(bytes, 8);
		break;
	case DW_FORM_udata:
		*number = bytes_uleb(bytes);
		break;
	case DW_FORM_data16: /* MD5 of the file */
		bytes_skip(bytes, 16);
		break;
	case DW_FORM_block:
		bytes_skip(bytes, bytes_uleb(bytes));
		break;
	default: /* of unknown length: what follows cannot be read */
		bytes->bad = true;
	}
}

/* DWARF 5: the fields' meanings, then the entries; directories and files alike. */
static void read_new_table(const struct line_header *header, const struct line_sections *sections,
	struct line_files *files, bool are_files, struct bytes *bytes)
{
	struct field fields[FIELDS_MAX];
	size_t field_count = bytes_u8(bytes);
	uint64_t count;

	if (field_count > FIELDS_MAX)
		bytes->bad = true;
	for (size_t i = 0; i < field_count && !bytes->bad; i++) {
		fields[i].content = bytes_uleb(bytes);
		fields[i].form = bytes_uleb(bytes);
	}
	count = bytes_uleb(bytes);
	/* Entries without fields take no bytes: a damaged count would never end. */
	for (uint64_t n = 0; field_count && n < count && !bytes->bad && bytes_left(bytes); n++) {
		struct line_file file = {0};

		for (size_t i = 0; i < field_count; i++) {
			const char *text = NULL;
			uint64_t number = 0;

			read_field(header, sections, fields[i].form, bytes, &text, &number);
			if (fields[i].content == DW_LNCT_path)
				file.name = text;
			else if (fields[i].content == DW_LNCT_directory_index)
				file.directory = number;
		}
		if (bytes->bad)
			return;
		if (are_files)
			*array_add(&files->files) = file;
		else
			*array_add(&files->directories) = file.name;
	}
}

static void read_files(const struct line_header *header, const struct line_sections *sections,
	struct line_files *files)
{
	struct bytes bytes = header->tables;

	if (header->version < 5) {
		read_old_tables(files, bytes);
		return;
	}
	files->starts_at_0 = true;
	read_new_table(header, sections, files, false, &bytes);
	read_new_table(header, sections, files, true, &bytes);
}

void line_sections_find(struct line_sections *sections, const struct elf_file *debug)
{
	const struct {
		const char *name;
		struct elf_section *section;
	} wanted[] = {{".debug_line", &sections->line},
		{".debug_line_str", &sections->line_strings}, {".debug_str", &sections->strings}};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		if (!elf_file_section(debug, wanted[i].name, wanted[i].section))
			*wanted[i].section = (struct elf_section){0};
	}
}

void line_files_read(struct line_files *files, const struct line_sections *sections,
	uint64_t offset, const char *unit_directory)
{
	struct line_header header;

	files->unit_directory = unit_directory;
	if (read_header(&header, sections, offset))
		read_files(&header, sections, files);
}

void line_files_release(struct line_files *files)
{
	for (size_t i = 0; i < files->files.count; i++)
		free(files->files.items[i].path);
	array_release(&files->files);
	array_release(&files->directories);
}

/* A name is relative to its directory, and that to the unit's. */
static char *join_path(const struct line_files *files, const struct line_file *file)
{
	const char *outer = files->unit_directory;
	const char *inner = file->directory < files->directories.count
				    ? files->directories.items[file->directory]
				    : NULL;

	if (file->name[0] == '/' || (!inner && !outer))
		return alloc_string(file->name);
	if (!inner || !outer || inner[0] == '/')
		return alloc_format("%s/%s", inner ? inner : outer, file->name);
	return alloc_format("%s/%s/%s", outer, inner, file->name);
}

const char *line_files_path(struct line_files *files, uint64_t number)
{
	uint64_t index = files->starts_at_0 ? number : number - 1;
	struct line_file *file;

	if (index >= files->files.count)
		return NULL;
	file = &files->files.items[index];
	if (!file->path && file->name)
		file->path = join_path(files, file);
	return file->path;
}

/* --- rows ---------------------------------------------------------------------------------------
 */

struct sequence {
	uint64_t low;
	size_t first, count; /* in rows */
};

/* The line program's machine. */
struct machine {
	const struct line_header *header;
	struct line_table *table;
	uint64_t text_low, text_high;
	uint64_t address;
	uint64_t file;
	uint32_t line;
	size_t first; /* row of the current sequence */
	ARRAY(struct sequence) sequences;
};

static void start_sequence(struct machine *machine)
{
	machine->address = 0;
	machine->file = 1;
	machine->line = 1;
	machine->first = machine->table->rows.count;
}

static void add_row(struct machine *machine, uint32_t file, uint32_t line)
{
	struct line_table *table = machine->table;
	bool is_first = table->rows.count == machine->first;
	struct line_row *last = is_first ? NULL : &table->rows.items[table->rows.count - 1];

	if (last && last->low == machine->address)
		*last = (struct line_row){machine->address, file, line};
	else if (!last || last->file != file || last->line != line)
		*array_add(&table->rows) = (struct line_row){machine->address, file, line};
}

static void end_sequence(struct machine *machine)
{
	struct line_table *table = machine->table;
	size_t count;

	add_row(machine, LINE_ROW_END, 0);
	count = table->rows.count - machine->first;
	if (table->rows.items[machine->first].low < machine->text_low ||
		machine->address > machine->text_high)
		table->rows.count = machine->first;
	else
		*array_add(&machine->sequences) = (struct sequence){
			table->rows.items[machine->first].low, machine->first, count};
	start_sequence(machine);
}

static void run_extended(struct machine *machine, struct bytes *program)
{
	struct bytes operand = take(program, bytes_uleb(program));

	if (!bytes_left(&operand))
		return;
	switch (bytes_u8(&operand)) {
	case DW_LNE_end_sequence:
		end_sequence(machine);
		break;
	case DW_LNE_set_address:
		machine->address = bytes_fixed(&operand, bytes_left(&operand) < 8 ? 4 : 8);
		break;
	case DW_LNE_define_file:
		add_file(&machine->table->files, &operand);
		break;
	}
}

static void advance(struct machine *machine, uint64_t instructions)
{
	machine->address += instructions * machine->header->instruction_size;
}

static void run_standard(struct machine *machine, uint8_t opcode, struct bytes *program)
{
	const struct line_header *header = machine->header;

	switch (opcode) {
	case DW_LNS_copy:
		add_row(machine, machine->file, machine->line);
		break;
	case DW_LNS_advance_pc:
		advance(machine, bytes_uleb(program));
		break;
	case DW_LNS_advance_line:
		machine->line += bytes_sleb(program);
		break;
	case DW_LNS_set_file:
		machine->file = bytes_uleb(program);
		break;
	case DW_LNS_const_add_pc:
		advance(machine, (255 - header->opcode_base) / header->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		machine->address += bytes_fixed(program, 2);
		break;
	default:
		for (unsigned i = 0; i < header->operand_counts[opcode]; i++)
			bytes_uleb(program);
	}
}

static void run_program(struct machine *machine)
{
	const struct line_header *header = machine->header;
	struct bytes program = header->program;

	start_sequence(machine);
	while (bytes_left(&program) && !program.bad) {
		uint8_t opcode = bytes_u8(&program);

		if (opcode >= header->opcode_base) {
			uint8_t special = opcode - header->opcode_base;

			advance(machine, special / header->line_range);
			machine->line += header->line_base + special % header->line_range;
			add_row(machine, machine->file, machine->line);
		} else if (opcode == 0) {
			run_extended(machine, &program);
		} else {
			run_standard(machine, opcode, &program);
		}
	}
	machine->table->rows.count = machine->first; /* a sequence that has no end is damaged */
}

static int compare_sequences(const void *left, const void *right)
{
	const struct sequence *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

/* Rows that do not increase are left out, for the search's sake. */
static void append_row(struct line_table *sorted, struct line_row row)
{
	struct line_row *last =
		sorted->rows.count ? &sorted->rows.items[sorted->rows.count - 1] : NULL;

	if (!last || last->low < row.low)
		*array_add(&sorted->rows) = row;
	else if (last->low == row.low && last->file == LINE_ROW_END)
		*last = row;
}

/*
 * Puts the sequences in the order of their addresses: one begins where its predecessor ends or
 * later, or both are damaged.
 */
static void sort_rows(struct machine *machine)
{
	struct line_table *table = machine->table;
	struct line_table sorted = {.files = table->files};

	if (machine->sequences.count)
		qsort(machine->sequences.items, machine->sequences.count, sizeof(struct sequence),
			compare_sequences);
	array_reserve(&sorted.rows, table->rows.count);
	for (size_t i = 0; i < machine->sequences.count; i++) {
		const struct sequence *sequence = &machine->sequences.items[i];

		for (size_t k = 0; k < sequence->count; k++)
			append_row(&sorted, table->rows.items[sequence->first + k]);
	}
	array_release(&table->rows);
	*table = sorted;
}

void line_table_read(struct line_table *table, const struct line_sections *sections,
	uint64_t offset, const char *unit_directory, uint64_t text_low, uint64_t text_high)
{
	struct line_header header;
	struct machine machine = {
		.header = &header, .table = table, .text_low = text_low, .text_high = text_high};

	table->files.unit_directory = unit_directory;
	if (!read_header(&header, sections, offset))
		return;
	read_files(&header, sections, &table->files);
	run_program(&machine);
	sort_rows(&machine);
	array_release(&machine.sequences);
}

void line_table_release(struct line_table *table)
{
	line_files_release(&table->files);
	array_release(&table->rows);
}

const struct line_row *line_table_find(const struct line_table *table, uint64_t file_addr)
{
	size_t low = 0, high = table->rows.count;
	const struct line_row *row;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->rows.items[middle].low <= file_addr)
			low = middle + 1;
		else
			high = middle;
	}
	row = low ? &table->rows.items[low - 1] : NULL;
	return row && row->file != LINE_ROW_END ? row : NULL;
}
