/*
 * One stage of the segmentation example: a way to load the class probabilities of every pixel and
 * to colour each pixel by its most probable class. All stages give the same picture.
 *
 * Each vN.c opens with the change that it makes to its predecessor and ends with its `struct
 * stage`; stages.c lists them. main.c runs `prepare` before the measured region and `run` inside
 * it.
 */
#ifndef TARGET_STAGE_H
#define TARGET_STAGE_H

#include "failure.h"
#include "picture.h"

#include <stdbool.h>

struct stage {
	const char *name;   /* "v3", what the user types */
	const char *change; /* what is new, a few words */
	bool reads_text;    /* needs the four text files, otherwise data.hdf5 */
	bool small_only;    /* an object per value: takes the sizes s and m only */
	int tolerance;	    /* by how much a colour may differ from v0's: 1 where float32 is used */

	/* What must be ready before the region, or NULL. NULL with err filled when it fails. */
	void *(*prepare)(struct failure *err);
	/* Loads from `directory` and fills the empty `result`; the caller releases it. */
	int (*run)(
		const char *directory, void *prepared, struct picture *result, struct failure *err);
	/* Frees what prepare returned; accepts NULL. NULL where prepare is. */
	void (*release)(void *prepared);
};

extern const struct stage stage_v0, stage_v1, stage_v2, stage_v3, stage_v4, stage_v5, stage_v6,
	stage_v7;

/* All stages in the order of their names, up to a NULL. */
extern const struct stage *const stages[];

/* The stage of that name, or NULL with err naming the known ones. */
const struct stage *stage_find(const char *name, struct failure *err);

/*
 * A step that a reader of the profile wants to see under its own name: the compiler would inline
 * most of them, being called from one place only.
 */
#define STEP __attribute__((noinline))

#endif
