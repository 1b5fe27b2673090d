/* Folded stacks as text. */
#include "model/profile.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = alloc_string_n((const char *)data, size);
	struct profile profile;
	struct error err;

	profile_from_folded(&profile, text, &err);
	profile_release(&profile);
	free(text);
	return 0;
}
