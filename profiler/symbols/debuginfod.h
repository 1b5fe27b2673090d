/*
 * debuginfod: debug information from servers that keep it by build-id (debuginfod(8)).
 *
 * The user asks for it by DEBUGINFOD_URLS. The library, which brings an HTTP client along, is
 * loaded when it is first needed, so that cprof runs where it is not installed.
 */
#pragma once

#include "elf/elf_file.h"

#include <stdbool.h>

/* Did the user name servers? */
bool debuginfod_is_wanted(void);

/*
 * The debug information of the file with this build-id, from the library's cache or from a server:
 * a new reference, or NULL when no server has it. May take as long as DEBUGINFOD_TIMEOUT says (15 s,
 * where it says nothing); after a server that did not answer in that time none is asked any more.
 */
struct elf_file *debuginfod_fetch(const struct build_id *id);
