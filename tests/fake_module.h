/*
 * fake_module: an ELF file of nothing but call frame information, put together byte by byte, for
 * tests of the CFI parser and the walk.
 *
 *     struct fake_module module = {.entry = 0};
 *     uint32_t cie = fake_cie(&module.eh, "zR", 0x1b, FAKE_USUAL);
 *     fake_fde(&module.eh, cie, 0x1000, 0x20, FAKE(0x41, 0x0e, 16, 0x86, 2));
 *     rows = fake_rows(&module);
 *
 * Its code lies at file_addr FAKE_TEXT to FAKE_TEXT_END, .eh_frame at FAKE_EH and so on.
 */
#pragma once

#include "unwind/rows.h"

#include <stddef.h>
#include <stdint.h>

#define FAKE_TEXT     0x1000
#define FAKE_TEXT_END 0x9000
#define FAKE_EH	      0x20000
#define FAKE_DEBUG    0x30000
#define FAKE_GOT      0x40000

#define FAKE_SECTION_BYTES 8192

/* Bytes of instructions, and how many they are. */
#define FAKE(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* def_cfa rsp+8, ra at cfa-8: how every x86-64 CIE begins. */
#define FAKE_USUAL FAKE(0x0c, 7, 8, 0x90, 1)

struct fake_section {
	uint8_t bytes[FAKE_SECTION_BYTES];
	uint32_t size;
	bool is_debug;	  /* .debug_frame rather than .eh_frame */
	uint8_t version;  /* of the CIEs; 0: 1 */
	uint8_t encoding; /* of the addresses, as last given to fake_cie */
	bool has_data;	  /* augmentation 'z', likewise */
};

struct fake_module {
	struct fake_section eh, debug;
	uint64_t entry;
	uint16_t machine; /* 0: EM_X86_64 */
};

void fake_put(struct fake_section *section, uint64_t value, size_t size);

/* Both return where the entry lies. The CIE has code alignment 1, data alignment -8. */
uint32_t fake_cie(struct fake_section *section, const char *augmentation, uint8_t encoding,
	const uint8_t *code, size_t code_bytes);
uint32_t fake_fde(struct fake_section *section, uint32_t cie, uint64_t start, uint64_t size,
	const uint8_t *code, size_t code_bytes);

struct elf_file *fake_file(const struct fake_module *module);
struct unwind_rows *fake_rows(const struct fake_module *module);

/* All rows as text, "1000 cfa rsp+8, ra cfa-8\n1001 ..."; static memory of the call. */
const char *fake_rows_text(const struct fake_module *module);
