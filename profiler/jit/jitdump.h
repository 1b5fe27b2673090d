/*
 * jitdump: the binary file in which a program tells of the code that it makes as it runs, named
 * jit-PID.dump (the kernel's tools/perf/Documentation/jitdump-specification.txt):
 *
 *     4a695444 ("JiTD")  version 1  header size  machine  0  pid  time of start  flags
 *     id  size  time  ...           records, each of `size` bytes, by rising time:
 *       0 LOAD   code at an address, its size, its name, and the bytes of the code
 *       1 MOVE   it is elsewhere now
 *       2 DEBUG  source lines of the next LOAD
 *       3 CLOSE  the end
 *
 * Numbers are in the program's byte order; only this machine's is read. Times are CLOCK_MONOTONIC
 * ns unless the header says that they are the processor's own counts. Anyone may have written such
 * a file: everything is checked against the record's size, and records of more than
 * JITDUMP_RECORD_MAX bytes are damage.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JITDUMP_RECORD_MAX (64u << 20)
#define JITDUMP_NAME_MAX   1024

struct jitdump_header {
	uint32_t size; /* records begin here */
	uint32_t pid;  /* as the program itself sees it */
	uint64_t time_ns;
	bool has_foreign_times; /* not CLOCK_MONOTONIC */
};

/* The kinds are the file's numbers. */
enum jitdump_kind { JITDUMP_LOAD, JITDUMP_MOVE, JITDUMP_DEBUG, JITDUMP_CLOSE, JITDUMP_OTHER };

struct jitdump_lines { /* where the lines of a DEBUG record are read from; all borrowed */
	const uint8_t *at, *end;
	uint64_t left; /* entries that the record claims */
	const char *file;
};

struct jitdump_record {
	enum jitdump_kind kind;
	uint64_t time_ns;
	uint64_t address, size;	    /* LOAD, MOVE: where it is now; DEBUG: address alone */
	uint64_t old_address;	    /* MOVE: where it was */
	uint64_t index;		    /* LOAD, MOVE: the program's number of this code */
	const char *name;	    /* LOAD: terminated; borrowed from the bytes */
	struct jitdump_lines lines; /* DEBUG */
};

/* From here on the code belongs to this line. */
struct jitdump_line {
	uint64_t address;
	uint32_t line;
	const char *file; /* terminated; borrowed from the bytes */
};

enum jitdump_state { JITDUMP_READ, JITDUMP_NEEDS_MORE, JITDUMP_DAMAGED };

/* The header. The caller skips header->size bytes. */
enum jitdump_state jitdump_header_read(
	const uint8_t *bytes, size_t length, struct jitdump_header *header);

/*
 * The record at *at, which moves behind it. JITDUMP_NEEDS_MORE: it is not all there yet, and
 * *wanted is the number of bytes that it has in all (more than are there). Without a way to find
 * the next record a damaged one is the end of the file.
 */
enum jitdump_state jitdump_next(
	const uint8_t **at, const uint8_t *end, struct jitdump_record *record, size_t *wanted);

/* The next line of a DEBUG record; false: there is none, or it is damaged. */
bool jitdump_next_line(struct jitdump_lines *lines, struct jitdump_line *line);
