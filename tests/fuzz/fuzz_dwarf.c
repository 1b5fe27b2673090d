/* DWARF: units, functions, inlined calls and line tables, as naming an address reads them. */
#include "symbols/symbolizer.h"

#include "elf_mutator.h"
#include "fuzz.h"

static const char *const sections[] = {".debug_info", ".debug_abbrev", ".debug_line",
	".debug_rnglists", ".debug_ranges", ".debug_str", ".debug_addr", ".debug_a", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return elf_mutate(data, size, max, seed, sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_file image;
	const struct symbol_line *lines;
	struct symbol_module *module;
	struct elf_file *file;
	uint64_t low, high;

	fuzz_file_set(&image, data, size);
	file = elf_file_open_fd(image.fd, "seed", NULL);
	if (!file)
		return 0;
	module = symbol_module_open(file);
	elf_file_text_range(file, &low, &high);
	for (uint64_t i = 0; i < 1024; i++)
		symbol_module_resolve(module, low + i * 3, &lines);
	symbol_module_sources(module);
	symbol_module_close(module);
	elf_file_close(file);
	return 0;
}
