/* The kernel's symbols as /proc/kallsyms tells them. */
#include "symbols/kernel_symbols.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_file text;
	struct kernel_symbols *symbols;
	struct kernel_symbol symbol;
	struct error err;

	fuzz_file_set(&text, data, size);
	symbols = kernel_symbols_open(text.path, &err);
	if (!symbols)
		return 0;
	for (uint64_t i = 0; i < 64; i++) {
		kernel_symbols_resolve(symbols, UINT64_C(0xffffffff81000000) + i * 0x700, &symbol);
		kernel_symbols_resolve(symbols, i << 58 | i << 7, &symbol);
	}
	kernel_symbols_close(symbols);
	return 0;
}
