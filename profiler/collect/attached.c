#include "collect/attached.h"

#include "collect/proc_maps.h"
#include "collect/proc_tasks.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct reading {
	const struct target *target;
	uint64_t time_ns;
	void (*handle)(void *context, const struct event *event);
	void *context;
	size_t thread_count;
	char executable[PATH_MAX];
	bool wants_executable; /* of the mappings, those of the executable, or all others */
};

static struct event event_of(const struct reading *reading, enum event_kind kind, uint32_t tid)
{
	return (struct event){.kind = kind,
		.pid = (uint32_t)reading->target->pid,
		.tid = tid,
		.time_ns = reading->time_ns};
}

static void tell_name(const struct reading *reading, const struct proc_task *task)
{
	struct event event = event_of(reading, EVENT_COMM, task->tid);

	event.comm.name = task->name;
	reading->handle(reading->context, &event);
}

static bool has_ended(const struct proc_task *task)
{
	return task->state == 'Z' || task->state == 'X';
}

static void tell_thread(void *context, uint32_t tid)
{
	struct reading *reading = context;
	const struct target *target = reading->target;
	struct event event = event_of(reading, EVENT_FOUND, tid);
	struct proc_task task;

	if ((target->tid && (pid_t)tid != target->tid) ||
		!proc_task_read((uint32_t)target->pid, tid, &task) || has_ended(&task))
		return;
	event.may_run = task.state == 'R';
	reading->handle(reading->context, &event);
	tell_name(reading, &task);
	reading->thread_count++;
}

static void tell_process_name(const struct reading *reading)
{
	uint32_t pid = (uint32_t)reading->target->pid;
	struct proc_task task;

	if (proc_task_read(pid, pid, &task))
		tell_name(reading, &task);
}

static void tell_mapping(void *context, const struct event_mmap *mapping)
{
	const struct reading *reading = context;
	struct event event = event_of(reading, EVENT_MMAP, (uint32_t)reading->target->pid);

	if ((strcmp(mapping->path, reading->executable) == 0) != reading->wants_executable)
		return;
	event.mmap = *mapping;
	reading->handle(reading->context, &event);
}

static void find_executable(struct reading *reading)
{
	static const char suffix[] = " (deleted)";
	size_t suffix_length = sizeof(suffix) - 1;
	char path[32], *text = reading->executable;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)reading->target->pid);
	length = readlink(path, text, sizeof(reading->executable) - 1);
	text[length > 0 ? length : 0] = '\0';
	if (length > (ssize_t)suffix_length && strcmp(text + length - suffix_length, suffix) == 0)
		text[length - (ssize_t)suffix_length] = '\0';
}

static void tell_mappings(struct reading *reading)
{
	uint32_t pid = (uint32_t)reading->target->pid;

	find_executable(reading);
	reading->wants_executable = true;
	proc_maps_of(pid, tell_mapping, reading);
	reading->wants_executable = false;
	proc_maps_of(pid, tell_mapping, reading);
}

int attached_read(const struct target *target, uint64_t time_ns,
	void (*handle)(void *context, const struct event *event), void *context, struct error *err)
{
	struct reading reading = {
		.target = target, .time_ns = time_ns, .handle = handle, .context = context};

	proc_tasks_each((uint32_t)target->pid, tell_thread, &reading);
	if (reading.thread_count == 0)
		return target->tid ? error_set(err, "thread %d has ended", (int)target->tid)
				   : error_set(err, "process %d has ended", (int)target->pid);
	tell_process_name(&reading);
	tell_mappings(&reading);
	return 0;
}
