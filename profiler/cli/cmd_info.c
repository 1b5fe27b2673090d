#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/info_page.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/repair.h"

#include <stdlib.h>

extern const struct command cmd_info;

enum { OPTION_REPAIR = 256 };

struct info_options {
	const char *output;
	bool repair;
};

static int show(const struct info_options *options, const char *path, struct error *err)
{
	struct profile profile;
	struct profile_load_report report;
	struct output output;
	int result = profile_load(&profile, path, true, &report, err);

	if (result == 0)
		result = output_open(&output, options->output, err);
	if (result == 0 && info_page_write(output.file, path, &profile, &report, err) != 0) {
		output_discard(&output);
		result = -1;
	} else if (result == 0) {
		result = output_close(&output, err);
	}
	profile_release(&profile);
	return result;
}

static int repair(const struct info_options *options, const char *path, struct error *err)
{
	struct repair_result result;

	if (repair_profile(path, options->output, &result, err) != 0) {
		free(result.path);
		return -1;
	}
	if (!result.path)
		message_note("%s is whole: there is nothing to repair", path);
	else if (result.modules_missing)
		message_note("wrote %s; %zu modules are not here as they were recorded, their "
			     "functions have no names",
			result.path, result.modules_missing);
	else
		message_note("wrote %s", result.path);
	free(result.path);
	return 0;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct info_options *options = target;

	if (option == 'o')
		options->output = value;
	else if (option == OPTION_REPAIR)
		options->repair = true;
	else
		return error_set(err, "option %d is not known here", option);
	return 0;
}

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"repair", no_argument, NULL, OPTION_REPAIR},
	{"output", required_argument, NULL, 'o'},
	{0},
};

static const struct option_set option_set = {&cmd_info, "ho:", long_options, set_option};

static int run(int argc, char **argv)
{
	struct info_options options = {0};
	struct profile_argument argument;
	struct error err;
	int status = options_parse(&option_set, &options, argc, argv), result;

	if (status >= 0)
		return status;
	if (argc - optind > 1 || (options.repair && optind == argc)) {
		error_set(&err, options.repair && optind == argc ? "--repair needs a FILE.part"
								 : "one profile at a time");
		return message_usage("info", &err);
	}
	result = argument_resolve(&argument, optind < argc ? argv[optind] : DEFAULT_PROFILE, &err);
	if (result == 0) {
		const char *path = argument_newest(&argument);

		result = options.repair ? repair(&options, path, &err) : show(&options, path, &err);
	}
	argument_release(&argument);
	return result == 0 ? EXIT_GOOD : message_failed(&err);
}

const struct command cmd_info = {
	.name = "info",
	.summary = "what is in a profile, and how it was recorded; repairs cut off ones",
	.usage = "usage: cprof info [options] [PROFILE]\n"
		 "\n"
		 "Prints everything that a profile says about its recording: the program, the\n"
		 "machine, processes and threads, modules with their build-ids and what was found\n"
		 "for naming their functions, how the stacks ended, and the size of the file's\n"
		 "parts.\n"
		 "\n"
		 "PROFILE is a file, NAME for NAME.prof, or the label of a kept run; without it\n"
		 "out.prof.\n"
		 "\n"
		 "      --repair           make a recording that was cut off (FILE.part) whole\n"
		 "  -o, --output FILE      write there; with --repair: the whole file, instead of\n"
		 "                         FILE.part without .part\n"
		 "  -h, --help             show this help\n",
	.run = run,
};
