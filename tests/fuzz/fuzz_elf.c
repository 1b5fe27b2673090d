/* ELF files: headers, sections, addresses, and the names of their debug files. */
#include "elf/elf_file.h"

#include "elf_mutator.h"
#include "fuzz.h"

#include <unistd.h>

static const char *const sections[] = {
	".note", ".gnu_debug", ".shstrtab", ".debug_str", ".zdebug", ".eh_frame_hdr", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return elf_mutate(data, size, max, seed, sections);
}

static void read_sections(const struct elf_file *file)
{
	static const char *const names[] = {".text", ".symtab", ".debug_info", ".debug_line",
		".debug_str", ".eh_frame", ".gnu_debugdata", ".gnu_debugaltlink", "", ".bss"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct elf_section section;

		if (elf_file_section(file, names[i], &section))
			fuzz_touch(section.bytes, section.size);
	}
}

static void read_addresses(const struct elf_file *file)
{
	uint64_t low, high, file_addr;
	uint8_t bytes[64];

	elf_file_text_range(file, &low, &high);
	for (uint64_t offset = 0; offset < 0x8000; offset += 0x333)
		if (elf_file_addr(file, offset, &file_addr))
			elf_file_read(file, file_addr, bytes, sizeof(bytes));
	elf_file_read(file, low, bytes, sizeof(bytes));
	elf_file_read(file, high - 8, bytes, 8);
	elf_file_read(file, UINT64_MAX - 7, bytes, sizeof(bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_file image;
	struct elf_file *file, *debug, *alternate;

	fuzz_file_set(&image, data, size);
	/* The name's directory is where debug links are looked for. */
	file = elf_file_open_fd(image.fd, "/proc/self/exe", NULL);
	if (!file)
		return 0;
	read_sections(file);
	read_addresses(file);
	debug = elf_file_debug(file);
	alternate = elf_file_alternate(file);
	elf_file_close(alternate);
	elf_file_close(debug);
	elf_file_close(file);
	return 0;
}
