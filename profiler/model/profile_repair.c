/* A whole file from one that was cut off or damaged: profile_repair() of profile_file.h. */
#include "model/compact_file.h"
#include "model/profile_file.h"
#include "model/profile_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define TIMELINE_PIECE (1u << 20)

/* What still grows is not to be repaired. -1 with an error then; otherwise 0, whatever PATH is. */
static int check_not_written(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), result = 0;

	if (fd < 0)
		return 0; /* reading it says what is wrong */
	if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		result = error_set(err, "a recording is still writing %s: wait for its end", path);
	close(fd);
	return result;
}

struct timeline_copy {
	struct compact_file *file;
	struct timeline timeline;
	struct error *err;
};

static int flush_copy(struct timeline_copy *copy)
{
	int result = compact_file_put_timeline(copy->file, &copy->timeline, copy->err);

	timeline_clear(&copy->timeline);
	return result;
}

/* The records are written anew, not copied: a file of another version may have other metrics. */
static int copy_record(void *context, const struct timeline_record *record)
{
	struct timeline_copy *copy = context;

	timeline_add(&copy->timeline, record);
	return copy->timeline.bytes.count < TIMELINE_PIECE ? 0 : flush_copy(copy);
}

static int copy_timeline(struct compact_file *file, const char *path, struct error *err)
{
	struct timeline_copy copy = {.file = file, .err = err};
	int result = profile_reader_visit(path, CUT_ENDS_FILE, copy_record, &copy, err);

	if (result == 0)
		result = flush_copy(&copy);
	timeline_release(&copy.timeline);
	return result;
}

static int write_repaired(
	const struct profile *profile, const char *path, const char *out, struct error *err)
{
	struct compact_file file;
	int result = -1;

	if (compact_file_open(&file, out, err) == 0 &&
		compact_file_put_profile(&file, profile, err) == 0 &&
		copy_timeline(&file, path, err) == 0)
		result = compact_file_commit(&file, err);
	compact_file_close(&file);
	return result;
}

int profile_repair(const char *path, const char *out, profile_namer name, void *context,
	struct profile_load_report *report, struct error *err)
{
	struct profile_load_report own_report;
	struct profile profile;
	int result = -1;

	if (check_not_written(path, err) != 0)
		return -1;
	if (profile_load(&profile, path, true, report ? report : &own_report, err) == 0 &&
		(!name || name(context, &profile, err) == 0))
		result = write_repaired(&profile, path, out, err);
	profile_release(&profile);
	return result;
}
