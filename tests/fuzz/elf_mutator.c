#include "elf_mutator.h"

#include "fuzz.h"

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 64 /* bytes that are changed together */

struct place {
	size_t offset, size;
};

static bool is_inside(struct place place, size_t size)
{
	return place.size && place.offset <= size && place.size <= size - place.offset;
}

static bool read_header(Elf64_Ehdr *header, const uint8_t *data, size_t size)
{
	if (size < sizeof(*header))
		return false;
	memcpy(header, data, sizeof(*header));
	return header->e_ident[EI_CLASS] == ELFCLASS64;
}

static struct place section_headers(const Elf64_Ehdr *header)
{
	return (struct place){header->e_shoff, (size_t)header->e_shnum * sizeof(Elf64_Shdr)};
}

static struct place segment_headers(const Elf64_Ehdr *header)
{
	return (struct place){header->e_phoff, (size_t)header->e_phnum * sizeof(Elf64_Phdr)};
}

static bool begins_with(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

/* One of the wanted sections at random; an empty place when there is none. */
static struct place find_section(const uint8_t *data, size_t size, const Elf64_Ehdr *header,
	const char *const *wanted, uint64_t *random)
{
	const Elf64_Shdr *headers, *names;
	struct place found = {0};
	size_t count = 0;

	if (!is_inside(section_headers(header), size) || header->e_shoff % 8 ||
		header->e_shstrndx >= header->e_shnum)
		return found;
	headers = (const Elf64_Shdr *)(data + header->e_shoff);
	names = &headers[header->e_shstrndx];
	for (size_t i = 0; i < header->e_shnum; i++) {
		struct place place = {headers[i].sh_offset, headers[i].sh_size};
		size_t name = names->sh_offset + headers[i].sh_name;

		if (headers[i].sh_type == SHT_NOBITS || !is_inside(place, size) || name >= size ||
			!memchr(data + name, 0, size - name) ||
			!begins_with((const char *)data + name, wanted))
			continue;
		if (fuzz_random(random, ++count) == 0)
			found = place;
	}
	return found;
}

/* Changes some bytes there; the file keeps its size. */
static void mutate_place(uint8_t *data, struct place place, uint64_t *random)
{
	uint8_t window[WINDOW];
	size_t size = 1 + fuzz_random(random, WINDOW), at;

	if (size > place.size)
		size = place.size;
	at = place.offset + fuzz_random(random, place.size - size + 1);
	memcpy(window, data + at, size);
	LLVMFuzzerMutate(window, size, size);
	memcpy(data + at, window, size);
}

size_t elf_mutate(
	uint8_t *data, size_t size, size_t max, unsigned int seed, const char *const *sections)
{
	uint64_t random = seed;
	size_t count = 1 + fuzz_random(&random, 4);
	Elf64_Ehdr header;

	if (!read_header(&header, data, size) || fuzz_random(&random, 16) == 0)
		return LLVMFuzzerMutate(data, size, max);
	for (size_t i = 0; i < count; i++) {
		struct place place = find_section(data, size, &header, sections, &random);

		switch (fuzz_random(&random, 12)) {
		case 0:
			place = (struct place){16, sizeof(header) - 16};
			break;
		case 1:
			place = segment_headers(&header);
			break;
		case 2:
		case 3:
			place = section_headers(&header);
			break;
		}
		if (is_inside(place, size))
			mutate_place(data, place, &random);
	}
	return size;
}
