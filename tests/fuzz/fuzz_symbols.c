/* Symbol tables, PLTs, and the names in them. */
#include "symbols/symbol_table.h"

#include "elf_mutator.h"
#include "fuzz.h"

static const char *const sections[] = {
	".symtab", ".strtab", ".dynsym", ".dynstr", ".rela", ".plt", ".eh_frame", NULL};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return elf_mutate(data, size, max, seed, sections);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_file image;
	struct elf_file *file;
	struct symbol_table *table;
	uint64_t low, high;
	struct symbol symbol;
	size_t counts[3];

	fuzz_file_set(&image, data, size);
	file = elf_file_open_fd(image.fd, "seed", NULL);
	if (!file)
		return 0;
	table = symbol_table_open(file, file);
	elf_file_text_range(file, &low, &high);
	for (uint64_t i = 0; i < 2048; i++)
		symbol_table_find(table, low + i * 3, &symbol);
	symbol_table_find(table, high - 1, &symbol);
	symbol_table_counts(table, &counts[0], &counts[1], &counts[2]);
	symbol_table_close(table);
	elf_file_close(file);
	return 0;
}
