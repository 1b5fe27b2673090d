/* `segment list`: the stages, and which data there is. */
#include "command.h"
#include "data_set.h"
#include "hdf5_input.h"
#include "stage.h"

#include <stdio.h>
#include <unistd.h>

/* "1280 x 960 pixels" or why not. */
static void print_size(const struct data_size *size)
{
	char directory[PATH_MAX], path[PATH_MAX];
	struct hdf5_input input;
	struct failure err;

	printf("  %-3s ", size->name);
	if (data_set_directory(size->name, directory, &err) ||
		data_set_hdf5_path(directory, path, &err) || access(path, F_OK)) {
		printf("not there; `segment generate %s` makes it\n", size->name);
	} else if (hdf5_input_open(&input, directory, &err)) {
		printf("%s\n", err.text);
	} else {
		printf("%zu x %zu pixels in %s\n", input.width, input.height, directory);
		hdf5_input_close(&input);
	}
}

static int run_list(int argc, char **argv, struct failure *err)
{
	if (argc > 1) {
		fail(err, "list takes no '%s'", argv[1]);
		return EXIT_USAGE;
	}
	printf("stages:\n");
	for (const struct stage *const *stage = stages; *stage; stage++)
		printf("  %-3s %s\n", (*stage)->name, (*stage)->change);
	printf("\ndata:\n");
	for (const struct data_size *size = data_sizes; size->name; size++)
		print_size(size);
	return EXIT_GOOD;
}

const struct command command_list = {
	.name = "list",
	.usage = "",
	.summary = "the stages, and which data there is",
	.run = run_list,
};
