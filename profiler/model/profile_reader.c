#include "model/profile_reader.h"

#include "model/chunk.h"
#include "model/profile_tables.h"
#include "model/profile_timeline.h"

#include <inttypes.h>

/* Says what is wrong with the chunk that starts at byte `at`. */
static int damage_error(const char *path, uint64_t at, const char *problem, struct error *err)
{
	return error_set(err,
		"%s is damaged at byte %" PRIu64
		": %s: what lies before it can be saved with `cprof info --repair %s`",
		path, at, problem, path);
}

static int content_error(
	const struct chunk_reader *chunks, uint64_t at, const char *problem, struct error *err)
{
	return error_set(err, "%s is damaged at byte %" PRIu64 ": chunk %.4s: %s", chunks->path, at,
		(const char *)chunks->stored.items, problem);
}

static int cut_error(const char *path, uint64_t size, struct error *err)
{
	return error_set(err,
		"%s is cut off after %" PRIu64
		" bytes: make what is there readable with `cprof info --repair %s`",
		path, size, path);
}

/* What chunk_reader_next() said, for a caller who wants a chunk or the end of the file. */
enum step { STEP_CHUNK, STEP_END_OF_FILE, STEP_ERROR };

static enum step next_chunk(
	struct chunk_reader *chunks, bool saw_end, enum cut_policy policy, struct error *err)
{
	uint64_t at = chunks->offset;
	enum chunk_result result = chunk_reader_next(chunks, err);

	if (result == CHUNK_ERROR)
		return STEP_ERROR;
	if (result == CHUNK_GOOD && !saw_end)
		return STEP_CHUNK;
	if ((result == CHUNK_NONE && saw_end) || policy == CUT_ENDS_FILE)
		return STEP_END_OF_FILE;
	if (saw_end)
		damage_error(chunks->path, at, "something follows its end", err);
	else if (result == CHUNK_DAMAGED)
		damage_error(chunks->path, at, "a checksum is wrong", err);
	else
		cut_error(chunks->path, chunks->size, err);
	return STEP_ERROR;
}

static int unpack(
	struct chunk_reader *chunks, uint64_t at, struct cursor *payload, struct error *err)
{
	if (chunk_unpack(chunks, payload) == 0)
		return 0;
	return content_error(chunks, at, "its payload cannot be unpacked", err);
}

/* --- loading --------------------------------------------------------------------------------- */

struct loader {
	struct chunk_reader chunks;
	struct tables_reader tables;
	struct profile_load_report report;
	bool wants_details; /* fill what costs time, too */
};

/*
 * The timeline is not needed here: its chunks were read and their checksums compared, but only
 * whoever visits the timeline unpacks them.
 */
static int note_timeline(struct loader *loader, uint64_t at, uint64_t length, struct error *err)
{
	struct cursor payload;

	loader->report.timeline_chunks++;
	loader->report.timeline_bytes += length;
	if (!loader->wants_details)
		return 0;
	if (unpack(&loader->chunks, at, &payload, err) != 0)
		return -1;
	loader->report.timeline_records += timeline_payload_records(payload);
	return 0;
}

static int check_end(struct loader *loader, uint64_t at, struct error *err)
{
	struct cursor payload;

	if (unpack(&loader->chunks, at, &payload, err) != 0)
		return -1;
	if (cursor_number(&payload) != loader->report.chunk_count || payload.damaged ||
		cursor_left(&payload) > 0)
		return content_error(&loader->chunks, at, "chunks before it are missing", err);
	loader->report.is_whole = true;
	return 0;
}

static int load_table(struct loader *loader, uint64_t at, struct error *err)
{
	struct cursor payload;
	const char *type = (const char *)loader->chunks.stored.items;

	if (!tables_knows(type)) {
		loader->report.unknown_chunk_count++;
		return 0;
	}
	if (unpack(&loader->chunks, at, &payload, err) != 0)
		return -1;
	if (!tables_read(&loader->tables, type, &payload))
		return content_error(&loader->chunks, at, loader->tables.problem, err);
	return 0;
}

static int load_chunk(struct loader *loader, uint64_t at, struct error *err)
{
	struct profile_load_report *report = &loader->report;
	uint64_t length = loader->chunks.offset - at;
	int result;

	if (chunk_is(&loader->chunks, END_CHUNK_TYPE))
		result = check_end(loader, at, err);
	else if (chunk_is(&loader->chunks, TIMELINE_CHUNK_TYPE))
		result = note_timeline(loader, at, length, err);
	else
		result = load_table(loader, at, err);
	report->chunk_count++;
	if (!chunk_is(&loader->chunks, TIMELINE_CHUNK_TYPE))
		report->fixed_bytes += length;
	if (result == 0)
		report->good_bytes = loader->chunks.offset;
	return result;
}

static int load_chunks(struct loader *loader, enum cut_policy policy, struct error *err)
{
	for (;;) {
		uint64_t at = loader->chunks.offset;
		enum step step = next_chunk(&loader->chunks, loader->report.is_whole, policy, err);

		if (step == STEP_END_OF_FILE)
			return 0;
		if (step == STEP_ERROR || load_chunk(loader, at, err) != 0)
			return -1;
	}
}

static int load(struct loader *loader, struct profile *profile, const char *path,
	enum cut_policy policy, struct error *err)
{
	if (chunk_reader_open(&loader->chunks, path, err) != 0)
		return -1;
	loader->report.version = loader->chunks.version;
	loader->report.size_bytes = loader->chunks.size;
	loader->report.good_bytes = loader->report.fixed_bytes = loader->chunks.offset;
	tables_reader_init(&loader->tables, profile, loader->chunks.size);
	if (load_chunks(loader, policy, err) != 0)
		return -1;
	if (!tables_reader_finish(&loader->tables))
		return error_set(err, "%s is damaged: it has %s", path, loader->tables.problem);
	if (!loader->report.is_whole)
		profile->info.is_incomplete = 1;
	return 0;
}

int profile_load(struct profile *profile, const char *path, bool allow_cut,
	struct profile_load_report *report, struct error *err)
{
	struct loader loader = {.wants_details = report != NULL};
	int result;

	profile_init(profile);
	result = load(&loader, profile, path, allow_cut ? CUT_ENDS_FILE : CUT_IS_ERROR, err);
	if (report)
		*report = loader.report;
	tables_reader_release(&loader.tables);
	chunk_reader_close(&loader.chunks);
	return result;
}

/* --- the timeline ---------------------------------------------------------------------------- */

struct visitor {
	struct chunk_reader chunks;
	struct profile metrics; /* only its metrics are filled */
	struct tables_reader tables;
	struct timeline_limits limits;
	int (*visit)(void *context, const struct timeline_record *record);
	void *context;
};

/* Of the tables only the sizes are of interest here, and which metrics the file has. */
static int note_table(struct visitor *visitor, uint64_t at, struct error *err)
{
	struct chunk_reader *chunks = &visitor->chunks;
	struct cursor payload;

	if (!chunk_is(chunks, "METR") && !chunk_is(chunks, "THRD") && !chunk_is(chunks, "STAK"))
		return 0;
	if (unpack(chunks, at, &payload, err) != 0)
		return -1;
	if (chunk_is(chunks, "THRD"))
		visitor->limits.thread_count = cursor_number(&payload);
	else if (chunk_is(chunks, "STAK"))
		visitor->limits.stack_count = cursor_number(&payload);
	else if (!tables_read(&visitor->tables, "METR", &payload))
		return content_error(chunks, at, visitor->tables.problem, err);
	memcpy(visitor->limits.metric_of, visitor->tables.metric_of,
		sizeof(visitor->limits.metric_of));
	return 0;
}

static int visit_chunk(struct visitor *visitor, uint64_t at, struct error *err)
{
	struct cursor payload;
	const char *problem;
	int result;

	if (!chunk_is(&visitor->chunks, TIMELINE_CHUNK_TYPE))
		return note_table(visitor, at, err);
	if (unpack(&visitor->chunks, at, &payload, err) != 0)
		return -1;
	result = timeline_visit_payload(
		payload, &visitor->limits, visitor->visit, visitor->context, &problem);
	return problem ? content_error(&visitor->chunks, at, problem, err) : result;
}

static int visit_chunks(struct visitor *visitor, enum cut_policy policy, struct error *err)
{
	bool saw_end = false;

	for (;;) {
		uint64_t at = visitor->chunks.offset;
		enum step step = next_chunk(&visitor->chunks, saw_end, policy, err);
		int result;

		if (step != STEP_CHUNK)
			return step == STEP_END_OF_FILE ? 0 : -1;
		saw_end = chunk_is(&visitor->chunks, END_CHUNK_TYPE);
		result = visit_chunk(visitor, at, err);
		if (result != 0)
			return result;
	}
}

int profile_reader_visit(const char *path, enum cut_policy policy,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	struct error *err)
{
	struct visitor visitor = {.visit = visit, .context = context};
	int result = -1;

	visitor.limits.stack_count = STACK_END_COUNT - 1;
	if (chunk_reader_open(&visitor.chunks, path, err) == 0) {
		tables_reader_init(&visitor.tables, &visitor.metrics, visitor.chunks.size);
		result = visit_chunks(&visitor, policy, err);
	}
	tables_reader_release(&visitor.tables);
	chunk_reader_close(&visitor.chunks);
	return result;
}

int profile_visit_timeline(const char *path,
	int (*visit)(void *context, const struct timeline_record *record), void *context,
	struct error *err)
{
	return profile_reader_visit(path, CUT_IS_ERROR, visit, context, err);
}
