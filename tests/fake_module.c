#include "fake_module.h"

#include "elf/elf_file.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_put(struct fake_section *section, uint64_t value, size_t size)
{
	if (section->size + size > FAKE_SECTION_BYTES)
		abort();
	memcpy(section->bytes + section->size, &value, size);
	section->size += (uint32_t)size;
}

static void put_bytes(struct fake_section *section, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		fake_put(section, ((const uint8_t *)bytes)[i], 1);
}

static void put_uleb(struct fake_section *section, uint64_t value)
{
	do {
		fake_put(section, (value & 0x7f) | (value >> 7 ? 0x80 : 0), 1);
		value >>= 7;
	} while (value);
}

/* Pads with DW_CFA_nop and fills in the length. */
static void finish(struct fake_section *section, uint32_t start)
{
	uint32_t length;

	while ((section->size - start) % 8)
		fake_put(section, 0, 1);
	length = section->size - start - 4;
	memcpy(section->bytes + start, &length, 4);
}

/* An address in the section's encoding: formats of LEB128, 2, 4 and 8 bytes, all relations. */
static void put_pointer(struct fake_section *section, uint64_t value)
{
	static const uint64_t bases[] = {0, 0, FAKE_TEXT, FAKE_GOT, 0};
	uint64_t place = (section->is_debug ? FAKE_DEBUG : FAKE_EH) + section->size;
	uint8_t format = section->encoding & 0x0f, relation = section->encoding >> 4 & 7;

	if (relation == 5) { /* aligned */
		while (section->size % 8)
			fake_put(section, 0, 1);
		fake_put(section, value, 8);
		return;
	}
	value -= relation == 1 ? place : bases[relation];
	if (format == 1)
		put_uleb(section, value);
	else
		fake_put(section, value, (format & 7) == 2 ? 2 : (format & 7) == 3 ? 4 : 8);
}

uint32_t fake_cie(struct fake_section *section, const char *augmentation, uint8_t encoding,
	const uint8_t *code, size_t code_bytes)
{
	uint32_t start = section->size;
	uint8_t version = section->version ? section->version : 1;

	section->encoding = encoding;
	section->has_data = augmentation[0] == 'z';
	fake_put(section, 0, 4);
	fake_put(section, section->is_debug ? 0xffffffff : 0, 4);
	fake_put(section, version, 1);
	put_bytes(section, augmentation, strlen(augmentation) + 1);
	if (version == 4)
		fake_put(section, 8, 2); /* address size 8, segment size 0 */
	fake_put(section, 1, 1);
	fake_put(section, 0x78, 1);
	fake_put(section, 16, 1);
	if (section->has_data) {
		uint32_t length_place = section->size;

		fake_put(section, 0, 1);
		for (const char *letter = augmentation + 1; *letter; letter++) {
			if (*letter == 'R' || *letter == 'L')
				fake_put(section, *letter == 'R' ? encoding : 0x1b, 1);
			if (*letter == 'P')
				fake_put(section, 0x1234569b, 5); /* indirect pcrel sdata4 */
		}
		section->bytes[length_place] = (uint8_t)(section->size - length_place - 1);
	}
	put_bytes(section, code, code_bytes);
	finish(section, start);
	return start;
}

uint32_t fake_fde(struct fake_section *section, uint32_t cie, uint64_t start, uint64_t size,
	const uint8_t *code, size_t code_bytes)
{
	uint32_t place = section->size;
	uint8_t encoding = section->encoding;

	fake_put(section, 0, 4);
	fake_put(section, section->is_debug ? cie : place + 4 - cie, 4);
	if (section->is_debug)
		section->encoding = 0;
	put_pointer(section, start);
	section->encoding &= 0x0f; /* a size is relative to nothing */
	put_pointer(section, size);
	section->encoding = encoding;
	if (section->has_data)
		fake_put(section, 0, 1);
	put_bytes(section, code, code_bytes);
	finish(section, place);
	return place;
}

/* name is an offset into the names below. */
static Elf64_Shdr section_header(
	uint32_t name, uint32_t type, uint64_t addr, uint64_t offset, uint64_t size)
{
	return (Elf64_Shdr){.sh_name = name,
		.sh_type = type,
		.sh_addr = addr,
		.sh_offset = offset,
		.sh_size = size,
		.sh_addralign = 1};
}

struct elf_file *fake_file(const struct fake_module *module)
{
	static const char names[] = "\0.eh_frame\0.debug_frame\0.text\0.got\0.shstrtab";
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr text;
		uint8_t eh[FAKE_SECTION_BYTES], debug[FAKE_SECTION_BYTES];
		char names[sizeof(names)];
		Elf64_Shdr sections[6] __attribute__((aligned(8)));
	} *image = calloc(1, sizeof(*image));
	struct elf_file *file;
	struct error err = {0};

	memcpy(image->header.e_ident, ELFMAG "\2\1\1", 7);
	image->header.e_type = ET_DYN;
	image->header.e_machine = module->machine ? module->machine : EM_X86_64;
	image->header.e_version = 1;
	image->header.e_entry = module->entry;
	image->header.e_phoff = sizeof(image->header);
	image->header.e_shoff = (uint64_t)((char *)image->sections - (char *)image);
	image->header.e_ehsize = sizeof(image->header);
	image->header.e_phentsize = sizeof(image->text);
	image->header.e_phnum = 1;
	image->header.e_shentsize = sizeof(image->sections[0]);
	image->header.e_shnum = 6;
	image->header.e_shstrndx = 5;
	image->text = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = FAKE_TEXT,
		.p_memsz = FAKE_TEXT_END - FAKE_TEXT,
		.p_align = 4096};
	memcpy(image->eh, module->eh.bytes, sizeof(image->eh));
	memcpy(image->debug, module->debug.bytes, sizeof(image->debug));
	memcpy(image->names, names, sizeof(names));
	image->sections[1] = section_header(module->eh.size ? 1 : 0, SHT_PROGBITS, FAKE_EH,
		(uint64_t)((char *)image->eh - (char *)image), module->eh.size);
	image->sections[2] = section_header(module->debug.size ? 11 : 0, SHT_PROGBITS, FAKE_DEBUG,
		(uint64_t)((char *)image->debug - (char *)image), module->debug.size);
	image->sections[3] = section_header(24, SHT_NOBITS, FAKE_TEXT, 0, 0x8000);
	image->sections[4] = section_header(30, SHT_NOBITS, FAKE_GOT, 0, 8);
	image->sections[5] = section_header(
		35, SHT_STRTAB, 0, (uint64_t)(image->names - (char *)image), sizeof(names));
	file = elf_file_from_memory(image, sizeof(*image), "fake", &err);
	free(image);
	if (!file) {
		fprintf(stderr, "fake_module: %s\n", err.text);
		abort();
	}
	return file;
}

struct unwind_rows *fake_rows(const struct fake_module *module)
{
	struct elf_file *file = fake_file(module);
	struct error err;
	struct unwind_rows *rows = unwind_rows_compile(file, &err);

	elf_file_close(file);
	return rows;
}

const char *fake_rows_text(const struct fake_module *module)
{
	static char text[65536];
	struct unwind_rows *rows = fake_rows(module);
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < rows->row_count && used < sizeof(text) - 512; i++) {
		uint64_t file_addr;
		char rule[400];

		unwind_rule_text(unwind_rows_at(rows, i, &file_addr), rule, sizeof(rule));
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%lx %s\n",
			(unsigned long)file_addr, rule);
	}
	unwind_rows_free(rows);
	return text;
}
