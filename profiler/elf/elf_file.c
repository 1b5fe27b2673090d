#include "elf/elf_file.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/regular_file.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define DEBUG_ROOT "/usr/lib/debug"

#define NATIVE_ORDER (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB)

/*
 * What one compressed byte can become: deflate's limit is 1032, zstd's is higher but not in use.
 * Sections that become large never get there: debug information is packed to a tenth.
 */
#define MAX_INFLATION	    1100
#define MAX_LARGE_INFLATION 64
#define LARGE_BYTES	    (64u << 20)

/* Larger files are no programs; sparse ones cost nothing to make and everything to read. */
#define FILE_BYTES_MAX (UINT64_C(8) << 30)

/* Files that others may change are copied up to this size, for libelf trusts what it has checked.
 */
#define COPIED_BYTES_MAX (UINT64_C(1) << 30)

/* The CRC of a debug link is only taken of files up to this size: about a second. */
#define CRC_BYTES_MAX (UINT64_C(2) << 30)

struct section_name {
	const char *name; /* lies in the file */
	Elf_Scn *section;
};

/* What says that two open files are one. */
struct identity {
	dev_t device;
	ino_t inode; /* 0: not from a file */
};

struct elf_file {
	unsigned references;
	char *name;
	uint8_t *image; /* the whole file */
	size_t size;
	bool is_mapped; /* image is to be unmapped, not freed */
	struct identity identity;

	Elf *elf;
	GElf_Ehdr header;
	ARRAY(GElf_Phdr) loads; /* PT_LOAD only */
	ARRAY(struct section_name) sections;
	struct build_id build_id;

	struct elf_file *debug; /* NULL: none, or not searched for; never the file itself */
	bool debug_searched;
};

/* --- opening ------------------------------------------------------------------------------------
 */

static void read_build_id(struct elf_file *file)
{
	const void *bytes;
	ssize_t length = dwelf_elf_gnu_build_id(file->elf, &bytes);

	if (length <= 0 || length > BUILD_ID_MAX)
		return;
	memcpy(file->build_id.bytes, bytes, length);
	file->build_id.length = length;
}

static void read_segments(struct elf_file *file)
{
	size_t count;

	if (elf_getphdrnum(file->elf, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (gelf_getphdr(file->elf, i, &segment) && segment.p_type == PT_LOAD)
			*array_add(&file->loads) = segment;
	}
}

/* What the header of a GNU compressed section says: "ZLIB", then the size, big-endian. */
static bool read_gnu_claim(Elf_Scn *section, uint64_t *claim)
{
	Elf_Data *data = elf_rawdata(section, NULL);

	*claim = 0;
	if (!data || !data->d_buf || data->d_size < 12 || memcmp(data->d_buf, "ZLIB", 4) != 0)
		return false;
	for (size_t i = 4; i < 12; i++)
		*claim = *claim << 8 | ((const uint8_t *)data->d_buf)[i];
	return true;
}

/*
 * A compressed section's header claims the size of its contents, which libelf allocates before it
 * looks further: a claim that no compressor could keep is damage.
 */
static bool claims_too_much(Elf_Scn *section, const GElf_Shdr *header, const char *name)
{
	GElf_Chdr compressed;
	uint64_t claim;

	if (header->sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(section, &compressed))
			return true;
		claim = compressed.ch_size;
	} else if (strncmp(name, ".zdebug", 7) != 0 || !read_gnu_claim(section, &claim)) {
		return false;
	}
	return claim / (claim > LARGE_BYTES ? MAX_LARGE_INFLATION : MAX_INFLATION) >
	       header->sh_size;
}

static int read_sections(struct elf_file *file, struct error *err)
{
	size_t names;
	Elf_Scn *section = NULL;

	if (elf_getshdrstrndx(file->elf, &names))
		return 0; /* no sections: what sstrip leaves still runs */
	while ((section = elf_nextscn(file->elf, section))) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(file->elf, names, header.sh_name);
		if (claims_too_much(section, &header, name ? name : ""))
			return error_set(err,
				"%s is damaged: compressed section %zu claims an impossible size",
				file->name, elf_ndxscn(section));
		if (name)
			*array_add(&file->sections) = (struct section_name){name, section};
	}
	return 0;
}

/* Takes the image over, whatever comes of it. */
static struct elf_file *open_image(
	uint8_t *image, size_t size, bool is_mapped, const char *name, struct error *err)
{
	struct elf_file *file = alloc_zeroed(1, sizeof(*file));

	*file = (struct elf_file){.references = 1,
		.name = alloc_string(name),
		.image = image,
		.size = size,
		.is_mapped = is_mapped};
	elf_version(EV_CURRENT);
	file->elf = elf_memory((char *)image, size);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF ||
		!gelf_getehdr(file->elf, &file->header)) {
		error_set(err, "%s is not an ELF file", name);
		goto fail;
	}
	/* libelf would make a converted copy of each section, however often it is named. */
	if (file->header.e_ident[EI_DATA] != NATIVE_ORDER) {
		error_set(err, "%s is for machines of another byte order", name);
		goto fail;
	}
	read_segments(file);
	if (read_sections(file, err))
		goto fail;
	read_build_id(file);
	return file;
fail:
	elf_file_close(file);
	return NULL;
}

/* Whether another user could change the contents while they are read. */
static bool others_may_write(const struct stat *status)
{
	return (status->st_uid != 0 && status->st_uid != geteuid()) || status->st_mode & 022;
}

/* Fills `image`; a file that became shorter reads as zeros from there on. */
static int copy_contents(int fd, uint8_t *image, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = pread(fd, image + done, size - done, done);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += got;
	}
	return 0;
}

/*
 * Writable, and private: libelf keeps the headers where they are and changes those of sections that
 * it decompresses. A private mapping still shows what others write to the file: see
 * base/file_fault.h for when they cut it off, and a copy for when they may not be trusted.
 */
static void *map_contents(int fd, const struct stat *status)
{
	size_t size = status->st_size;
	bool is_copy = others_may_write(status) && size <= COPIED_BYTES_MAX;
	void *image = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_NORESERVE | (is_copy ? MAP_ANONYMOUS : 0), is_copy ? -1 : fd, 0);

	if (image != MAP_FAILED && is_copy && copy_contents(fd, image, size)) {
		munmap(image, size);
		return MAP_FAILED;
	}
	return image;
}

struct elf_file *elf_file_open_fd(int fd, const char *name, struct error *err)
{
	struct elf_file *file;
	struct stat status;
	void *image;

	if (fstat(fd, &status)) {
		error_set_errno(err, "cannot examine %s", name);
		return NULL;
	}
	if (!S_ISREG(status.st_mode)) {
		error_set(err, "%s is not a regular file", name);
		return NULL;
	}
	if (status.st_size < EI_NIDENT) {
		error_set(err, "%s is not an ELF file: it has %lld bytes", name,
			(long long)status.st_size);
		return NULL;
	}
	if ((uint64_t)status.st_size > FILE_BYTES_MAX) {
		error_set(err, "%s is too large for a program: it has %lld bytes", name,
			(long long)status.st_size);
		return NULL;
	}
	image = map_contents(fd, &status);
	if (image == MAP_FAILED) {
		error_set_errno(err, "cannot map %s", name);
		return NULL;
	}
	file = open_image(image, status.st_size, true, name, err);
	if (file)
		file->identity = (struct identity){status.st_dev, status.st_ino};
	return file;
}

struct elf_file *elf_file_open(const char *path, struct error *err)
{
	int fd = regular_file_open(path, err);
	struct elf_file *file;

	if (fd < 0)
		return NULL;
	file = elf_file_open_fd(fd, path, err);
	close(fd);
	return file;
}

struct elf_file *elf_file_from_memory(
	const void *bytes, size_t size, const char *name, struct error *err)
{
	uint8_t *image;

	if (size < EI_NIDENT) {
		error_set(err, "%s is not an ELF image: it has %zu bytes", name, size);
		return NULL;
	}
	image = alloc_bytes(size);
	memcpy(image, bytes, size);
	return open_image(image, size, false, name, err);
}

struct elf_file *elf_file_reference(struct elf_file *file)
{
	file->references++;
	return file;
}

void elf_file_close(struct elf_file *file)
{
	if (!file || --file->references)
		return;
	elf_file_close(file->debug);
	elf_end(file->elf);
	if (file->is_mapped)
		munmap(file->image, file->size);
	else
		free(file->image);
	array_release(&file->loads);
	array_release(&file->sections);
	free(file->name);
	free(file);
}

/* --- what is in it ------------------------------------------------------------------------------
 */

const char *elf_file_name(const struct elf_file *file)
{
	return file->name;
}

Elf *elf_file_handle(const struct elf_file *file)
{
	return file->elf;
}

bool elf_file_is_64(const struct elf_file *file)
{
	return file->header.e_ident[EI_CLASS] == ELFCLASS64;
}

uint16_t elf_file_machine(const struct elf_file *file)
{
	return file->header.e_machine;
}

const struct build_id *elf_file_build_id(const struct elf_file *file)
{
	return &file->build_id;
}

/* The contents of `section`, whose header says `*header`; that changes when it is decompressed. */
static Elf_Data *section_data(Elf_Scn *section, GElf_Shdr *header)
{
	if (header->sh_type == SHT_NOBITS)
		return NULL;
	if (!(header->sh_flags & SHF_COMPRESSED))
		return elf_rawdata(section, NULL);
	if (elf_compress(section, 0, 0) < 0 || !gelf_getshdr(section, header))
		return NULL;
	return elf_getdata(section, NULL);
}

static bool read_section(Elf_Scn *found, struct elf_section *section)
{
	GElf_Shdr header;
	Elf_Data *data;

	if (!gelf_getshdr(found, &header))
		return false;
	data = section_data(found, &header);
	*section = (struct elf_section){.bytes = data ? data->d_buf : NULL,
		.size = data && data->d_buf ? data->d_size : 0,
		.file_addr = header.sh_addr,
		.index = elf_ndxscn(found)};
	return true;
}

bool elf_file_section(const struct elf_file *file, const char *name, struct elf_section *section)
{
	for (size_t i = 0; i < file->sections.count; i++) {
		if (!strcmp(file->sections.items[i].name, name))
			return read_section(file->sections.items[i].section, section);
	}
	return false;
}

/* --- addresses ----------------------------------------------------------------------------------
 */

/* Does the segment hold `offset` when it is widened to whole pages of this size? */
static bool segment_holds(const GElf_Phdr *segment, uint64_t offset, uint64_t page)
{
	uint64_t low = segment->p_offset & ~(page - 1);
	uint64_t end = segment->p_offset + segment->p_filesz;

	if (end < segment->p_offset)
		return false;
	return offset >= low && offset < ((end + page - 1) & ~(page - 1));
}

/*
 * Where linkers put two segments into one page of the file, that page is mapped twice and its bytes
 * belong to the segment that has them; only then to the neighbour, preferably one with code.
 */
bool elf_file_addr(const struct elf_file *file, uint64_t offset, uint64_t *file_addr)
{
	uint64_t page = sysconf(_SC_PAGESIZE);
	const GElf_Phdr *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < file->loads.count; i++) {
		const GElf_Phdr *segment = &file->loads.items[i];
		int rank = segment_holds(segment, offset, 1)	  ? 4
			   : segment_holds(segment, offset, page) ? 2
								  : 0;

		/* Linkers may let a read-only and an executable segment share a page of the file:
		 * addresses are asked for code. */
		if (rank && segment->p_flags & PF_X)
			rank += 3;
		if (rank > best_rank) {
			best_rank = rank;
			best = segment;
		}
	}
	if (!best)
		return false;
	*file_addr = offset - best->p_offset + best->p_vaddr;
	return true;
}

const uint8_t *elf_file_bytes(const struct elf_file *file, uint64_t file_addr, size_t size)
{
	for (size_t i = 0; i < file->loads.count; i++) {
		const GElf_Phdr *segment = &file->loads.items[i];
		uint64_t within = file_addr - segment->p_vaddr;

		if (file_addr < segment->p_vaddr || within >= segment->p_filesz ||
			segment->p_filesz - within < size || segment->p_offset > file->size ||
			within > file->size - segment->p_offset ||
			file->size - segment->p_offset - within < size)
			continue;
		return file->image + segment->p_offset + within;
	}
	return NULL;
}

bool elf_file_read(const struct elf_file *file, uint64_t file_addr, void *bytes, size_t size)
{
	const uint8_t *found = elf_file_bytes(file, file_addr, size);

	if (found)
		memcpy(bytes, found, size);
	return found;
}

void elf_file_text_range(const struct elf_file *file, uint64_t *low, uint64_t *high)
{
	*low = UINT64_MAX;
	*high = 0;
	for (size_t i = 0; i < file->loads.count; i++) {
		const GElf_Phdr *segment = &file->loads.items[i];
		uint64_t end = segment->p_vaddr + segment->p_memsz;

		if (!(segment->p_flags & PF_X) || end < segment->p_vaddr)
			continue;
		if (segment->p_vaddr < *low)
			*low = segment->p_vaddr;
		if (end > *high)
			*high = end;
	}
	if (*low > *high)
		*low = *high = 0;
}

/* --- debug files --------------------------------------------------------------------------------
 */

/* Looks at the header alone: reading would decompress it. */
static bool has_debug_info(const struct elf_file *file)
{
	for (size_t i = 0; i < file->sections.count; i++) {
		const struct section_name *section = &file->sections.items[i];
		GElf_Shdr header;

		if (!strcmp(section->name, ".debug_info"))
			return gelf_getshdr(section->section, &header) &&
			       header.sh_type != SHT_NOBITS && header.sh_size;
	}
	return false;
}

static bool same_build_id(const struct build_id *a, const struct build_id *b)
{
	return a->length && build_id_equal(a, b);
}

/* The file that is installed as the debug information of this build-id; NULL: none is. */
static struct elf_file *debug_by_build_id(const struct build_id *id)
{
	char text[BUILD_ID_TEXT_SIZE];
	struct elf_file *found;
	char *path;

	if (id->length < 2)
		return NULL;
	build_id_text(id, text);
	path = alloc_format(DEBUG_ROOT "/.build-id/%.2s/%s.debug", text, text + 2);
	found = elf_file_open(path, NULL);
	free(path);
	if (found && !same_build_id(id, &found->build_id)) {
		elf_file_close(found);
		return NULL;
	}
	return found;
}

static uint32_t checksum(const struct elf_file *file)
{
	/* Untouched by libelf so far: the headers it changes are those of sections already asked
	 * for. */
	return crc32_z(crc32_z(0, NULL, 0), file->image, file->size);
}

/* Is `found` the file that the link of `file` means? The build-id says so faster than the CRC. */
static bool link_matches(const struct elf_file *file, const struct elf_file *found, GElf_Word crc)
{
	if (found->identity.inode && found->identity.inode == file->identity.inode &&
		found->identity.device == file->identity.device)
		return false;
	if (file->build_id.length && found->build_id.length)
		return same_build_id(&file->build_id, &found->build_id);
	return found->size <= CRC_BYTES_MAX && checksum(found) == crc;
}

/* The file's directory, absolute, without a slash at its end; caller frees; NULL: has none. */
static char *directory_of(const struct elf_file *file)
{
	char *path = realpath(file->name, NULL);

	if (path)
		*strrchr(path, '/') = '\0';
	return path;
}

static struct elf_file *debug_by_link(const struct elf_file *file)
{
	static const struct {
		const char *root, *below;
	} places[] = {{"", "/"}, {"", "/.debug/"}, {DEBUG_ROOT, "/"}};
	struct elf_file *found = NULL;
	GElf_Word crc;
	const char *link = dwelf_elf_gnu_debuglink(file->elf, &crc);
	char *directory;

	/* The link is a bare name; anything else would lead out of the directories meant for it. */
	if (!link || !*link || strchr(link, '/'))
		return NULL;
	directory = directory_of(file);
	for (size_t i = 0; directory && !found && i < sizeof(places) / sizeof(*places); i++) {
		char *path =
			alloc_format("%s%s%s%s", places[i].root, directory, places[i].below, link);

		found = elf_file_open(path, NULL);
		free(path);
		if (found && !link_matches(file, found, crc)) {
			elf_file_close(found);
			found = NULL;
		}
	}
	free(directory);
	return found;
}

struct elf_file *elf_file_debug(struct elf_file *file)
{
	if (has_debug_info(file))
		return elf_file_reference(file);
	if (!file->debug_searched) {
		file->debug_searched = true;
		file->debug = debug_by_build_id(&file->build_id);
		if (!file->debug)
			file->debug = debug_by_link(file);
	}
	return file->debug ? elf_file_reference(file->debug) : NULL;
}

/* A name that is relative is so to the file that it stands in. */
static struct elf_file *open_beside(const struct elf_file *file, const char *name)
{
	char *directory = name[0] == '/' ? alloc_string("") : directory_of(file);
	char *path = directory ? alloc_format("%s/%s", directory, name) : NULL;
	struct elf_file *found = path ? elf_file_open(path, NULL) : NULL;

	free(path);
	free(directory);
	return found;
}

/* .gnu_debugaltlink is a name with its NUL, then the bytes of the build-id. */
struct elf_file *elf_file_alternate(const struct elf_file *debug)
{
	struct elf_section section;
	struct build_id id = {0};
	struct elf_file *found;
	size_t length;

	if (!elf_file_section(debug, ".gnu_debugaltlink", &section) || !section.size)
		return NULL;
	length = strnlen((const char *)section.bytes, section.size) + 1;
	if (length >= section.size || section.size - length > BUILD_ID_MAX)
		return NULL;
	id.length = section.size - length;
	memcpy(id.bytes, section.bytes + length, id.length);
	found = debug_by_build_id(&id);
	if (!found)
		found = open_beside(debug, (const char *)section.bytes);
	if (found && !same_build_id(&id, &found->build_id)) {
		elf_file_close(found);
		return NULL;
	}
	return found;
}
