/* What a process has in its memory where an ELF file was loaded: here the file as it is. */
#include "elf/loaded_image.h"
#include "symbols/symbol_table.h"
#include "unwind/rows.h"

#include "elf_mutator.h"
#include "fuzz.h"

#include <string.h>

#define ADDRESS UINT64_C(0x7f0000000000)

static const char *const sections[] = {
	".dynamic", ".dynsym", ".dynstr", ".gnu.hash", ".hash", ".eh_frame", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return elf_mutate(data, size, max, seed, sections);
}

struct memory {
	const uint8_t *bytes;
	size_t size;
};

static size_t read_memory(void *context, uint64_t address, void *bytes, size_t size)
{
	const struct memory *memory = context;
	uint64_t offset = address - ADDRESS;

	if (offset >= memory->size)
		return 0;
	if (size > memory->size - offset)
		size = memory->size - offset;
	memcpy(bytes, memory->bytes + offset, size);
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory memory = {data, size};
	const struct loaded_image image = {read_memory, &memory, ADDRESS};
	struct elf_file *file = loaded_image_open(&image, "seed", NULL);

	if (!file)
		return 0;
	unwind_rows_free(unwind_rows_compile(file, NULL));
	symbol_table_close(symbol_table_open(file, NULL));
	elf_file_close(file);
	return 0;
}
