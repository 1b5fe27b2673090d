/* ELF files that were made, or are changed, to harm their reader. */
#include "base/file_fault.h"
#include "elf/elf_file.h"
#include "symbols/symbol_table.h"

#include "fixture_dir.h"

#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT	    0x1000
#define SYMBOLS	    50
#define SECTION_MAX 2000

static char *directory;

static void make_directory(void)
{
	directory = fixture_dir_make();
	fixture_write(directory, "small.c",
		"int twice(int n) { return 2 * n; }\n"
		"int main(int argc, char **argv) { return twice(argc) + !argv; }\n");
	fixture_run(directory, "gcc -g -O1 -Wl,--build-id=sha1 small.c -o small");
}

static void remove_directory(void)
{
	fixture_dir_remove(directory);
}

/* --- headers that share their contents ----------------------------------------------------------
 */

struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	char names[32];
	Elf64_Sym symbols[SYMBOLS];
	Elf64_Shdr sections[SECTION_MAX];
};

/* Section 1 has the texts; all others are of this type, over the same symbols. */
static struct image *make_image(uint32_t type, uint16_t section_count)
{
	struct image *image = calloc(1, sizeof(*image));

	image->header =
		(Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_DYN,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct image, segment),
			.e_shoff = offsetof(struct image, sections),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1,
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = section_count,
			.e_shstrndx = 1};
	image->segment = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_X, .p_vaddr = TEXT, .p_memsz = 0x1000};
	memcpy(image->names, "\0name\0.zdebug_info", 18);
	for (unsigned i = 1; i < SYMBOLS; i++)
		image->symbols[i] = (Elf64_Sym){.st_name = 1,
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
			.st_shndx = 1,
			.st_value = TEXT + i * 16,
			.st_size = 16};
	image->sections[1] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct image, names),
		.sh_size = sizeof(image->names)};
	for (unsigned i = 2; i < section_count; i++)
		image->sections[i] = (Elf64_Shdr){.sh_type = type,
			.sh_link = 1,
			.sh_offset = offsetof(struct image, symbols),
			.sh_size = sizeof(image->symbols),
			.sh_entsize = sizeof(Elf64_Sym)};
	return image;
}

static struct elf_file *open_image(const struct image *image, struct error *err)
{
	return elf_file_from_memory(image, sizeof(*image), "image", err);
}

START_TEST(a_file_has_one_symbol_table)
{
	struct image *image = make_image(_i ? SHT_DYNSYM : SHT_SYMTAB, SECTION_MAX);
	struct elf_file *file = open_image(image, NULL);
	struct symbol_table *table;
	size_t symtab, dynsym, frames;

	ck_assert_ptr_nonnull(file);
	table = symbol_table_open(file, NULL);
	symbol_table_counts(table, &symtab, &dynsym, &frames);
	ck_assert_uint_eq(symtab + dynsym, SYMBOLS - 1);
	symbol_table_close(table);
	elf_file_close(file);
	free(image);
}
END_TEST

START_TEST(other_byte_orders_are_not_converted)
{
	struct image *image = make_image(SHT_SYMTAB, 3);
	struct error err = {""};

	image->header.e_ident[EI_DATA] = ELFDATA2MSB;
	ck_assert_ptr_null(open_image(image, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "another byte order"));
	free(image);
}
END_TEST

START_TEST(packed_sections_claim_what_is_possible)
{
	static const uint8_t claim[12] = {'Z', 'L', 'I', 'B', 0, 0, 1, 0, 0, 0, 0, 0};
	struct image *image = make_image(SHT_PROGBITS, 3);
	struct error err = {""};

	image->sections[2].sh_name = 6;
	memcpy(image->symbols, claim, sizeof(claim));
	ck_assert_ptr_null(open_image(image, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "impossible size"));
	free(image);
}
END_TEST

START_TEST(huge_files_are_not_read)
{
	const char *path = fixture_path(directory, "huge");
	struct error err = {""};

	fixture_run(directory, "cp small huge");
	if (truncate(path, (off_t)9 << 30) != 0)
		return; /* this file system has no room for such a size */
	ck_assert_ptr_null(elf_file_open(path, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "too large for a program"));
}
END_TEST

/* --- files that change --------------------------------------------------------------------------
 */

START_TEST(a_page_behind_the_end_reads_as_zeros)
{
	const char *path = fixture_path(directory, "text");
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *bytes;
	int fd;

	fixture_run(directory, "head -c %zu /dev/urandom | tr '\\0' x > text", 3 * page);
	fd = open(path, O_RDWR);
	bytes = mmap(NULL, 3 * page, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(bytes, MAP_FAILED);
	ck_assert_int_eq(ftruncate(fd, (off_t)page), 0);
	file_faults_read_zeros();
	ck_assert_uint_ne(bytes[page - 1], 0);
	for (size_t i = page; i < 3 * page; i++)
		ck_assert_uint_eq(bytes[i], 0);
	munmap(bytes, 3 * page);
	close(fd);
}
END_TEST

/* Anyone may write to it: what was opened stays what it was. */
START_TEST(files_of_others_are_copied)
{
	const char *path = fixture_path(directory, "small");
	struct elf_section section;
	struct elf_file *file;

	fixture_run(directory, "chmod 777 small");
	file = elf_file_open(path, NULL);
	ck_assert_ptr_nonnull(file);
	fixture_run(directory,
		"tr 'a-z' 'A-Z' < small > other; cat other > small; truncate -s 100 small");
	ck_assert(elf_file_section(file, ".strtab", &section));
	ck_assert_ptr_nonnull(memmem(section.bytes, section.size, "twice", 5));
	elf_file_close(file);
}
END_TEST

Suite *hostile_file_suite(void);
Suite *hostile_file_suite(void)
{
	Suite *suite = suite_create("hostile_file");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(core, make_directory, remove_directory);
	tcase_add_test(core, a_page_behind_the_end_reads_as_zeros);
	tcase_add_test(core, files_of_others_are_copied);
	suite_add_tcase(suite, core);
	tcase_add_checked_fixture(limits, make_directory, remove_directory);
	tcase_add_loop_test(limits, a_file_has_one_symbol_table, 0, 2);
	tcase_add_test(limits, other_byte_orders_are_not_converted);
	tcase_add_test(limits, packed_sections_claim_what_is_possible);
	tcase_add_test(limits, huge_files_are_not_read);
	suite_add_tcase(suite, limits);
	return suite;
}
