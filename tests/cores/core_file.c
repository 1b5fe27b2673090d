#include "core_file.h"

#include "../program_maps.h"
#include "elf/elf_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/procfs.h>
#include <unistd.h>

const struct core_load *core_file_load(const struct core_file *core, uint64_t address)
{
	size_t low = 0, high = core->loads.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->loads.items[middle].high <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == core->loads.count || core->loads.items[low].low > address)
		return NULL;
	return &core->loads.items[low];
}

static const struct core_module *find_module(const struct core_file *core, uint64_t ip)
{
	for (size_t i = 0; i < core->modules.count; i++)
		if (ip >= core->modules.items[i].walk.low && ip < core->modules.items[i].walk.high)
			return &core->modules.items[i];
	return NULL;
}

const struct walk_module *core_file_find(void *context, uint64_t ip)
{
	const struct core_module *module = find_module(context, ip);

	return module ? &module->walk : NULL;
}

bool core_file_read_word(void *context, uint64_t address, uint64_t *value)
{
	const struct core_load *load = core_file_load(context, address);
	const struct core_module *module = find_module(context, address);

	if (load && load->high - address >= sizeof(*value)) {
		memcpy(value, load->bytes + (address - load->low), sizeof(*value));
		return true;
	}
	return module && module->file &&
	       elf_file_read(module->file, address - module->walk.bias, value, sizeof(*value));
}

/* --- reading ------------------------------------------------------------------------------------
 */

static void read_thread(struct core_file *core, const void *bytes, size_t size)
{
	struct core_thread *thread;
	struct elf_prstatus status;
	struct user_regs_struct registers;

	if (size < sizeof(status))
		return;
	memcpy(&status, bytes, sizeof(status));
	memcpy(&registers, status.pr_reg, sizeof(registers));
	thread = array_add(&core->threads);
	thread->tid = status.pr_pid;
	program_registers_from_ptrace(&thread->registers, &registers);
}

static struct core_image *image_of(struct core_file *core, const char *path)
{
	struct core_image *image;
	struct elf_file *file;

	for (size_t i = 0; i < core->images.count; i++)
		if (strcmp(core->images.items[i].path, path) == 0)
			return &core->images.items[i];
	file = elf_file_open(path, NULL);
	image = array_add(&core->images);
	*image = (struct core_image){.path = alloc_string(path),
		.file = file,
		.rows = file ? unwind_rows_compile(file, NULL) : NULL};
	return image;
}

/* A core does not say which mappings were executable: those that hold the file's code. */
static void add_mapping(
	struct core_file *core, uint64_t low, uint64_t high, uint64_t offset, const char *path)
{
	const struct core_image *image = image_of(core, path);
	uint64_t half = (high - low) / 2, addr, text_low, text_high;

	if (!image->file || !elf_file_addr(image->file, offset + half, &addr))
		return;
	elf_file_text_range(image->file, &text_low, &text_high);
	if (addr < text_low || addr >= text_high)
		return;
	*array_add(&core->modules) = (struct core_module){.file = image->file,
		.walk = {.low = low, .high = high, .bias = low + half - addr, .rows = image->rows}};
}

static void read_files(struct core_file *core, const void *bytes, size_t size)
{
	const char *at = bytes, *path, *end = at + size;
	uint64_t count, unit, mapping[3];

	if (size < 16)
		return;
	memcpy(&count, at, sizeof(count)); /* notes are aligned to 4 bytes only */
	memcpy(&unit, at + 8, sizeof(unit));
	if (count > (size - 16) / 24)
		return;
	path = at + 16 + 24 * count;
	for (uint64_t i = 0; i < count; i++) {
		size_t length = strnlen(path, (size_t)(end - path));

		if (path + length == end)
			return;
		memcpy(mapping, at + 16 + 24 * i, sizeof(mapping));
		add_mapping(core, mapping[0], mapping[1], mapping[2] * unit, path);
		path += length + 1;
	}
}

static void read_notes(struct core_file *core, const GElf_Phdr *segment)
{
	Elf_Data *data = elf_getdata_rawchunk(
		core->elf, (int64_t)segment->p_offset, segment->p_filesz, ELF_T_NHDR);
	size_t at = 0, next, name, desc;
	GElf_Nhdr note;

	for (; data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0; at = next) {
		if (note.n_type == NT_PRSTATUS)
			read_thread(core, (const char *)data->d_buf + desc, note.n_descsz);
		else if (note.n_type == NT_FILE)
			read_files(core, (const char *)data->d_buf + desc, note.n_descsz);
	}
}

static int by_low(const void *a, const void *b)
{
	const struct core_load *left = a, *right = b;

	return (left->low > right->low) - (left->low < right->low);
}

static void read_segments(struct core_file *core, const uint8_t *bytes, size_t size)
{
	size_t count = 0;
	GElf_Phdr segment;

	elf_getphdrnum(core->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(core->elf, (int)i, &segment))
			continue;
		if (segment.p_type == PT_NOTE)
			read_notes(core, &segment);
		if (segment.p_type != PT_LOAD || segment.p_offset > size ||
			segment.p_filesz > size - segment.p_offset)
			continue;
		*array_add(&core->loads) = (struct core_load){.low = segment.p_vaddr,
			.high = segment.p_vaddr + segment.p_filesz,
			.bytes = bytes + segment.p_offset,
			.is_code = segment.p_flags & PF_X};
	}
	qsort(core->loads.items, core->loads.count, sizeof(*core->loads.items), by_low);
}

/* Executable memory that no file is mapped to: the vdso, which is an ELF file itself, and code that
 * was made at run time. */
static void add_anonymous_code(struct core_file *core)
{
	for (size_t i = 0; i < core->loads.count; i++) {
		const struct core_load *load = &core->loads.items[i];
		struct core_module module = {.walk = {.low = load->low, .high = load->high}};

		if (!load->is_code || load->low == load->high || find_module(core, load->low))
			continue;
		if (load->high - load->low > SELFMAG && memcmp(load->bytes, ELFMAG, SELFMAG) == 0)
			module.file = elf_file_from_memory(
				load->bytes, load->high - load->low, "[vdso]", NULL);
		if (module.file) {
			struct core_image *image = array_add(&core->images);

			*image = (struct core_image){.path = alloc_string("[vdso]"),
				.file = module.file,
				.rows = unwind_rows_compile(module.file, NULL)};
			module.walk.rows = image->rows;
			module.walk.bias = load->low;
		}
		*array_add(&core->modules) = module;
	}
}

int core_file_open(struct core_file *core, const char *path, struct error *err)
{
	size_t size = 0;
	char *bytes;

	elf_version(EV_CURRENT);
	core->fd = open(path, O_RDONLY | O_CLOEXEC);
	core->elf = core->fd < 0 ? NULL : elf_begin(core->fd, ELF_C_READ_MMAP, NULL);
	bytes = core->elf ? elf_rawfile(core->elf, &size) : NULL;
	if (!bytes || elf_kind(core->elf) != ELF_K_ELF) {
		error_set(err, "cannot read the core dump %s", path);
		return -1;
	}
	read_segments(core, (const uint8_t *)bytes, size);
	add_anonymous_code(core);
	return 0;
}

void core_file_close(struct core_file *core)
{
	for (size_t i = 0; i < core->images.count; i++) {
		free(core->images.items[i].path);
		unwind_rows_free(core->images.items[i].rows);
		elf_file_close(core->images.items[i].file);
	}
	array_release(&core->images);
	array_release(&core->modules);
	array_release(&core->loads);
	array_release(&core->threads);
	elf_end(core->elf);
	if (core->fd >= 0)
		close(core->fd);
}
