/*
 * Processes and their threads.
 */
#include "model/table.h"

/* --- processes: pid, parent, name, executable, start, length of life, flags ------------------ */

#define PROCESS_WAS_ALIVE 1

static bool put_processes(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct process *rows = profile->threads.processes.items;
	size_t size = profile->threads.processes.count;
	size_t count = table_find_changed(writer, &writer->processes, rows, size, sizeof(*rows));
	const uint32_t *ids = writer->changed.items;
	uint64_t pid = 0, parent = 0, name = 0, executable = 0, start = 0;

	if (count == 0)
		return false;
	table_put_changed(writer, out, writer->processes.count / sizeof(*rows));
	EACH(i, count)
	table_put_step(out, &pid, rows[ids[i] - 1].pid);
	EACH(i, count)
	table_put_step(out, &parent, rows[ids[i] - 1].parent);
	EACH(i, count)
	table_put_step(out, &name, rows[ids[i] - 1].name);
	EACH(i, count)
	table_put_step(out, &executable, rows[ids[i] - 1].executable);
	EACH(i, count)
	table_put_step(out, &start, rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_signed(out, rows[ids[i] - 1].end_ns - rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].was_alive ? PROCESS_WAS_ALIVE : 0);
	return true;
}

static uint32_t get_u32_step(struct tables_reader *reader, uint64_t *last)
{
	return table_get_row_step(reader, last, UINT32_MAX, true, "a number that is too large");
}

static void get_processes(struct tables_reader *reader)
{
	struct threads *threads = &reader->profile->threads;
	size_t size, count = table_get_set_head(
			     reader, threads->processes.count, 8, sizeof(struct process), &size);
	const uint32_t *ids = reader->rows.items;
	struct process *rows;
	uint64_t pid = 0, parent = 0, name = 0, executable = 0, start = 0;

	if (count == 0)
		return;
	TABLE_GROW(&threads->processes, size);
	rows = threads->processes.items;
	EACH(i, count)
	rows[ids[i] - 1].pid = get_u32_step(reader, &pid);
	EACH(i, count)
	rows[ids[i] - 1].parent =
		table_get_row_step(reader, &parent, UINT32_MAX, true, "a parent that is not there");
	EACH(i, count)
	rows[ids[i] - 1].name = table_get_string_step(reader, &name);
	EACH(i, count)
	rows[ids[i] - 1].executable = table_get_string_step(reader, &executable);
	EACH(i, count)
	rows[ids[i] - 1].start_ns = table_get_step(reader, &start);
	EACH(i, count)
	rows[ids[i] - 1].end_ns =
		rows[ids[i] - 1].start_ns + (uint64_t)cursor_signed(reader->cursor);
	EACH(i, count)
	rows[ids[i] - 1].was_alive = cursor_number(reader->cursor) & PROCESS_WAS_ALIVE;
}

const struct table table_processes = {"PROC", put_processes, get_processes};

/* --- threads: tid, process, name, start, length of life, cpu, not sampled -------------------- */

static bool put_threads(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	const struct thread *rows = profile->threads.threads.items;
	size_t size = profile->threads.threads.count;
	size_t count = table_find_changed(writer, &writer->threads, rows, size, sizeof(*rows));
	const uint32_t *ids = writer->changed.items;
	uint64_t tid = 0, process = 0, name = 0, start = 0;

	if (count == 0)
		return false;
	table_put_changed(writer, out, writer->threads.count / sizeof(*rows));
	EACH(i, count)
	table_put_step(out, &tid, rows[ids[i] - 1].tid);
	EACH(i, count)
	table_put_step(out, &process, rows[ids[i] - 1].process);
	EACH(i, count)
	table_put_step(out, &name, rows[ids[i] - 1].name);
	EACH(i, count)
	table_put_step(out, &start, rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_signed(out, rows[ids[i] - 1].end_ns - rows[ids[i] - 1].start_ns);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].cpu_ns);
	EACH(i, count)
	bytes_put_number(out, rows[ids[i] - 1].not_sampled_ns);
	return true;
}

static void get_threads(struct tables_reader *reader)
{
	struct threads *threads = &reader->profile->threads;
	size_t size, count = table_get_set_head(
			     reader, threads->threads.count, 8, sizeof(struct thread), &size);
	const uint32_t *ids = reader->rows.items;
	struct thread *rows;
	uint64_t tid = 0, process = 0, name = 0, start = 0;

	if (count == 0)
		return;
	TABLE_GROW(&threads->threads, size);
	rows = threads->threads.items;
	EACH(i, count)
	rows[ids[i] - 1].tid = get_u32_step(reader, &tid);
	EACH(i, count)
	rows[ids[i] - 1].process = table_get_row_step(
		reader, &process, threads->processes.count, false, "a process that is not there");
	EACH(i, count)
	rows[ids[i] - 1].name = table_get_string_step(reader, &name);
	EACH(i, count)
	rows[ids[i] - 1].start_ns = table_get_step(reader, &start);
	EACH(i, count)
	rows[ids[i] - 1].end_ns =
		rows[ids[i] - 1].start_ns + (uint64_t)cursor_signed(reader->cursor);
	EACH(i, count)
	rows[ids[i] - 1].cpu_ns = cursor_number(reader->cursor);
	EACH(i, count)
	rows[ids[i] - 1].not_sampled_ns = cursor_number(reader->cursor);
}

const struct table table_threads = {"THRD", put_threads, get_threads};
