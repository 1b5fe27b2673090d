#include "elf/loaded_image.h"

#include "base/bytes.h"

#include <elf.h>
#include <stdlib.h>

#define HASH_BUCKETS_MAX (4u << 20) /* of real files: thousands */
#define SYMBOLS_MAX	 (16u << 20)
#define SEGMENTS_MAX	 64
#define PIECE_BYTES	 (256u << 10)
#define EH_PE_PCREL	 0x10
#define EH_PE_SDATA4	 0x0b
#define EH_FRAME_POINTER 4 /* where .eh_frame_hdr says where .eh_frame is */

struct rebuilt {
	const struct loaded_image *image;
	Elf64_Ehdr header;
	Elf64_Phdr segments[SEGMENTS_MAX];
	size_t segment_count;
	uint64_t bias;
	uint8_t *bytes; /* as in the file, from its start */
	size_t size;
};

/* What .dynamic says, as file_addrs; 0: nothing. */
struct dynamic {
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
};

/* --- the segments ----------------------------------------------------------------------------- */

static bool read_exactly(const struct rebuilt *file, uint64_t address, void *bytes, size_t size)
{
	return file->image->read(file->image->context, address, bytes, size) == size;
}

static bool read_headers(struct rebuilt *file)
{
	Elf64_Ehdr *header = &file->header;

	if (!read_exactly(file, file->image->address, header, sizeof(*header)) ||
		memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
		header->e_ident[EI_CLASS] != ELFCLASS64 ||
		header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_phnum == 0 ||
		header->e_phnum > SEGMENTS_MAX || header->e_phentsize != sizeof(Elf64_Phdr) ||
		header->e_phoff > LOADED_IMAGE_MAX)
		return false;
	file->segment_count = header->e_phnum;
	return read_exactly(file, file->image->address + header->e_phoff, file->segments,
		file->segment_count * sizeof(*file->segments));
}

static bool is_kept(const Elf64_Phdr *segment)
{
	return segment->p_filesz > 0 &&
	       (segment->p_type == PT_DYNAMIC ||
		       (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W)));
}

/* The bias by the segment that the file's start is in, and the size of the file. */
static bool measure(struct rebuilt *file)
{
	bool has_start = false;

	for (size_t i = 0; i < file->segment_count; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (segment->p_offset > LOADED_IMAGE_MAX || segment->p_filesz > LOADED_IMAGE_MAX ||
			segment->p_offset + segment->p_filesz > LOADED_IMAGE_MAX)
			return false;
		if (is_kept(segment) && segment->p_offset + segment->p_filesz > file->size)
			file->size = segment->p_offset + segment->p_filesz;
		if (segment->p_type == PT_LOAD && segment->p_offset == 0) {
			file->bias = file->image->address - segment->p_vaddr;
			has_start = true;
		}
	}
	return has_start && file->size > sizeof(file->header);
}

/* Piece by piece: memory is taken for what is there, not for what a header claims. */
static bool read_segment(struct rebuilt *file, struct bytes *bytes, const Elf64_Phdr *segment)
{
	size_t end = segment->p_offset + segment->p_filesz;

	for (size_t at = segment->p_offset; at < end;) {
		size_t piece = end - at < PIECE_BYTES ? end - at : PIECE_BYTES;

		if (at + piece > bytes->count) {
			size_t before = bytes->count;

			array_reserve(bytes, at + piece);
			memset(bytes->items + before, 0, at + piece - before);
			bytes->count = at + piece;
		}
		if (!read_exactly(file, file->bias + segment->p_vaddr + at - segment->p_offset,
			    bytes->items + at, piece))
			return false;
		at += piece;
	}
	return true;
}

static bool read_segments(struct rebuilt *file)
{
	struct bytes bytes = {0};
	bool is_good = true;

	for (size_t i = 0; is_good && i < file->segment_count; i++)
		if (is_kept(&file->segments[i]))
			is_good = read_segment(file, &bytes, &file->segments[i]);
	file->bytes = bytes.items;
	file->size = bytes.count;
	return is_good && file->size > sizeof(file->header);
}

/* --- what is in them -------------------------------------------------------------------------- */

/* The kept segment with this file_addr, and how much of it follows. */
static const Elf64_Phdr *segment_at(const struct rebuilt *file, uint64_t file_addr, uint64_t *left)
{
	for (size_t i = 0; i < file->segment_count; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (is_kept(segment) && file_addr >= segment->p_vaddr &&
			file_addr - segment->p_vaddr < segment->p_filesz) {
			*left = segment->p_filesz - (file_addr - segment->p_vaddr);
			return segment;
		}
	}
	return NULL;
}

/* The bytes at file_addr; NULL when not so many are there. */
static const void *bytes_at(const struct rebuilt *file, uint64_t file_addr, uint64_t size)
{
	uint64_t left;
	const Elf64_Phdr *segment = segment_at(file, file_addr, &left);

	return segment && size <= left
		       ? file->bytes + segment->p_offset + (file_addr - segment->p_vaddr)
		       : NULL;
}

static const Elf64_Phdr *segment_of_type(const struct rebuilt *file, uint32_t type)
{
	for (size_t i = 0; i < file->segment_count; i++)
		if (file->segments[i].p_type == type)
			return &file->segments[i];
	return NULL;
}

/* The dynamic loader adds the bias to what stands in the file; the kernel, for its vdso, does not.
 */
static uint64_t unbiased(const struct rebuilt *file, uint64_t address)
{
	uint64_t left;

	return segment_at(file, address - file->bias, &left) ? address - file->bias : address;
}

static void read_dynamic(const struct rebuilt *file, struct dynamic *dynamic)
{
	const Elf64_Phdr *segment = segment_of_type(file, PT_DYNAMIC);
	const uint8_t *at = segment ? file->bytes + segment->p_offset : NULL;

	for (uint64_t i = 0; segment && i < segment->p_filesz / sizeof(Elf64_Dyn); i++) {
		Elf64_Dyn entry;

		memcpy(&entry, at + i * sizeof(entry), sizeof(entry));
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_SYMTAB)
			dynamic->symbols = unbiased(file, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRTAB)
			dynamic->strings = unbiased(file, entry.d_un.d_ptr);
		if (entry.d_tag == DT_STRSZ)
			dynamic->strings_size = entry.d_un.d_val;
		if (entry.d_tag == DT_HASH)
			dynamic->hash = unbiased(file, entry.d_un.d_ptr);
		if (entry.d_tag == DT_GNU_HASH)
			dynamic->gnu_hash = unbiased(file, entry.d_un.d_ptr);
	}
}

static uint32_t word_at(const struct rebuilt *file, uint64_t file_addr)
{
	const void *bytes = bytes_at(file, file_addr, sizeof(uint32_t));
	uint32_t word = 0;

	if (bytes)
		memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The table of symbols says nowhere how long it is: the highest one that a bucket leads to does. */
static uint64_t gnu_hash_count(const struct rebuilt *file, uint64_t table)
{
	uint32_t buckets = word_at(file, table), first = word_at(file, table + 4);
	uint32_t bloom_words = word_at(file, table + 8);
	uint64_t bucket = table + 16 + 8 * (uint64_t)bloom_words;
	uint64_t chain = bucket + 4 * (uint64_t)buckets;
	uint32_t last = 0;

	if (buckets > HASH_BUCKETS_MAX || !bytes_at(file, bucket, 4 * (uint64_t)buckets))
		return 0;
	for (uint32_t i = 0; i < buckets; i++)
		if (word_at(file, bucket + 4 * (uint64_t)i) > last)
			last = word_at(file, bucket + 4 * (uint64_t)i);
	if (last < first)
		return first;
	while (last - first < SYMBOLS_MAX &&
		bytes_at(file, chain + 4 * (uint64_t)(last - first), 4) &&
		!(word_at(file, chain + 4 * (uint64_t)(last - first)) & 1))
		last++;
	return (uint64_t)last + 1;
}

static uint64_t symbol_count(const struct rebuilt *file, const struct dynamic *dynamic)
{
	uint64_t left, count = 0;

	if (!dynamic->symbols || !segment_at(file, dynamic->symbols, &left))
		return 0;
	if (dynamic->gnu_hash)
		count = gnu_hash_count(file, dynamic->gnu_hash);
	else if (dynamic->hash)
		count = word_at(file, dynamic->hash + 4);
	return count < left / sizeof(Elf64_Sym) ? count : left / sizeof(Elf64_Sym);
}

/* Where .eh_frame begins; 0: not told in the way that linkers do. */
static uint64_t eh_frame_start(const struct rebuilt *file, const Elf64_Phdr *header)
{
	const uint8_t *bytes = bytes_at(file, header->p_vaddr, EH_FRAME_POINTER + 4);
	int32_t distance;

	if (!bytes || bytes[0] != 1 || bytes[1] != (EH_PE_PCREL | EH_PE_SDATA4))
		return 0;
	memcpy(&distance, bytes + EH_FRAME_POINTER, sizeof(distance));
	return header->p_vaddr + EH_FRAME_POINTER + distance;
}

/* To its end mark, or as far as its records go. */
static uint64_t eh_frame_size(const struct rebuilt *file, uint64_t start)
{
	uint64_t left, at = start;

	if (!start || !segment_at(file, start, &left))
		return 0;
	while (left - (at - start) >= 4) {
		uint32_t length = word_at(file, at);

		if (length == 0 || length > left - (at - start) - 4)
			break;
		at += 4 + (uint64_t)length;
	}
	return at - start;
}

/* --- section headers -------------------------------------------------------------------------- */

#define NOTES_MAX 4

enum {
	NO_SECTION,
	DYNSYM,
	DYNSTR,
	EH_FRAME_HDR,
	EH_FRAME,
	SECTION_NAMES,
	NOTES,
	SECTION_COUNT = NOTES + NOTES_MAX
};

static const char section_names[] =
	"\0.dynsym\0.dynstr\0.eh_frame_hdr\0.eh_frame\0.shstrtab\0.note";
static const uint8_t name_offsets[SECTION_COUNT] = {[DYNSYM] = 1,
	[DYNSTR] = 9,
	[EH_FRAME_HDR] = 17,
	[EH_FRAME] = 31,
	[SECTION_NAMES] = 41,
	[NOTES] = 51,
	[NOTES + 1] = 51,
	[NOTES + 2] = 51,
	[NOTES + 3] = 51};

static Elf64_Shdr section_at(
	const struct rebuilt *file, uint32_t type, uint64_t file_addr, uint64_t size)
{
	uint64_t left;
	const Elf64_Phdr *segment = size ? segment_at(file, file_addr, &left) : NULL;

	if (!segment)
		return (Elf64_Shdr){.sh_type = SHT_NULL};
	return (Elf64_Shdr){.sh_type = type,
		.sh_flags = SHF_ALLOC,
		.sh_addr = file_addr,
		.sh_offset = segment->p_offset + (file_addr - segment->p_vaddr),
		.sh_size = size < left ? size : left,
		.sh_addralign = 1};
}

/* The build-id is in one of them. */
static void describe_notes(const struct rebuilt *file, Elf64_Shdr sections[NOTES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < file->segment_count && count < NOTES_MAX; i++) {
		const Elf64_Phdr *segment = &file->segments[i];

		if (segment->p_type != PT_NOTE)
			continue;
		sections[count] = section_at(file, SHT_NOTE, segment->p_vaddr, segment->p_filesz);
		sections[count++].sh_addralign = segment->p_align;
	}
}

static void describe(const struct rebuilt *file, Elf64_Shdr sections[SECTION_COUNT])
{
	const Elf64_Phdr *eh_header = segment_of_type(file, PT_GNU_EH_FRAME);
	uint64_t eh_start = eh_header ? eh_frame_start(file, eh_header) : 0;
	struct dynamic dynamic = {0};

	read_dynamic(file, &dynamic);
	sections[DYNSYM] = section_at(file, SHT_DYNSYM, dynamic.symbols,
		symbol_count(file, &dynamic) * sizeof(Elf64_Sym));
	sections[DYNSYM].sh_link = DYNSTR;
	sections[DYNSYM].sh_info = 1;
	sections[DYNSYM].sh_entsize = sizeof(Elf64_Sym);
	sections[DYNSYM].sh_addralign = 8;
	sections[DYNSTR] = section_at(file, SHT_STRTAB, dynamic.strings, dynamic.strings_size);
	if (eh_header)
		sections[EH_FRAME_HDR] =
			section_at(file, SHT_PROGBITS, eh_header->p_vaddr, eh_header->p_filesz);
	sections[EH_FRAME] =
		section_at(file, SHT_PROGBITS, eh_start, eh_frame_size(file, eh_start));
	sections[EH_FRAME].sh_addralign = 8;
	describe_notes(file, sections + NOTES);
}

/* Behind the rest: the names, then the headers, and the ELF header says so. */
static void append(struct rebuilt *file, struct bytes *bytes)
{
	static const uint64_t zeros;
	Elf64_Shdr sections[SECTION_COUNT] = {{0}};
	Elf64_Ehdr header = file->header;

	describe(file, sections);
	*bytes = (struct bytes){.items = file->bytes, .count = file->size, .capacity = file->size};
	sections[SECTION_NAMES] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
		.sh_offset = bytes->count,
		.sh_size = sizeof(section_names),
		.sh_addralign = 1};
	bytes_put(bytes, section_names, sizeof(section_names));
	bytes_put(bytes, &zeros, -bytes->count % sizeof(zeros));
	for (size_t i = 1; i < SECTION_COUNT; i++)
		sections[i].sh_name = name_offsets[i];
	header.e_shoff = bytes->count;
	header.e_shentsize = sizeof(*sections);
	header.e_shnum = SECTION_COUNT;
	header.e_shstrndx = SECTION_NAMES;
	bytes_put(bytes, sections, sizeof(sections));
	memcpy(bytes->items, &header, sizeof(header));
}

struct elf_file *loaded_image_open(
	const struct loaded_image *image, const char *name, struct error *err)
{
	struct rebuilt *rebuilt = alloc_zeroed(1, sizeof(*rebuilt));
	struct elf_file *file = NULL;
	struct bytes bytes = {0};

	rebuilt->image = image;
	if (!read_headers(rebuilt) || !measure(rebuilt)) {
		error_set(err, "%s is not a 64-bit ELF file in memory", name);
	} else if (!read_segments(rebuilt)) {
		error_set(err, "%s cannot be read from memory", name);
	} else {
		append(rebuilt, &bytes);
		rebuilt->bytes = bytes.items;
		file = elf_file_from_memory(bytes.items, bytes.count, name, err);
	}
	free(rebuilt->bytes);
	free(rebuilt);
	return file;
}
