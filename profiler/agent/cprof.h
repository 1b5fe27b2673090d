/*
 * cprof.h: marks in a program's own source that cprof shows in its profiles. Header-only: no
 * library, no link option; C99 or C++11, Linux.
 *
 *     cprof_start();            the region that matters begins: `cprof report --region` shows it
 * alone
 *     ...
 *     cprof_stop();             it ends (regions of one process do not nest)
 *     cprof_mark("loaded");     a moment with a name, at most 95 bytes of it
 *
 * A mark is a time stamp in memory that the recorder shares. The first mark of a process looks
 * whether anybody records it (some file look-ups, tens of microseconds); when nobody does, every
 * further mark costs one predicted branch. While it is recorded a mark costs about a microsecond.
 * Marks may be set from any thread, not from signal handlers. errno is kept.
 *
 * The recorder announces itself as /dev/shm/cprof.PID, PID being the process that it started; its
 * descendants look for it up their line of parents. The file is used only when it belongs to
 * the user of the process or to root, and nobody else can write it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CPROF_H
#define CPROF_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CPROF_MARKS_MAGIC   0x316b72616d667063ULL /* "cpfmark1" as bytes */
#define CPROF_MARKS_SLOTS   1024
#define CPROF_MARK_NAME_MAX 96

enum cprof_mark_kind { CPROF_MARK_START, CPROF_MARK_STOP, CPROF_MARK_NAMED };

/* One mark. The n-th mark of a recording (from 0) is in slot n % CPROF_MARKS_SLOTS. */
struct cprof_mark_slot {
	uint64_t number;  /* n + 1 when the slot holds the n-th mark, written last; 0: being written
			   */
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t pid, tid;
	uint32_t kind;
	uint32_t reserved;
	char name[CPROF_MARK_NAME_MAX];
};

struct cprof_marks {
	uint64_t magic;
	uint64_t next; /* number of marks so far */
	struct cprof_mark_slot slots[CPROF_MARKS_SLOTS];
};

/* The shared memory; NULL and *looked set: nobody records. */
static struct cprof_marks *cprof_marks_shared;
static int cprof_marks_looked;

static inline struct cprof_marks *cprof_marks_open(long pid)
{
	char path[48];
	struct stat status;
	void *memory = MAP_FAILED;
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/cprof.%ld", pid);
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_uid == geteuid() || status.st_uid == 0) && !(status.st_mode & 022) &&
		status.st_size == (off_t)sizeof(struct cprof_marks))
		memory = mmap(NULL, sizeof(struct cprof_marks), PROT_READ | PROT_WRITE, MAP_SHARED,
			fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return NULL;
	if (((struct cprof_marks *)memory)->magic != CPROF_MARKS_MAGIC) {
		munmap(memory, sizeof(struct cprof_marks));
		return NULL;
	}
	return (struct cprof_marks *)memory;
}

static inline long cprof_marks_parent(long pid)
{
	char path[48], text[512], *behind_name;
	ssize_t length;
	long parent = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	behind_name = strrchr(text, ')'); /* the name may hold anything */
	if (!behind_name || sscanf(behind_name, ") %*c %ld", &parent) != 1)
		return 0;
	return parent;
}

static inline void cprof_marks_look(void)
{
	long pid = getpid();

	cprof_marks_looked = 1;
	for (int level = 0; level < 32 && pid > 1 && !cprof_marks_shared; level++) {
		cprof_marks_shared = cprof_marks_open(pid);
		pid = cprof_marks_parent(pid);
	}
}

static inline void cprof_marks_put(enum cprof_mark_kind kind, const char *name)
{
	struct cprof_marks *marks = cprof_marks_shared;
	struct cprof_mark_slot *slot;
	struct timespec now;
	uint64_t number;

	clock_gettime(CLOCK_MONOTONIC, &now);
	number = __atomic_fetch_add(&marks->next, 1, __ATOMIC_RELAXED);
	slot = &marks->slots[number % CPROF_MARKS_SLOTS];
	__atomic_store_n(&slot->number, 0, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	slot->time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	slot->pid = (uint32_t)getpid();
	slot->tid = (uint32_t)syscall(SYS_gettid);
	slot->kind = kind;
	slot->reserved = 0;
	slot->name[0] = '\0';
	if (name) {
		size_t length = strnlen(name, CPROF_MARK_NAME_MAX - 1);

		memcpy(slot->name, name, length);
		slot->name[length] = '\0';
	}
	__atomic_store_n(&slot->number, number + 1, __ATOMIC_RELEASE);
}

static inline void cprof_marks_set(enum cprof_mark_kind kind, const char *name)
{
	if (__builtin_expect(!cprof_marks_shared, 1)) {
		int kept = errno;

		if (__builtin_expect(cprof_marks_looked, 1))
			return;
		cprof_marks_look();
		errno = kept;
		if (!cprof_marks_shared)
			return;
	}
	cprof_marks_put(kind, name);
}

/* Begins and ends the region that matters, for the whole process. */
static inline void cprof_start(void)
{
	cprof_marks_set(CPROF_MARK_START, NULL);
}

static inline void cprof_stop(void)
{
	cprof_marks_set(CPROF_MARK_STOP, NULL);
}

/* Names a moment. */
static inline void cprof_mark(const char *name)
{
	cprof_marks_set(CPROF_MARK_NAMED, name);
}

#ifdef __cplusplus
}
#endif

#endif
