#include "symbols/plt.h"

#include <gelf.h>
#include <string.h>

/* .rela.dyn and .rela.plt; headers of many tables may share their contents. */
#define TABLES_MAX 4

struct slot {
	uint64_t file_addr;
	const char *target;
};

struct slots {
	ARRAY(struct slot) items; /* sorted by address */
};

static int compare_slots(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	return a->file_addr < b->file_addr ? -1 : a->file_addr > b->file_addr;
}

static const char *target_of(Elf *elf, const GElf_Shdr *symbols, Elf_Data *data, size_t number)
{
	GElf_Sym symbol;

	if (!number || !gelf_getsym(data, number, &symbol))
		return NULL;
	return elf_strptr(elf, symbols->sh_link, symbol.st_name);
}

/* The slots that one relocation section fills; false: it is none of the dynamic linker's. */
static bool read_relocations(
	struct slots *slots, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Scn *symbols = elf_getscn(elf, header->sh_link);
	Elf_Data *data, *symbol_data;
	GElf_Shdr symbols_header;
	GElf_Rela relocation;

	if (!symbols || !gelf_getshdr(symbols, &symbols_header) ||
		symbols_header.sh_type != SHT_DYNSYM)
		return false;
	data = elf_getdata(section, NULL);
	symbol_data = elf_getdata(symbols, NULL);
	for (int i = 0; data && symbol_data && gelf_getrela(data, i, &relocation); i++) {
		unsigned type = GELF_R_TYPE(relocation.r_info);
		const char *target;

		if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
			continue;
		target =
			target_of(elf, &symbols_header, symbol_data, GELF_R_SYM(relocation.r_info));
		if (target && *target)
			*array_add(&slots->items) = (struct slot){relocation.r_offset, target};
	}
	return true;
}

static void read_slots(struct slots *slots, Elf *elf)
{
	Elf_Scn *section = NULL;
	int count = 0;

	while (count < TABLES_MAX && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_RELA)
			count += read_relocations(slots, elf, section, &header);
	}
	if (slots->items.count)
		qsort(slots->items.items, slots->items.count, sizeof(struct slot), compare_slots);
}

static const char *slot_target(const struct slots *slots, uint64_t file_addr)
{
	const struct slot key = {file_addr};
	const struct slot *found = bsearch(
		&key, slots->items.items, slots->items.count, sizeof(struct slot), compare_slots);

	return found ? found->target : NULL;
}

/* Every `jmp *offset(%rip)` through a known slot is a stub; stubs are aligned to their size. */
static void read_stubs(
	struct plt *plt, const struct slots *slots, const struct elf_section *section)
{
	for (size_t at = 0; at + 6 <= section->size; at++) {
		int32_t offset;
		uint64_t low, size;
		const char *target;

		if (section->bytes[at] != 0xff || section->bytes[at + 1] != 0x25)
			continue;
		memcpy(&offset, section->bytes + at + 2, sizeof(offset));
		target = slot_target(slots, section->file_addr + at + 6 + offset);
		if (!target)
			continue;
		low = section->file_addr + at;
		size = low % 16 == 8 ? 8 : 16; /* .plt.got without endbr64 has stubs of 8 bytes */
		low &= ~(uint64_t)(size - 1);
		*array_add(&plt->stubs) = (struct plt_stub){low, low + size, target};
	}
}

/* A stub of 8 bytes at an address that stubs of 16 might have: the next one tells. */
static void trim_overlaps(struct plt *plt)
{
	for (size_t i = 1; i < plt->stubs.count; i++) {
		if (plt->stubs.items[i - 1].high > plt->stubs.items[i].low &&
			plt->stubs.items[i - 1].low < plt->stubs.items[i].low)
			plt->stubs.items[i - 1].high = plt->stubs.items[i].low;
	}
}

void plt_read(struct plt *plt, const struct elf_file *file)
{
	static const char *const names[] = {".plt", ".plt.sec", ".plt.got"};
	struct slots slots = {0};

	if (elf_file_machine(file) != EM_X86_64 || !elf_file_is_64(file))
		return;
	read_slots(&slots, elf_file_handle(file));
	for (size_t i = 0; slots.items.count && i < sizeof(names) / sizeof(*names); i++) {
		struct elf_section section;

		if (elf_file_section(file, names[i], &section) && section.bytes)
			read_stubs(plt, &slots, &section);
	}
	trim_overlaps(plt);
	array_release(&slots.items);
}

void plt_release(struct plt *plt)
{
	array_release(&plt->stubs);
}
