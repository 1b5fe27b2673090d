/*
 * modules: the files (and file-like things) that code comes from.
 *
 * A module is its path and build-id: the same library in two processes is one module, a rebuilt one
 * is another. Numbers start at 1.
 */
#pragma once

#include "base/array.h"
#include "base/hash.h"
#include "model/build_id.h"
#include "model/strings.h"

typedef uint32_t module_id;

enum module_kind {
	MODULE_FILE,	/* an ELF file: program or library */
	MODULE_VDSO,	/* the kernel's page of code in every process */
	MODULE_KERNEL,	/* the kernel (name "kernel") and its loadable modules */
	MODULE_JIT,	/* executable memory without a file: code made at run time */
	MODULE_SPECIAL, /* no code: "[not sampled]" and the like; the name is the frame's name */
	MODULE_KIND_COUNT
};

enum module_flag {		    /* what was found for naming its addresses */
	MODULE_IS_PROGRAM = 1 << 0, /* the main executable of a recorded process */
	MODULE_IS_DELETED = 1 << 1, /* the file was gone or replaced before it could be opened */
	MODULE_HAS_SYMBOLS = 1 << 2,
	MODULE_HAS_LINES = 1 << 3,
	MODULE_NO_UNWIND_TABLE = 1 << 4,
};

struct module {
	string_id path; /* as the process mapped it */
	string_id name; /* last part of the path */
	struct build_id build_id;
	uint8_t kind;	/* enum module_kind */
	uint32_t flags; /* enum module_flag */
};

struct modules {
	ARRAY(struct module) items; /* items[id - 1] */
	struct hash table;
};

void modules_release(struct modules *modules);

/* The number of the module with this path, kind and build-id (NULL: none), added when it is new. */
module_id modules_intern(struct modules *modules, struct strings *strings, const char *path,
	enum module_kind kind, const struct build_id *build_id);

struct module *modules_at(const struct modules *modules, module_id id);
