/* Mini debug info: an xz stream within an ELF file, and the ELF file in that. */
#include "elf/debug_data.h"

#include "elf_mutator.h"
#include "fuzz.h"

static const char *const sections[] = {".gnu_debugdata", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return elf_mutate(data, size, max, seed, sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_file *file = elf_file_from_memory(data, size, "seed", NULL);

	if (!file)
		return 0;
	elf_file_close(debug_data_open(file));
	elf_file_close(file);
	return 0;
}
