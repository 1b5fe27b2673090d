#include "collect/marks.h"

#include "agent/cprof.h"
#include "model/profile.h"

#include <dirent.h>
#include <sys/file.h>

_Static_assert((int)MARK_START == CPROF_MARK_START && (int)MARK_STOP == CPROF_MARK_STOP &&
		       (int)MARK_NAMED == CPROF_MARK_NAMED,
	"kinds of marks are the same on both sides");

/* A recording that was killed leaves its file behind, unlocked: whoever records next removes it. */
static void remove_left_over(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
		flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(directory, name, 0);
	close(fd);
}

static void remove_left_overs(void)
{
	DIR *directory = opendir("/dev/shm");
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		const char *name = entry->d_name;
		size_t prefix = strlen("cprof.");

		if (strncmp(name, "cprof.", prefix) == 0 && name[prefix] &&
			!name[prefix + strspn(name + prefix, "0123456789")])
			remove_left_over(dirfd(directory), name);
	}
	if (directory)
		closedir(directory);
}

/* Creates the file and locks it; another recorder may take it for a left-over before that. */
static int create_file(struct marks *marks)
{
	for (int attempt = 0; attempt < 10; attempt++) {
		struct stat status;

		unlink(marks->path); /* of a recording that died, whose pid is used again */
		marks->fd =
			open(marks->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (marks->fd < 0)
			return -1;
		if (flock(marks->fd, LOCK_EX) == 0 && fstat(marks->fd, &status) == 0 &&
			status.st_nlink > 0)
			return 0;
		close(marks->fd);
	}
	return -1;
}

int marks_open(struct marks *marks, const struct target *target, struct error *err)
{
	*marks = (struct marks){0};
	remove_left_overs();
	snprintf(marks->path, sizeof(marks->path), "/dev/shm/cprof.%d", (int)target->pid);
	if (target->is_attached && access(marks->path, F_OK) == 0)
		return 0;
	if (create_file(marks) < 0)
		return error_set_errno(err, "cannot create %s", marks->path);
	if (ftruncate(marks->fd, sizeof(*marks->shared)) == 0)
		marks->shared = mmap(NULL, sizeof(*marks->shared), PROT_READ | PROT_WRITE,
			MAP_SHARED, marks->fd, 0);
	if (!marks->shared || marks->shared == MAP_FAILED) {
		error_set_errno(err, "cannot share %s", marks->path);
		marks->shared = NULL;
		close(marks->fd);
		unlink(marks->path);
		return -1;
	}
	marks->shared->magic = CPROF_MARKS_MAGIC;
	return 0;
}

void marks_close(struct marks *marks)
{
	if (!marks->shared)
		return;
	munmap(marks->shared, sizeof(*marks->shared));
	unlink(marks->path);
	close(marks->fd);
	*marks = (struct marks){0};
}

/* Marks that came faster than they were read are gone: go on with the oldest that is still there.
 */
static void skip_overwritten(struct marks *marks, uint64_t written)
{
	if (written - marks->next <= CPROF_MARKS_SLOTS)
		return;
	marks->lost += written - CPROF_MARKS_SLOTS - marks->next;
	marks->next = written - CPROF_MARKS_SLOTS;
}

/* A program that is killed while it writes a mark leaves its slot open for ever. */
static bool next_one_is_written(const struct marks *marks)
{
	const struct cprof_mark_slot *slot =
		&marks->shared->slots[(marks->next + 1) % CPROF_MARKS_SLOTS];

	return __atomic_load_n(&slot->number, __ATOMIC_ACQUIRE) == marks->next + 2;
}

/* Copies the mark that is due; false while it is being written. */
static bool copy_slot(const struct marks *marks, struct cprof_mark_slot *copy)
{
	const struct cprof_mark_slot *slot = &marks->shared->slots[marks->next % CPROF_MARKS_SLOTS];

	if (__atomic_load_n(&slot->number, __ATOMIC_ACQUIRE) != marks->next + 1)
		return false;
	*copy = *slot;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->number, __ATOMIC_RELAXED) == marks->next + 1;
}

/* Copies the next mark without taking it; what the program spoilt is passed over. */
static bool find_next(struct marks *marks, struct cprof_mark_slot *copy)
{
	/* A program that spoils them as fast as they are read must not keep the recorder here. */
	for (int spoilt = 0; spoilt < CPROF_MARKS_SLOTS; spoilt++, marks->next++, marks->lost++) {
		uint64_t written = __atomic_load_n(&marks->shared->next, __ATOMIC_ACQUIRE);

		if (written <= marks->next)
			return false;
		skip_overwritten(marks, written);
		if (copy_slot(marks, copy)) {
			if (copy->kind <= CPROF_MARK_NAMED)
				return true;
		} else if (!next_one_is_written(marks)) {
			return false;
		}
	}
	return false;
}

bool marks_next(struct marks *marks, uint64_t before_ns, struct event *event)
{
	struct cprof_mark_slot copy;

	if (!marks->shared || !find_next(marks, &copy) || copy.time_ns >= before_ns)
		return false;
	marks->next++;
	copy.name[sizeof(copy.name) - 1] = '\0';
	memcpy(marks->name, copy.name, sizeof(marks->name));
	*event = (struct event){.kind = EVENT_MARK,
		.pid = copy.pid,
		.tid = copy.tid,
		.time_ns = copy.time_ns,
		.mark = {.name = marks->name, .kind = copy.kind}};
	return true;
}
