/* Perf maps: texts that anyone may have left in /tmp. */
#include "jit/jit_symbols.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	struct jit_symbols symbols = {0}, copy = {0};
	struct perf_map_line line;
	struct jit_symbol symbol;

	while (perf_map_next(&at, (const char *)data + size, &line)) {
		fuzz_touch(line.name, line.name_length);
		jit_symbols_add(&symbols, &line);
		if (!jit_symbols_find(&symbols, line.start + line.size - 1, &symbol))
			__builtin_trap();
		fuzz_touch(symbol.name, strlen(symbol.name) + 1);
	}
	jit_symbols_copy(&copy, &symbols);
	for (uint64_t address = 0; address < 0x4000; address += 0x11)
		jit_symbols_find(&copy, address, &symbol);
	jit_symbols_release(&copy);
	jit_symbols_release(&symbols);
	return 0;
}
