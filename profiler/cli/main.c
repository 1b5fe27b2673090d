/* cprof COMMAND ...: finds the command and runs it. */
#include "base/alloc.h"
#include "base/file_fault.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command cmd_run, cmd_attach, cmd_report, cmd_tree, cmd_dot, cmd_flame, cmd_diff,
	cmd_info, cmd_list, cmd_doctor;

const struct command *const commands[] = {
	&cmd_run,
	&cmd_attach,
	&cmd_report,
	&cmd_tree,
	&cmd_dot,
	&cmd_flame,
	&cmd_diff,
	&cmd_info,
	&cmd_list,
	&cmd_doctor,
	NULL,
};

/*
 * A descriptor 0, 1 or 2 that is closed would be the next file's, and a message or a table would be
 * written into a profile. The place is taken by /dev/null, opened so that using it fails
 * as before; a program that is run does not inherit it.
 */
static void occupy_standard_descriptors(void)
{
	for (int descriptor = 0; descriptor <= 2; descriptor++)
		if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", (descriptor == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

static void print_help(FILE *out)
{
	fputs("usage: cprof COMMAND [options] ...\n"
	      "\n"
	      "A sampling profiler for Linux programs, which need not be compiled for it.\n"
	      "\n",
		out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n"
	      "  -h, --help      show this help; `cprof COMMAND --help` that of a command\n"
	      "      --version   show the version\n"
	      "\n"
	      "    cprof run ./program        record it into out.prof\n"
	      "    cprof report               see where the time went\n",
		out);
}

/* Edits (a letter more, less or other, or two swapped) that make b of a. */
static size_t distance(const char *a, const char *b)
{
	size_t columns = strlen(b) + 1, result;
	size_t *above = alloc_zeroed(columns, sizeof(*above)),
	       *row = alloc_zeroed(columns, sizeof(*row)),
	       *two_above = alloc_zeroed(columns, sizeof(*row)), *spare;

	for (size_t i = 0; i < columns; i++)
		row[i] = i;
	for (size_t y = 1; y <= strlen(a); y++) {
		spare = two_above;
		two_above = above;
		above = row;
		row = spare;
		row[0] = y;
		for (size_t x = 1; x < columns; x++) {
			row[x] = above[x - 1] + (a[y - 1] != b[x - 1]);
			if (above[x] + 1 < row[x])
				row[x] = above[x] + 1;
			if (row[x - 1] + 1 < row[x])
				row[x] = row[x - 1] + 1;
			if (x > 1 && y > 1 && a[y - 1] == b[x - 2] && a[y - 2] == b[x - 1] &&
				two_above[x - 2] + 1 < row[x])
				row[x] = two_above[x - 2] + 1;
		}
	}
	result = row[columns - 1];
	free(above);
	free(row);
	free(two_above);
	return result;
}

/* The command that was probably meant, or NULL. */
static const struct command *closest_command(const char *name)
{
	const struct command *closest = NULL;
	size_t best = 3, edits;

	if (strlen(name) > 20)
		return NULL;
	for (size_t i = 0; commands[i]; i++) {
		bool begins = strncmp(commands[i]->name, name, strlen(name)) == 0;

		edits = begins ? 1 : distance(name, commands[i]->name);
		if (edits < best && edits < strlen(commands[i]->name)) {
			best = edits;
			closest = commands[i];
		}
	}
	return closest;
}

static int unknown_command(const char *name)
{
	const struct command *closest = closest_command(name);
	struct error err;

	if (name[0] == '-')
		error_set(&err, "unknown option %s", name);
	else if (closest)
		error_set(&err, "'%s' is no command; did you mean '%s'?", name, closest->name);
	else
		error_set(&err, "'%s' is no command", name);
	return message_usage(NULL, &err);
}

static int run_command(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_help(stdout);
		return EXIT_GOOD;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("cprof " CPROF_VERSION);
		return EXIT_GOOD;
	}
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			return commands[i]->run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	struct output output;
	struct error err;
	int status;

	occupy_standard_descriptors();
	file_faults_read_zeros();
	status = run_command(argc, argv);
	/* What a command printed without an exporter (help, list, info) must have arrived too. */
	if (status == EXIT_GOOD && output_open(&output, NULL, &err) == 0 &&
		output_close(&output, &err) != 0)
		return message_failed(&err);
	return status;
}
