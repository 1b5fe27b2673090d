/* Jitdumps, as jit_names.c reads them: header, then records. */
#include "jit/jit_symbols.h"

#include "fuzz.h"

static void look_up(const struct jit_symbols *symbols, uint64_t address)
{
	struct jit_symbol symbol;

	if (!jit_symbols_find(symbols, address, &symbol))
		return;
	fuzz_touch(symbol.name, strlen(symbol.name) + 1);
	if (symbol.file)
		fuzz_touch(symbol.file, strlen(symbol.file) + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jit_symbols symbols = {0};
	struct jitdump_header header;
	struct jitdump_record record;
	const uint8_t *at = data;
	size_t wanted;

	if (jitdump_header_read(data, size, &header) != JITDUMP_READ || header.size > size)
		return 0;
	at += header.size;
	while (jitdump_next(&at, data + size, &record, &wanted) == JITDUMP_READ) {
		jit_symbols_apply(&symbols, &record);
		look_up(&symbols, record.address);
		look_up(&symbols, record.address + record.size - 1);
		look_up(&symbols, record.old_address);
	}
	jit_symbols_release(&symbols);
	return 0;
}
