#include "collect/images.h"

#include "collect/mapped_file.h"

#include <stdlib.h>
#include <string.h>

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

#define DELETED " (deleted)"

/* What the kernel puts behind the path of a file that has no name any more; 0: it has one. */
static size_t deleted_suffix(const char *path)
{
	size_t length = strlen(path), suffix = strlen(DELETED);

	return path[0] == '/' && length > suffix && !strcmp(path + length - suffix, DELETED)
		       ? suffix
		       : 0;
}

/* Memory that has a name like a file's, and may hold one. */
static bool is_memory_file(const char *path)
{
	return strncmp(path, "/memfd:", 7) == 0;
}

static enum module_kind kind_of(const char *path)
{
	if (strcmp(path, "[vdso]") == 0)
		return MODULE_VDSO;
	return path[0] == '/' && path[1] != '/' ? MODULE_FILE : MODULE_JIT;
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

/*
 * The module of this path and build-id, and its image or NULL. Where there is no build-id, an image
 * of other code is that of another file, which had the path before.
 */
static struct image *find_mapped(struct images *images, struct profile *profile, uint32_t pid,
	const struct event_mmap *mapping, enum module_kind kind, const struct build_id *build_id,
	module_id *module)
{
	char *path = alloc_string(kind == MODULE_JIT ? "[jit]" : mapping->path);
	struct image *image;

	for (unsigned count = 2;; count++) {
		*module =
			modules_intern(&profile->modules, &profile->strings, path, kind, build_id);
		free(path);
		image = find(images, *module);
		if (!image || !image->file || kind != MODULE_FILE || build_id->length ||
			mapped_file_is(image->file, pid, mapping))
			return image;
		path = alloc_format("%s [%u]", mapping->path, count);
	}
}

static struct image *image_of(struct images *images, struct profile *profile, uint32_t pid,
	const struct event_mmap *mapping)
{
	enum module_kind kind = kind_of(mapping->path);
	const struct build_id *build_id = &mapping->build_id;
	struct elf_file *file = NULL;
	struct image *image;
	module_id module;

	/* A kernel that tells no build-ids: the file must be opened to know which module it is. */
	if (kind == MODULE_FILE && build_id->length == 0) {
		file = mapped_file_open(pid, mapping);
		if (file)
			build_id = elf_file_build_id(file);
		else if (is_memory_file(mapping->path))
			kind = MODULE_JIT;
	}
	image = find_mapped(images, profile, pid, mapping, kind, build_id, &module);
	if (image && (image->file || kind == MODULE_JIT)) {
		elf_file_close(file);
		return image;
	}
	if (!file && kind == MODULE_FILE)
		file = mapped_file_open(pid, mapping);
	if (!file && kind == MODULE_VDSO)
		file = mapped_file_open_vdso(pid, mapping);
	if (kind == MODULE_FILE && !file)
		modules_at(&profile->modules, module)->flags |= MODULE_IS_DELETED;
	return image && !file ? image : add(images, module, kind, file);
}

struct image *images_for_mapping(struct images *images, struct profile *profile, uint32_t pid,
	const struct event_mmap *mapping)
{
	size_t suffix = deleted_suffix(mapping->path);
	struct event_mmap named = *mapping;
	struct image *image;
	char *path;

	if (!suffix)
		return image_of(images, profile, pid, mapping);
	path = alloc_string_n(mapping->path, strlen(mapping->path) - suffix);
	named.path = path;
	named.is_deleted = true;
	image = image_of(images, profile, pid, &named);
	free(path);
	return image;
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
