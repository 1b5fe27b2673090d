#include "base/array.h"
#include "base/escape.h"
#include "cli/doctor.h"
#include "cli/dpkg.h"
#include "cli/needed_libraries.h"
#include "collect/proc_maps.h"
#include "elf/elf_file.h"
#include "symbols/symbolizer.h"
#include "unwind/rows.h"

#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- one module ------------------------------------------------------------------------------- */

static void print_fact(const char *subject, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void print_fact(const char *subject, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		abort(); /* as base/alloc: only memory can be lacking */
	printf("  %-10s", subject);
	escape_write(stdout, text);
	putchar('\n');
	free(text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void print_names(const char *path, const struct symbol_sources *sources)
{
	if (sources->symtab_count)
		print_fact("names", "of all functions (%zu)", sources->symtab_count);
	else if (sources->dynsym_count)
		print_fact("names",
			"of %zu exported functions only (it is stripped); others are shown as "
			"[%s+0x1234]",
			sources->dynsym_count, base_name(path));
	else
		print_fact("names", "none (it is stripped): functions are shown as [%s+0x1234]",
			base_name(path));
}

/* What is missing, and how to get it. */
static void print_no_lines(const char *path, const struct elf_file *file, bool asks_debuginfod)
{
	bool has_build_id = elf_file_build_id(file)->length > 0;
	char *package = dpkg_package_of(path);

	if (asks_debuginfod && has_build_id)
		print_fact("lines", "not installed; a recording asks debuginfod for them");
	else if (package && has_build_id)
		print_fact("lines", "none; to get them: apt install %s%s, or set DEBUGINFOD_URLS",
			package,
			strcmp(package, "libc6") == 0 ? "-dbg" : "-dbgsym (from debian-debug)");
	else
		print_fact("lines", "none; to get them: compile it with -g");
	free(package);
}

static void print_lines(const char *path, struct elf_file *file,
	const struct symbol_sources *sources, bool asks_debuginfod)
{
	if (sources->unit_count && sources->debug_path)
		print_fact("lines",
			"and inlined functions, of %zu source files: debug information in %s",
			sources->unit_count,
			strcmp(sources->debug_path, elf_file_name(file)) == 0
				? "the file itself"
				: sources->debug_path);
	else
		print_no_lines(path, file, asks_debuginfod);
}

/* How much of .text has a rule, in bytes. */
static uint64_t covered_bytes(const struct unwind_rows *rows, uint64_t low, uint64_t high)
{
	uint64_t covered = 0;

	for (size_t i = 0; i < rows->row_count; i++) {
		uint64_t start, end = rows->high;
		const struct unwind_rule *rule = unwind_rows_at(rows, i, &start);

		if (i + 1 < rows->row_count)
			unwind_rows_at(rows, i + 1, &end);
		if (start < low)
			start = low;
		if (end > high)
			end = high;
		if (rule->cfa != UNWIND_CFA_NONE && end > start)
			covered += end - start;
	}
	return covered;
}

static void print_unwinding(struct elf_file *file)
{
	struct unwind_rows *rows = unwind_rows_compile(file, NULL);
	struct elf_section text;

	if (!rows) {
		print_fact("stacks", "not walked: the file is not for x86-64");
	} else if (rows->function_count == 0) {
		print_fact("stacks", "guessed from frame pointers: there are no unwind tables");
	} else if (elf_file_section(file, ".text", &text) && text.size > 0) {
		uint64_t bytes = covered_bytes(rows, text.file_addr, text.file_addr + text.size);

		print_fact("stacks", "exact: unwind tables for %u functions, %.1f %% of the code",
			rows->function_count, 100.0 * (double)bytes / (double)text.size);
	} else {
		print_fact("stacks", "exact: unwind tables for %u functions", rows->function_count);
	}
	unwind_rows_free(rows);
}

static void print_build_id(const struct elf_file *file)
{
	char text[BUILD_ID_TEXT_SIZE];
	const struct build_id *id = elf_file_build_id(file);

	print_fact("build-id", "%s",
		id->length ? build_id_text(id, text)
			   : "none: its debug information cannot be found from elsewhere");
}

/* `shown` is what the user calls it, `path` where it can be opened. */
static void print_module(const char *shown, const char *path, bool asks_debuginfod)
{
	struct error err;
	struct elf_file *file = elf_file_open(path, &err);
	struct symbol_module *symbols;
	struct symbol_sources sources;

	escape_write(stdout, shown);
	putchar('\n');
	if (!file) {
		print_fact("unreadable", "%s", err.text);
		return;
	}
	symbols = symbol_module_open(file);
	sources = symbol_module_sources(symbols);
	print_names(shown, &sources);
	print_lines(shown, file, &sources, asks_debuginfod);
	print_unwinding(file);
	print_build_id(file);
	symbol_module_close(symbols);
	elf_file_close(file);
}

/* --- a program -------------------------------------------------------------------------------- */

/* The loader that the program names, "" for a static one. */
static void read_interpreter(const struct elf_file *file, char *text, size_t size)
{
	Elf *elf = elf_file_handle(file);
	size_t count, file_size;
	const char *bytes = elf_rawfile(elf, &file_size);
	GElf_Phdr header;

	text[0] = '\0';
	if (elf_getphdrnum(elf, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_INTERP &&
			header.p_offset < file_size &&
			header.p_filesz <= file_size - header.p_offset)
			snprintf(text, size, "%.*s", (int)header.p_filesz, bytes + header.p_offset);
}

static void print_libraries(const char *path, const char *interpreter, bool asks_debuginfod)
{
	struct needed_libraries libraries = {0};
	struct error err;

	if (needed_libraries_find(&libraries, path, interpreter, &err) < 0) {
		printf("\nThe libraries that it needs were not looked for: ");
		escape_write(stdout, err.text);
		putchar('\n');
	}
	for (size_t i = 0; i < libraries.paths.count; i++) {
		char *real = realpath(libraries.paths.items[i], NULL);

		putchar('\n');
		print_module(real ? real : libraries.paths.items[i], libraries.paths.items[i],
			asks_debuginfod);
		free(real);
	}
	for (size_t i = 0; i < libraries.missing.count; i++) {
		putchar('\n');
		escape_write(stdout, libraries.missing.items[i]);
		puts("\n  missing   the loader does not find it: the program cannot start");
	}
	needed_libraries_release(&libraries);
}

static void print_rights(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && status.st_mode & (S_ISUID | S_ISGID))
		print_fact("rights",
			"it is set-user-ID or set-group-ID: what it does is recorded by root only");
}

static int print_file(const char *path, bool asks_debuginfod, struct error *err)
{
	struct elf_file *file = elf_file_open(path, err);
	char *real, interpreter[PATH_MAX];

	if (!file)
		return -1;
	real = realpath(path, NULL);
	print_module(real ? real : path, path, asks_debuginfod);
	if (!elf_file_is_64(file))
		print_fact("32-bit", "its time is recorded, its stacks are not walked");
	print_rights(path);
	read_interpreter(file, interpreter, sizeof(interpreter));
	if (interpreter[0])
		print_libraries(real ? real : path, interpreter, asks_debuginfod);
	else
		print_fact("static", "it needs no libraries");
	free(real);
	elf_file_close(file);
	return 0;
}

/* --- a process -------------------------------------------------------------------------------- */

struct process_modules {
	uint32_t pid;
	bool asks_debuginfod;
	ARRAY(char *) seen;
};

static void print_mapping(void *context, const struct event_mmap *mapping)
{
	struct process_modules *modules = context;
	char path[PATH_MAX + 32];

	if (mapping->path[0] != '/' || mapping->path[1] == '/')
		return;
	for (size_t i = 0; i < modules->seen.count; i++)
		if (strcmp(modules->seen.items[i], mapping->path) == 0)
			return;
	if (modules->seen.count)
		putchar('\n');
	*array_add(&modules->seen) = alloc_string(mapping->path);
	if (mapping->is_deleted) {
		escape_write(stdout, mapping->path);
		puts("\n  deleted   since it was mapped, by an upgrade for instance: restart the "
		     "process");
		return;
	}
	snprintf(path, sizeof(path), "/proc/%u/root%s", modules->pid, mapping->path);
	print_module(mapping->path, path, modules->asks_debuginfod);
}

static int print_process(uint32_t pid, bool asks_debuginfod, struct error *err)
{
	struct process_modules modules = {.pid = pid, .asks_debuginfod = asks_debuginfod};

	size_t count;

	errno = 0;
	if (!proc_maps_of(pid, print_mapping, &modules))
		return error_set_errno(err, "cannot look at process %u", pid);
	count = modules.seen.count;
	for (size_t i = 0; i < count; i++)
		free(modules.seen.items[i]);
	array_release(&modules.seen);
	return count ? 0
		     : error_set(err, "process %u has no program: it is the kernel's, or has ended",
			       pid);
}

/* --- what is meant ---------------------------------------------------------------------------- */

/* The file that would be run for `name`; false when there is none. */
static bool find_in_path(const char *name, char *found, size_t size)
{
	const char *at = getenv("PATH");
	struct stat status;
	size_t length;

	for (at = at ? at : ""; *at; at += length + (at[length] == ':')) {
		length = strcspn(at, ":");
		snprintf(found, size, "%.*s/%s", (int)length, at, name);
		if (length > 0 && access(found, X_OK) == 0 && stat(found, &status) == 0 &&
			S_ISREG(status.st_mode))
			return true;
	}
	return false;
}

/* "#!/bin/bash -e": the interpreter of a script, "" of anything else. */
static void read_script(const char *path, char *interpreter, size_t size)
{
	char line[PATH_MAX] = "";
	FILE *file = fopen(path, "re");

	if (file && fgets(line, sizeof(line), file) && strncmp(line, "#!", 2) == 0) {
		const char *word = line + 2 + strspn(line + 2, " \t");

		snprintf(interpreter, size, "%.*s", (int)strcspn(word, " \t\n"), word);
	} else {
		interpreter[0] = '\0';
	}
	if (file)
		fclose(file);
}

static int print_program(const char *path, bool asks_debuginfod, struct error *err)
{
	char interpreter[PATH_MAX];
	struct stat status;

	if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
		read_script(path, interpreter, sizeof(interpreter));
		if (interpreter[0])
			return error_set(err,
				"%s is a script: what is recorded is its interpreter, see `cprof "
				"doctor %s`",
				path, interpreter);
	}
	return print_file(path, asks_debuginfod, err);
}

int doctor_print_program(const char *name, struct error *err)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	bool asks_debuginfod = urls && *urls;
	char found[PATH_MAX];

	unsetenv("DEBUGINFOD_URLS"); /* looking at a program shall not take what the network does */
	if (name[strspn(name, "0123456789")] == '\0' && name[0] && access(name, F_OK) < 0)
		return print_process((uint32_t)strtoul(name, NULL, 10), asks_debuginfod, err);
	if (!strchr(name, '/') && find_in_path(name, found, sizeof(found)))
		return print_program(found, asks_debuginfod, err);
	return print_program(name, asks_debuginfod, err);
}
