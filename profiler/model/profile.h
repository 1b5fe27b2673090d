/*
 * profile: everything known about one recording.
 *
 * The heart is `counts`: for each (thread, stack, in a marked region or not) one value per metric.
 * profile_add() is the only place where anything is aggregated. All else names what the numbers
 * stand for. Times are ns; `time_ns` counts from the start of the recording.
 *
 * A profile is built by collect/session (recording), model/profile_file (loading), or from folded
 * text (profile_from_folded, for tests), and is read-only for the views.
 */
#pragma once

#include "base/error.h"
#include "model/frames.h"
#include "model/metrics.h"
#include "model/modules.h"
#include "model/stacks.h"
#include "model/strings.h"
#include "model/threads.h"
#include "model/timeline.h"

struct profile_info {
	string_id version; /* of the cprof that recorded */
	string_id command; /* the command line, quoted for a shell */
	string_id label;
	string_id host;	     /* host name */
	string_id kernel;    /* kernel release */
	string_id directory; /* where it ran */
	string_id program;   /* path of the executable */
	string_id program_build_id;
	string_id backend; /* "perf" */
	string_id event;   /* "task-clock", "cycles" ... and "user only" where the kernel was not
			      allowed */
	string_id backend_note;	     /* why not a better rung; 0: nothing to say */
	uint64_t metrics;	     /* set of METRIC_BIT: what was measured */
	uint64_t start_unix_ns;	     /* wall-clock time of the start, since 1970 */
	uint64_t elapsed_ns;	     /* from exec to the program's end */
	uint64_t duration_ns;	     /* of the recording */
	uint64_t user_ns, system_ns; /* rusage of the program and its awaited children */
	uint64_t peak_rss_bytes;     /* the program's own ru_maxrss; 0: not known */
	uint64_t status;	     /* as exit statuses of shells: 128 + signal when killed */
	uint64_t cpu_count;
	uint64_t rate_asked_hz;
	uint64_t lost;	    /* records that the kernel dropped because a ring was full */
	uint64_t throttled; /* times that the kernel stopped sampling because it took too long */
	uint64_t switches;  /* times that a thread left the CPU */
	uint64_t off_cpu_measured_ns; /* off-CPU time with the stack that blocked */
	uint64_t
		off_cpu_shared_ns; /* in episodes whose like were sampled: shared out among these */
	uint64_t off_cpu_inferred_ns; /* given to the thread's nearest known stack */
	uint64_t heuristic_samples;   /* stacks with a frame that no unwind row covered */
	uint64_t narrow_samples;      /* of 32-bit code: only the innermost function is known */
	uint64_t completed_samples;   /* stacks deeper than the copy, whose rest was read a moment
					 later */
	uint64_t restored_samples;    /* the same, known from the thread's stack before */
	/* Of a recorder that stops the program's threads; 0 where none was. */
	uint64_t stops, stopped_ns; /* to look at a thread, and how long they were held in all */
	uint64_t look_rate_hz;	    /* looks a second, on average: adapted to what they cost */
	uint64_t cost_ppm;	    /* slow-down of the program, estimated, in millionths */
	uint64_t recorder_cpu_ns;   /* what recording itself used */
	uint64_t attached_pid;	    /* the process that ran already; 0: the program was started */
	uint64_t is_incomplete; /* 1: the recording was cut off; the rest of the file is missing */
};

/* The fields of profile_info by name, for the file and `info`. */
struct profile_field {
	const char *name;
	uint16_t offset;
	bool is_string; /* string_id, otherwise uint64_t */
};
extern const struct profile_field profile_fields[];
extern const size_t profile_field_count;

struct count {
	thread_id thread;
	stack_id stack;
	bool in_region;
	bool is_dirty; /* changed since it was last written to the file */
	uint64_t value[METRIC_COUNT];
};

enum mark_kind { MARK_START, MARK_STOP, MARK_NAMED };

struct mark {
	uint64_t time_ns;
	process_id process;
	string_id name; /* of a MARK_NAMED */
	uint8_t kind;	/* enum mark_kind */
};

struct profile {
	struct profile_info info;
	struct strings strings;
	struct modules modules;
	struct threads threads;
	struct frames frames;
	struct stacks stacks;
	ARRAY(struct count) counts;
	struct hash count_table;
	ARRAY(uint32_t) dirty_counts; /* indexes into counts */
	ARRAY(struct mark) marks;
	struct timeline *timeline; /* where profile_add() appends; NULL: nowhere; borrowed */
};

void profile_init(struct profile *profile);
void profile_release(struct profile *profile);

/* Adds values (indexed by metric) to (thread, stack, in_region), and to the timeline at time_ns. */
void profile_add(struct profile *profile, uint64_t time_ns, thread_id thread, stack_id stack,
	bool in_region, const uint64_t value[METRIC_COUNT]);

/* The same without the timeline, and to be written again: for loading and merging. */
struct count *profile_count(
	struct profile *profile, thread_id thread, stack_id stack, bool in_region);

/* A frame without code that is named as it reads, e.g. "[not sampled]". */
frame_id profile_special_frame(struct profile *profile, const char *name);

/* Whether the metric was measured. */
bool profile_has(const struct profile *profile, enum metric metric);

/* wall where there was one thread in all, cpu otherwise (DESIGN.md 2). */
enum metric profile_default_metric(const struct profile *profile);

/*
 * A profile from lines like "main;load;read 12", root first. The number counts as samples and as so
 * many milliseconds of wall and cpu. A frame "file.c:10(name)" or "file.c:10:7(name)" sets the
 * function's file and line, and (the 7) the sampled line; "lib.so!name" sets the module. A line may
 * start with
 * "@pid/tid " to name its thread. Returns -1 with an error on a line that is not like that.
 */
int profile_from_folded(struct profile *profile, const char *text, struct error *err);
