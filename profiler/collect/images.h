/*
 * images: the files that the program runs, opened while they can be.
 *
 * An image is opened when its mapping is seen (collect/mapped_file.h). Its unwind table is compiled
 * once per module, however many processes map it, and the file stays open for naming addresses
 * afterwards. Files without a build-id that had one path at different times are told apart by their
 * code; the second one's path has " [2]" behind it.
 */
#pragma once

#include "collect/event.h"
#include "elf/elf_file.h"
#include "model/profile.h"
#include "unwind/rows.h"

struct image {
	module_id module;
	bool is_jit;		  /* memory for code that is made at run time */
	struct elf_file *file;	  /* NULL: there is none, or it could not be opened */
	struct unwind_rows *rows; /* NULL: see image_rows() */
	bool rows_were_tried;
};

struct images {
	ARRAY(struct image *) items; /* one per module, in no order; never move */
};

void images_release(struct images *images);

/* The image behind a mapping of process `pid`, opened when it is new. Never NULL; never moves. */
struct image *images_for_mapping(struct images *images, struct profile *profile, uint32_t pid,
	const struct event_mmap *mapping);

/* Its unwind table, compiled at the first call. NULL: no file, or not for this machine. */
const struct unwind_rows *image_rows(struct image *image);

/* Marks the modules whose code was walked without an unwind table. */
void images_note_missing_rows(const struct images *images, struct profile *profile);

/* The file of a module, NULL where there is none; borrowed. */
struct elf_file *images_file(const struct images *images, module_id module);
