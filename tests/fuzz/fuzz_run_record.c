/* The text beside a kept run. */
#include "cli/run_record.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)data, size, "r") : NULL, *out;
	struct run run;

	if (!file)
		return 0;
	if (run_read(&run, file)) {
		command_arguments(run.command);
		if (!run_repeats(&run, &run))
			__builtin_trap();
		out = fopen("/dev/null", "w");
		run_write(out, &run);
		fclose(out);
		run_release(&run);
	}
	fclose(file);
	return 0;
}
