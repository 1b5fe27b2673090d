#include "cli/options.h"

#include "cli/message.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong_option(const struct option_set *options, int kind, char **argv)
{
	struct error err;
	const char *word = argv[optind - 1];

	if (kind == ':' && strncmp(word, "--", 2) == 0)
		error_set(&err, "option %s needs a value", word);
	else if (kind == ':')
		error_set(&err, "option -%c needs a value", optopt);
	else if (optopt && strncmp(word, "--", 2) == 0 && strchr(word, '='))
		error_set(&err, "option %.*s takes no value", (int)strcspn(word, "="), word);
	else if (optopt)
		error_set(&err, "unknown option -%c", optopt);
	else
		error_set(&err, "unknown or ambiguous option %s", word);
	return message_usage(options->command->name, &err);
}

int options_parse(const struct option_set *options, void *target, int argc, char **argv)
{
	bool stops_early = options->short_options[0] == '+';
	char short_options[64];
	struct error err;
	int option;

	/* ':' in front, behind a '+', tells a missing value from an unknown option. */
	snprintf(short_options, sizeof(short_options), "%s:%s", stops_early ? "+" : "",
		options->short_options + stops_early);
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, short_options, options->long_options, NULL)) !=
		-1) {
		if (option == 'h') {
			fputs(options->command->usage, stdout);
			return EXIT_GOOD;
		}
		if (option == '?' || option == ':')
			return wrong_option(options, option, argv);
		if (options->set(target, option, optarg, &err) != 0)
			return message_usage(options->command->name, &err);
	}
	return -1;
}

int option_count(
	const char *option, const char *value, uint64_t least, uint64_t *count, struct error *err)
{
	char *end;

	errno = 0;
	*count = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || *count < least)
		return error_set(err, "%s needs a whole number from %llu up, not '%s'", option,
			(unsigned long long)least, value);
	return 0;
}

int option_number(const char *option, const char *value, double least, double most, double *number,
	struct error *err)
{
	char *end;

	*number = strtod(value, &end);
	if (end == value || *end || !(*number >= least && *number <= most)) {
		if (isinf(most))
			return error_set(err, "%s needs a number from %g up, not '%s'", option,
				least, value);
		return error_set(err, "%s needs a number from %g to %g, not '%s'", option, least,
			most, value);
	}
	return 0;
}

int option_choice(
	const char *option, const char *value, const char *const names[], struct error *err)
{
	char known[256] = "";

	for (int i = 0; names[i]; i++) {
		size_t used = strlen(known);

		if (strcmp(names[i], value) == 0)
			return i;
		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", names[i]);
	}
	return error_set(err, "%s is one of %s, not '%s'", option, known, value);
}
