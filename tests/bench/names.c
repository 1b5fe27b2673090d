/*
 * names PROGRAM [COUNT]: the time and memory that it takes to name COUNT (10,000) distinct
 * addresses of PROGRAM's code with their inlined calls, opening the file included.
 *
 * names -p PROGRAM COUNT: prints the first COUNT of the same addresses and their names as
 * `addr2line -a -i -f -C` does, to be compared with it.
 */
#include "symbols/symbolizer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

static double cpu_seconds(const struct timeval *time)
{
	return time->tv_sec + time->tv_usec * 1e-6;
}

/* A fixed sequence, evenly spread over the code: (i * step) mod size never repeats below size. */
static uint64_t address(const struct elf_section *text, size_t i)
{
	const uint64_t step = 0x9E3779B1; /* prime */

	return text->file_addr + i * step % text->size;
}

static void print(struct symbol_module *module, uint64_t at)
{
	const struct symbol_line *lines;
	size_t count = symbol_module_resolve(module, at, &lines);

	printf("0x%016" PRIx64 "\n", at);
	for (size_t i = 0; i < count; i++) {
		printf("%s\n", lines[i].function ? lines[i].function : "??");
		if (lines[i].line)
			printf("%s:%u\n", lines[i].file, lines[i].line);
		else
			printf("%s:?\n", lines[i].file ? lines[i].file : "??");
	}
	if (!count)
		printf("??\n??:0\n");
}

static void measure(
	struct symbol_module *module, const struct elf_section *text, size_t count, double start)
{
	const struct symbol_line *lines;
	size_t known = 0, levels = 0;
	struct rusage usage;
	double took;

	for (size_t i = 0; i < count; i++) {
		size_t found = symbol_module_resolve(module, address(text, i), &lines);

		known += found && lines[found - 1].function;
		levels += found;
	}
	took = seconds() - start;
	getrusage(RUSAGE_SELF, &usage);
	printf("%zu addresses, %.1f %% named, %.2f levels each, %zu units: %.3f s (CPU %.3f s), "
	       "peak %.1f MiB\n",
		count, 100.0 * known / count, (double)levels / count,
		symbol_module_sources(module).unit_count, took,
		cpu_seconds(&usage.ru_utime) + cpu_seconds(&usage.ru_stime),
		usage.ru_maxrss / 1024.0);
}

int main(int argc, char **argv)
{
	bool prints = argc > 1 && !strcmp(argv[1], "-p");
	const char *path = argv[1 + prints];
	size_t count = argc > 2 + prints ? strtoul(argv[2 + prints], NULL, 10) : 10000;
	double start = seconds();
	struct error err = {""};
	struct elf_section text;
	struct symbol_module *module;
	struct elf_file *file;

	if (!path) {
		fprintf(stderr, "usage: names [-p] PROGRAM [COUNT]\n");
		return 2;
	}
	file = elf_file_open(path, &err);
	if (!file || !elf_file_section(file, ".text", &text) || !text.size) {
		fprintf(stderr, "names: %s\n", file ? "no .text" : err.text);
		return 1;
	}
	module = symbol_module_open(file);
	if (!prints)
		measure(module, &text, count, start);
	for (size_t i = 0; prints && i < count; i++)
		print(module, address(&text, i));
	symbol_module_close(module);
	elf_file_close(file);
	return 0;
}
