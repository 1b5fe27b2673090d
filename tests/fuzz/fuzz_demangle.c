/* Mangled names, which come from symbol tables and DWARF: libiberty's demanglers. */
#include "symbols/demangle.h"

#include "base/alloc.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = alloc_string_n((const char *)data, size);

	free(demangle(name));
	free(name);
	return 0;
}
