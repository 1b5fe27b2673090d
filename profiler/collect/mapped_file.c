#include "collect/mapped_file.h"

#include "base/alloc.h"
#include "base/regular_file.h"
#include "collect/proc_maps.h"
#include "collect/process_file.h"
#include "collect/remote_memory.h"
#include "elf/loaded_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PAGE_BYTES  4096
#define PIECE_BYTES 16
#define PAGES_ALIKE 8 /* so many pages of code tell two builds apart */

/* --- is it the one ---------------------------------------------------------------------------- */

/* Whether the page of code differs in what both have: the file's code ends within a page. */
static bool differs(
	const struct elf_file *file, uint32_t pid, const struct event_mmap *mapping, uint64_t at)
{
	uint8_t theirs[PAGE_BYTES], ours[PIECE_BYTES];
	size_t count = remote_memory_read(pid, mapping->address + at, theirs, sizeof(theirs));
	uint64_t file_addr;

	if (!elf_file_addr(file, mapping->offset + at, &file_addr))
		return true;
	for (size_t i = 0; i + sizeof(ours) <= count; i += sizeof(ours))
		if (elf_file_read(file, file_addr + i, ours, sizeof(ours)) &&
			memcmp(ours, theirs + i, sizeof(ours)) != 0)
			return true;
	return false;
}

bool mapped_file_is(const struct elf_file *file, uint32_t pid, const struct event_mmap *mapping)
{
	if (mapping->build_id.length)
		return build_id_equal(elf_file_build_id(file), &mapping->build_id);
	for (uint64_t at = 0; at < PAGES_ALIKE * PAGE_BYTES && at < mapping->length;
		at += PAGE_BYTES)
		if (differs(file, pid, mapping, at))
			return false;
	return true;
}

/*
 * Takes the descriptor over; -1 is no file. The file keeps the name that the process mapped: its
 * debug file is looked for beside that.
 */
static struct elf_file *open_candidate(int fd, uint32_t pid, const struct event_mmap *mapping)
{
	struct elf_file *file = fd >= 0 ? elf_file_open_fd(fd, mapping->path, NULL) : NULL;

	if (fd >= 0)
		close(fd);
	if (file && !mapped_file_is(file, pid, mapping)) {
		elf_file_close(file);
		file = NULL;
	}
	return file;
}

/* --- in memory -------------------------------------------------------------------------------- */

struct start {
	const struct event_mmap *mapping;
	uint64_t address; /* of the file's first byte; 0: not found */
};

/* The file's start that lies nearest below its code: it may be loaded more than once. */
static void find_start(void *context, const struct event_mmap *line)
{
	struct start *start = context;

	if (line->offset == 0 && line->address <= start->mapping->address &&
		line->address >= start->address && strcmp(line->path, start->mapping->path) == 0)
		start->address = line->address;
}

static size_t read_process(void *context, uint64_t address, void *bytes, size_t size)
{
	return remote_memory_read(*(const uint32_t *)context, address, bytes, size);
}

static struct elf_file *open_loaded(uint32_t pid, const struct event_mmap *mapping)
{
	struct start start = {.mapping = mapping};
	struct loaded_image image = {.read = read_process, .context = &pid};

	proc_maps_all_of(pid, find_start, &start);
	image.address = start.address;
	return start.address ? loaded_image_open(&image, mapping->path, NULL) : NULL;
}

struct elf_file *mapped_file_open(uint32_t pid, const struct event_mmap *mapping)
{
	const struct process_view view = {.pid = pid, .inner_pid = pid};
	char path[64];
	struct elf_file *file;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", pid,
		(unsigned long long)mapping->address,
		(unsigned long long)(mapping->address + mapping->length));
	file = open_candidate(regular_file_open(path, NULL), pid, mapping);
	if (!file && !mapping->is_deleted)
		file = open_candidate(process_file_open_any(&view, mapping->path), pid, mapping);
	if (!file && !mapping->is_deleted)
		file = open_candidate(regular_file_open(mapping->path, NULL), pid, mapping);
	return file ? file : open_loaded(pid, mapping);
}

/*
 * The vdso has no file: its pages are read from the process or, when that has ended, from this one,
 * which has the same where both are of 64 bits.
 */
struct elf_file *mapped_file_open_vdso(uint32_t pid, const struct event_mmap *mapping)
{
	size_t size = mapping->length;
	struct elf_file *file = NULL;
	void *bytes;

	if (size == 0 || size > 1 << 20)
		return NULL;
	bytes = alloc_bytes(size);
	if (remote_memory_read(pid, mapping->address, bytes, size) == size ||
		(mapping->address > UINT32_MAX &&
			remote_memory_read(getpid(), getauxval(AT_SYSINFO_EHDR), bytes, size) ==
				size))
		file = elf_file_from_memory(bytes, size, "[vdso]", NULL);
	free(bytes);
	return file;
}
