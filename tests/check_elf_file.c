/* One ELF file: our own program as the kernel mapped it is the truth that files are compared with.
 */
#include "elf/elf_file.h"

#include "base/alloc.h"
#include "fixture_dir.h"

#include <check.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

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

static struct elf_file *open_good(const char *path)
{
	struct error err = {""};
	struct elf_file *file = elf_file_open(path, &err);

	ck_assert_msg(file, "%s", err.text);
	return file;
}

static struct elf_file *open_fixture(const char *name)
{
	return open_good(fixture_path(directory, name));
}

static const char *error_of(const char *path)
{
	static struct error err;

	err.text[0] = '\0';
	ck_assert_ptr_null(elf_file_open(path, &err));
	return err.text;
}

/* --- our own program ----------------------------------------------------------------------------
 */

/* What dl_iterate_phdr() says about the object that holds an address. */
struct loaded {
	uintptr_t address;
	uintptr_t base;
	const uint8_t *build_id;
	size_t build_id_length;
};

static void read_notes(struct loaded *loaded, const uint8_t *at, size_t size)
{
	const uint8_t *end = at + size;

	while (at + sizeof(ElfW(Nhdr)) < end) {
		const ElfW(Nhdr) *note = (const void *)at;
		const uint8_t *name = at + sizeof(*note);
		const uint8_t *bytes = name + ((note->n_namesz + 3) & ~3u);

		if (note->n_type == NT_GNU_BUILD_ID && !memcmp(name, "GNU", 4)) {
			loaded->build_id = bytes;
			loaded->build_id_length = note->n_descsz;
		}
		at = bytes + ((note->n_descsz + 3) & ~3u);
	}
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *context)
{
	struct loaded *loaded = context;
	bool is_here = false;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t low = info->dlpi_addr + segment->p_vaddr;

		is_here |= segment->p_type == PT_LOAD && loaded->address >= low &&
			   loaded->address < low + segment->p_memsz;
	}
	if (!is_here)
		return 0;
	loaded->base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_NOTE)
			read_notes(loaded, (const uint8_t *)info->dlpi_addr + segment->p_vaddr,
				segment->p_memsz);
	}
	return 1;
}

static struct loaded loaded_at(const void *address)
{
	struct loaded loaded = {.address = (uintptr_t)address};

	ck_assert_int_eq(dl_iterate_phdr(look_at_object, &loaded), 1);
	return loaded;
}

/* The line of /proc/self/maps that holds an address. */
struct mapping {
	uintptr_t low, high, offset;
	char path[512];
};

static struct mapping mapping_of(const void *address)
{
	struct mapping mapping;
	char line[1024];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %511s", &mapping.low, &mapping.high,
			    &mapping.offset, mapping.path) == 4 &&
			mapping.low <= (uintptr_t)address && (uintptr_t)address < mapping.high) {
			fclose(maps);
			return mapping;
		}
	}
	ck_abort_msg("no mapping holds %p", address);
}

/* A function of the C library that no sanitizer puts itself in front of. */
static const void *libc_function(void)
{
	return dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
}

START_TEST(test_build_id)
{
	struct loaded loaded = loaded_at(libc_function());
	struct elf_file *file = open_good(mapping_of(libc_function()).path);
	const struct build_id *id = elf_file_build_id(file);

	ck_assert_uint_gt(loaded.build_id_length, 0);
	ck_assert_uint_eq(id->length, loaded.build_id_length);
	ck_assert_mem_eq(id->bytes, loaded.build_id, loaded.build_id_length);
	elf_file_close(file);
}
END_TEST

static void check_address(const void *function)
{
	struct loaded loaded = loaded_at(function);
	struct mapping mapping = mapping_of(function);
	struct elf_file *file = open_good(mapping.path);
	uint64_t file_addr, low, high;
	struct elf_section text;

	ck_assert(elf_file_addr(file, loaded.address - mapping.low + mapping.offset, &file_addr));
	ck_assert_uint_eq(file_addr + loaded.base, loaded.address);
	elf_file_text_range(file, &low, &high);
	ck_assert(low <= file_addr && file_addr < high);
	ck_assert(elf_file_section(file, ".text", &text));
	ck_assert(text.file_addr >= low && text.file_addr + text.size <= high);
	ck_assert_mem_eq(text.bytes + (file_addr - text.file_addr), function, 16);
	elf_file_close(file);
}

START_TEST(test_addresses)
{
	check_address((const void *)open_good);
	check_address(libc_function());
}
END_TEST

START_TEST(test_header)
{
	struct elf_file *file = open_good("/proc/self/exe");
	struct elf_section section;

	ck_assert(elf_file_is_64(file) == (sizeof(void *) == 8));
#ifdef __x86_64__
	ck_assert_int_eq(elf_file_machine(file), EM_X86_64);
#endif
	ck_assert_str_eq(elf_file_name(file), "/proc/self/exe");
	ck_assert(!elf_file_section(file, ".no such", &section));
	ck_assert(elf_file_section(file, ".bss", &section));
	ck_assert_ptr_null(section.bytes);
	ck_assert_uint_eq(section.size, 0);
	ck_assert_ptr_eq(elf_file_reference(file), file);
	elf_file_close(file);
	ck_assert_str_eq(elf_file_name(file), "/proc/self/exe");
	elf_file_close(file);
}
END_TEST

START_TEST(test_vdso)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct mapping mapping = mapping_of(image);
	struct error err = {""};
	struct elf_section section;
	struct elf_file *file =
		elf_file_from_memory(image, mapping.high - mapping.low, "[vdso]", &err);

	ck_assert_msg(file, "%s", err.text);
	ck_assert(elf_file_section(file, ".dynsym", &section));
	ck_assert_uint_gt(section.size, 0);
	ck_assert(elf_file_section(file, ".eh_frame", &section));
	elf_file_close(file);
}
END_TEST

/* --- debug files --------------------------------------------------------------------------------
 */

START_TEST(test_debug_in_itself)
{
	struct elf_file *file = open_fixture("small"), *debug = elf_file_debug(file);

	ck_assert_ptr_eq(debug, file);
	elf_file_close(debug);
	elf_file_close(file);
}
END_TEST

/* "program", stripped, whose link names NAME.debug in `place`. */
static void make_linked(const char *program, const char *source, const char *place)
{
	fixture_run(directory, "mkdir -p %s && objcopy --only-keep-debug %s %s/%s.debug", place,
		source, place, program);
	fixture_run(directory, "objcopy --strip-all --add-gnu-debuglink=%s/%s.debug %s %s", place,
		program, source, program);
}

static char *debug_name(const char *program)
{
	struct elf_file *file = open_fixture(program), *debug = elf_file_debug(file);
	char *name = debug ? alloc_string(elf_file_name(debug)) : NULL;

	elf_file_close(debug);
	debug = elf_file_debug(file); /* the second time it is remembered */
	ck_assert(!debug == !name);
	elf_file_close(debug);
	elf_file_close(file);
	return name;
}

static void check_debug_name(const char *program, const char *expected)
{
	char *name = debug_name(program);

	ck_assert_msg(name, "no debug file of %s", program);
	ck_assert_str_eq(name, fixture_path(directory, expected));
	free(name);
}

START_TEST(test_debug_link)
{
	make_linked("beside", "small", ".");
	check_debug_name("beside", "beside.debug");
	make_linked("below", "small", ".debug");
	check_debug_name("below", ".debug/below.debug");
}
END_TEST

START_TEST(test_debug_link_of_another_build)
{
	fixture_run(directory, "gcc -g -O2 -Wl,--build-id=sha1 small.c -o other");
	make_linked("rebuilt", "small", ".");
	fixture_run(directory, "objcopy --only-keep-debug other rebuilt.debug");
	ck_assert_ptr_null(debug_name("rebuilt"));
}
END_TEST

START_TEST(test_debug_link_by_checksum)
{
	fixture_run(directory, "gcc -g -Wl,--build-id=none small.c -o anonymous");
	make_linked("checked", "anonymous", ".");
	check_debug_name("checked", "checked.debug");
	fixture_run(directory, "printf X >> checked.debug");
	ck_assert_ptr_null(debug_name("checked"));
}
END_TEST

START_TEST(test_no_debug_file)
{
	fixture_run(directory, "strip small -o bare");
	ck_assert_ptr_null(debug_name("bare"));
}
END_TEST

START_TEST(test_compressed_section)
{
	struct elf_file *plain, *packed;
	struct elf_section a, b;

	fixture_run(directory, "objcopy --compress-debug-sections=zlib small packed");
	plain = open_fixture("small");
	packed = open_fixture("packed");
	ck_assert(elf_file_section(plain, ".debug_info", &a));
	ck_assert(elf_file_section(packed, ".debug_info", &b));
	ck_assert_uint_gt(a.size, 0);
	ck_assert_uint_eq(a.size, b.size);
	ck_assert_mem_eq(a.bytes, b.bytes, a.size);
	elf_file_close(plain);
	elf_file_close(packed);
}
END_TEST

START_TEST(test_alternate)
{
	struct elf_file *file, *alternate;

	fixture_run(directory, "gcc -g -O2 -Wl,--build-id=sha1 small.c -o dwz_b");
	fixture_run(directory, "cp small dwz_a && dwz -m shared.dwz dwz_a dwz_b 2>&1");
	file = open_fixture("dwz_a");
	alternate = elf_file_alternate(file);
	ck_assert_ptr_nonnull(alternate);
	ck_assert_str_eq(elf_file_name(alternate), fixture_path(directory, "shared.dwz"));
	ck_assert_ptr_null(elf_file_alternate(alternate));
	elf_file_close(alternate);
	elf_file_close(file);
}
END_TEST

/* --- what is no ELF file ------------------------------------------------------------------------
 */

START_TEST(test_not_a_file)
{
	ck_assert_ptr_nonnull(strstr(error_of("/no/such/file"), "No such file"));
	ck_assert_ptr_nonnull(strstr(error_of("/"), "not a regular file"));
	ck_assert_ptr_nonnull(strstr(error_of("/dev/null"), "not a regular file"));
	ck_assert_int_eq(mkfifo(fixture_path(directory, "fifo"), 0600), 0);
	ck_assert_ptr_nonnull(
		strstr(error_of(fixture_path(directory, "fifo")), "not a regular file"));
}
END_TEST

START_TEST(test_not_elf)
{
	fixture_write(directory, "empty", "");
	ck_assert_ptr_nonnull(strstr(error_of(fixture_path(directory, "empty")), "0 bytes"));
	fixture_write(directory, "text", "#!/bin/sh\necho this is no program of ours\n");
	ck_assert_ptr_nonnull(
		strstr(error_of(fixture_path(directory, "text")), "is not an ELF file"));
	fixture_run(directory, "head -c 40 small > beginning");
	ck_assert_ptr_nonnull(
		strstr(error_of(fixture_path(directory, "beginning")), "is not an ELF file"));
	ck_assert_ptr_null(elf_file_from_memory("\177ELF", 4, "four bytes", NULL));
}
END_TEST

/* Looks at everything there is. */
static void look_around(struct elf_file *file)
{
	static const char *const names[] = {".text", ".eh_frame", ".debug_info", ".debug_line",
		".symtab", ".note.gnu.build-id"};
	uint64_t low, high, sum = 0;
	struct elf_file *debug;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct elf_section section;

		if (!elf_file_section(file, names[i], &section))
			continue;
		for (size_t at = 0; at < section.size; at++)
			sum += section.bytes[at];
	}
	elf_file_text_range(file, &low, &high);
	ck_assert(low <= high);
	for (uint64_t offset = 0; offset < 1 << 20; offset += 999)
		sum += elf_file_addr(file, offset, &low);
	debug = elf_file_debug(file);
	elf_file_close(debug);
	elf_file_close(elf_file_alternate(file));
	ck_assert_uint_gt(sum + 1, 0);
}

START_TEST(test_damage)
{
	struct elf_section section;
	struct elf_file *good, *file;
	uint32_t random = 1;
	size_t size, opened = 0;
	char *image;

	fixture_run(directory, "objcopy --compress-debug-sections=zlib small packed");
	good = open_fixture("packed");
	ck_assert(elf_file_section(good, ".text", &section));
	image = fixture_bytes(directory, "packed", &size);
	for (int i = 0; i < 400; i++) {
		/* the headers at the beginning and at the end are what matters most */
		size_t at = i % 4 == 0	 ? fixture_random(&random) % 0x400
			    : i % 4 == 1 ? size - 1 - fixture_random(&random) % 0x900
					 : fixture_random(&random) % size;
		char saved = image[at];

		image[at] ^= 1 << fixture_random(&random) % 8;
		file = elf_file_from_memory(image, i % 3 ? size : at, "damaged", NULL);
		image[at] = saved;
		if (file)
			look_around(file);
		opened += file != NULL;
		elf_file_close(file);
	}
	ck_assert_uint_gt(opened, 100);
	free(image);
	elf_file_close(good);
}
END_TEST

/* A compressed section that claims a terabyte is refused before anybody allocates that. */
START_TEST(test_impossible_size)
{
	struct error err = {""};
	Elf64_Shdr *sections;
	Elf64_Ehdr *header;
	char *image;
	size_t size, found = 0;

	fixture_run(directory, "objcopy --compress-debug-sections=zlib small packed");
	image = fixture_bytes(directory, "packed", &size);
	header = (Elf64_Ehdr *)image;
	sections = (Elf64_Shdr *)(image + header->e_shoff);
	for (int i = 0; i < header->e_shnum; i++) {
		if (sections[i].sh_flags & SHF_COMPRESSED) {
			((Elf64_Chdr *)(image + sections[i].sh_offset))->ch_size = 1ull << 40;
			found++;
		}
	}
	ck_assert_uint_gt(found, 0);
	ck_assert_ptr_null(elf_file_from_memory(image, size, "bomb", &err));
	ck_assert_ptr_nonnull(strstr(err.text, "impossible size"));
	free(image);
}
END_TEST

Suite *elf_file_suite(void);
Suite *elf_file_suite(void)
{
	Suite *suite = suite_create("elf_file");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_add_unchecked_fixture(core, make_directory, remove_directory);
	tcase_set_timeout(core, 60);
	tcase_add_test(core, test_build_id);
	tcase_add_test(core, test_addresses);
	tcase_add_test(core, test_header);
	tcase_add_test(core, test_vdso);
	tcase_add_test(core, test_debug_in_itself);
	tcase_add_test(core, test_debug_link);
	tcase_add_test(core, test_debug_link_of_another_build);
	tcase_add_test(core, test_debug_link_by_checksum);
	tcase_add_test(core, test_no_debug_file);
	tcase_add_test(core, test_compressed_section);
	tcase_add_test(core, test_alternate);
	suite_add_tcase(suite, core);

	tcase_add_unchecked_fixture(limits, make_directory, remove_directory);
	tcase_set_timeout(limits, 60);
	tcase_add_test(limits, test_not_a_file);
	tcase_add_test(limits, test_not_elf);
	tcase_add_test(limits, test_damage);
	tcase_add_test(limits, test_impossible_size);
	suite_add_tcase(suite, limits);
	return suite;
}
