#include "cli/message.h"

#include "base/escape.h"
#include "cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void print_sentence(const char *command, const char *text)
{
	char line[8192];

	fflush(stdout);
	setvbuf(stderr, line, _IOFBF, sizeof(line)); /* a line at a time: others write there, too */
	fprintf(stderr, "cprof%s%s: ", command ? " " : "", command ? command : "");
	escape_write(stderr, text);
	putc('\n', stderr);
	fflush(stderr);
	setvbuf(stderr, NULL, _IONBF, 0);
}

int message_failed(const struct error *err)
{
	print_sentence(NULL, err->text);
	return EXIT_FAILED;
}

int message_usage(const char *command, const struct error *err)
{
	print_sentence(command, err->text);
	fprintf(stderr, "try `cprof%s%s --help`\n", command ? " " : "", command ? command : "");
	return EXIT_USAGE;
}

void message_note(const char *format, ...)
{
	char *text;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		return;
	print_sentence(NULL, text);
	free(text);
}
