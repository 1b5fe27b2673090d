#include "collect/images.h"

#include "collect/remote_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

void images_release(struct images *images)
{
	for (size_t i = 0; i < images->items.count; i++) {
		elf_file_close(images->items.items[i]->file);
		unwind_rows_free(images->items.items[i]->rows);
		free(images->items.items[i]);
	}
	array_release(&images->items);
}

static struct image *find(const struct images *images, module_id module)
{
	for (size_t i = 0; i < images->items.count; i++)
		if (images->items.items[i]->module == module)
			return images->items.items[i];
	return NULL;
}

struct elf_file *images_file(const struct images *images, module_id module)
{
	const struct image *image = find(images, module);

	return image ? image->file : NULL;
}

static bool is_the_mapped_one(const struct elf_file *file, const struct build_id *expected)
{
	return expected->length == 0 || build_id_equal(elf_file_build_id(file), expected);
}

static struct elf_file *open_candidate(const char *path, const struct event_mmap *mapping)
{
	struct elf_file *file = elf_file_open(path, NULL);

	if (file && !is_the_mapped_one(file, &mapping->build_id)) {
		elf_file_close(file);
		file = NULL;
	}
	return file;
}

static struct elf_file *open_mapped_file(uint32_t pid, const struct event_mmap *mapping)
{
	char path[4200];
	struct elf_file *file;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", pid,
		(unsigned long long)mapping->address,
		(unsigned long long)(mapping->address + mapping->length));
	file = open_candidate(path, mapping);
	if (file || mapping->is_deleted)
		return file;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, mapping->path);
	file = open_candidate(path, mapping);
	return file ? file : open_candidate(mapping->path, mapping);
}

/*
 * The vdso has no file: its pages are read from the process or, when that has ended, from this one,
 * which has the same where both are of 64 bits.
 */
static struct elf_file *open_vdso(uint32_t pid, const struct event_mmap *mapping)
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

static enum module_kind kind_of(const char *path)
{
	if (strcmp(path, "[vdso]") == 0)
		return MODULE_VDSO;
	return path[0] == '/' && path[1] != '/' && strncmp(path, "/memfd:", 7) != 0 ? MODULE_FILE
										    : MODULE_JIT;
}

static struct image *add(
	struct images *images, module_id module, enum module_kind kind, struct elf_file *file)
{
	struct image *image = alloc_zeroed(1, sizeof(*image));

	image->module = module;
	image->is_jit = kind == MODULE_JIT;
	image->file = file;
	*array_add(&images->items) = image;
	return image;
}

const struct unwind_rows *image_rows(struct image *image)
{
	if (!image->rows_were_tried && image->file)
		image->rows = unwind_rows_compile(image->file, NULL);
	image->rows_were_tried = true;
	return image->rows;
}

struct image *images_for_mapping(struct images *images, struct profile *profile, uint32_t pid,
	const struct event_mmap *mapping)
{
	enum module_kind kind = kind_of(mapping->path);
	const struct build_id *build_id = &mapping->build_id;
	struct elf_file *file = NULL;
	struct image *image;
	module_id module;

	/* A kernel that tells no build-ids: the file must be opened to know which module it is. */
	if (kind == MODULE_FILE && build_id->length == 0) {
		file = open_mapped_file(pid, mapping);
		if (file)
			build_id = elf_file_build_id(file);
	}
	module = modules_intern(&profile->modules, &profile->strings,
		kind == MODULE_JIT ? "[jit]" : mapping->path, kind, build_id);
	image = find(images, module);
	if (image && (image->file || kind == MODULE_JIT)) {
		elf_file_close(file);
		return image;
	}
	if (!file && kind == MODULE_FILE)
		file = open_mapped_file(pid, mapping);
	if (!file && kind == MODULE_VDSO)
		file = open_vdso(pid, mapping);
	if (kind == MODULE_FILE && !file)
		modules_at(&profile->modules, module)->flags |= MODULE_IS_DELETED;
	return image && !file ? image : add(images, module, kind, file);
}

void images_note_missing_rows(const struct images *images, struct profile *profile)
{
	for (size_t i = 0; i < images->items.count; i++) {
		const struct image *image = images->items.items[i];

		if (image->rows_were_tried && (!image->rows || image->rows->row_count == 0))
			modules_at(&profile->modules, image->module)->flags |=
				MODULE_NO_UNWIND_TABLE;
	}
}
