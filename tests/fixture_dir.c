#include "fixture_dir.h"

#include "base/alloc.h"
#include "base/array.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *fixture_dir_make(void)
{
	const char *base = getenv("TMPDIR");
	char *directory = alloc_format("%s/cprof-check-XXXXXX", base ? base : "/tmp");

	ck_assert_ptr_nonnull(mkdtemp(directory));
	return directory;
}

void fixture_dir_remove(char *directory)
{
	fixture_run(directory, "rm -rf \"$PWD\"");
	free(directory);
}

const char *fixture_path(const char *directory, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	ck_assert_int_lt(
		snprintf(path, sizeof(paths[0]), "%s/%s", directory, name), sizeof(paths[0]));
	return path;
}

void fixture_write(const char *directory, const char *name, const char *text)
{
	FILE *file = fopen(fixture_path(directory, name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Until it ends; a NUL follows what was read. */
static char *read_stream(FILE *stream, size_t *size)
{
	ARRAY(char) text = {0};
	size_t got;

	do {
		array_reserve(&text, text.count + 65536);
		got = fread(text.items + text.count, 1, 65535, stream);
		text.count += got;
	} while (got);
	text.items[text.count] = '\0';
	*size = text.count;
	return text.items;
}

char *fixture_bytes(const char *directory, const char *name, size_t *size)
{
	FILE *file = fopen(fixture_path(directory, name), "r");
	char *bytes;

	ck_assert_ptr_nonnull(file);
	bytes = read_stream(file, size);
	fclose(file);
	return bytes;
}

static char *command_text(const char *directory, const char *format, va_list arguments)
{
	char *inner, *command;

	ck_assert_int_ge(vasprintf(&inner, format, arguments), 0);
	command = alloc_format("cd '%s' && { %s\n}", directory, inner);
	free(inner);
	return command;
}

void fixture_run(const char *directory, const char *format, ...)
{
	va_list arguments;
	char *command;
	int status;

	va_start(arguments, format);
	command = command_text(directory, format, arguments);
	va_end(arguments);
	status = system(command);
	ck_assert_msg(status == 0, "status %d of: %s", status, command);
	free(command);
}

char *fixture_output(const char *directory, const char *format, ...)
{
	va_list arguments;
	char *command, *text;
	size_t size;
	FILE *pipe;
	int status;

	va_start(arguments, format);
	command = command_text(directory, format, arguments);
	va_end(arguments);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	text = read_stream(pipe, &size);
	status = pclose(pipe);
	ck_assert_msg(status == 0, "status %d of: %s", status, command);
	free(command);
	return text;
}

uint64_t fixture_symbol(const char *directory, const char *program, const char *symbol)
{
	char *text = fixture_output(
		directory, "nm %s | awk '$3 == \"%s\" { print $1; exit }'", program, symbol);
	uint64_t value = strtoull(text, NULL, 16);

	free(text);
	return value;
}

uint32_t fixture_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}
