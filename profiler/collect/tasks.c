#include "collect/tasks.h"

#include <stdlib.h>

#define FIRST_BUCKETS 256

static void grow_threads(struct tasks *tasks)
{
	size_t count = tasks->thread_buckets ? 2 * tasks->thread_buckets : FIRST_BUCKETS;
	struct live_thread **buckets = alloc_zeroed(count, sizeof(*buckets));

	for (size_t i = 0; i < tasks->thread_buckets; i++)
		for (struct live_thread *thread = tasks->threads[i], *next; thread; thread = next) {
			next = thread->bucket_next;
			thread->bucket_next = buckets[thread->tid % count];
			buckets[thread->tid % count] = thread;
		}
	free(tasks->threads);
	tasks->threads = buckets;
	tasks->thread_buckets = count;
}

static void grow_processes(struct tasks *tasks)
{
	size_t count = tasks->process_buckets ? 2 * tasks->process_buckets : FIRST_BUCKETS;
	struct live_process **buckets = alloc_zeroed(count, sizeof(*buckets));

	for (size_t i = 0; i < tasks->process_buckets; i++)
		for (struct live_process *process = tasks->processes[i], *next; process;
			process = next) {
			next = process->bucket_next;
			process->bucket_next = buckets[process->pid % count];
			buckets[process->pid % count] = process;
		}
	free(tasks->processes);
	tasks->processes = buckets;
	tasks->process_buckets = count;
}

struct live_thread *tasks_thread(const struct tasks *tasks, uint32_t tid)
{
	struct live_thread *thread =
		tasks->thread_buckets ? tasks->threads[tid % tasks->thread_buckets] : NULL;

	while (thread && thread->tid != tid)
		thread = thread->bucket_next;
	return thread;
}

struct live_process *tasks_process(const struct tasks *tasks, uint32_t pid)
{
	struct live_process *process =
		tasks->process_buckets ? tasks->processes[pid % tasks->process_buckets] : NULL;

	while (process && process->pid != pid)
		process = process->bucket_next;
	return process;
}

struct live_process *tasks_add_process(
	struct tasks *tasks, uint32_t pid, process_id id, struct address_space *space)
{
	struct live_process *process = alloc_zeroed(1, sizeof(*process)), **bucket;

	if (tasks->process_count >= tasks->process_buckets)
		grow_processes(tasks);
	process->pid = pid;
	process->id = id;
	process->space = space;
	bucket = &tasks->processes[pid % tasks->process_buckets];
	process->bucket_next = *bucket;
	*bucket = process;
	tasks->process_count++;
	return process;
}

struct live_thread *tasks_add_thread(
	struct tasks *tasks, struct live_process *process, uint32_t tid, thread_id id)
{
	struct live_thread *thread = alloc_zeroed(1, sizeof(*thread)), **bucket;

	if (tasks->thread_count >= tasks->thread_buckets)
		grow_threads(tasks);
	thread->tid = tid;
	thread->id = id;
	thread->process = process;
	thread->next = process->threads;
	thread->link = &process->threads;
	if (thread->next)
		thread->next->link = &thread->next;
	process->threads = thread;
	bucket = &tasks->threads[tid % tasks->thread_buckets];
	thread->bucket_next = *bucket;
	*bucket = thread;
	tasks->thread_count++;
	return thread;
}

static void remove_process(struct tasks *tasks, struct live_process *process)
{
	struct live_process **at = &tasks->processes[process->pid % tasks->process_buckets];

	while (*at != process)
		at = &(*at)->bucket_next;
	*at = process->bucket_next;
	tasks->process_count--;
	address_space_free(process->space);
	free(process);
}

void tasks_remove_thread(struct tasks *tasks, struct live_thread *thread)
{
	struct live_thread **at = &tasks->threads[thread->tid % tasks->thread_buckets];
	struct live_process *process = thread->process;

	while (*at != thread)
		at = &(*at)->bucket_next;
	*at = thread->bucket_next;
	tasks->thread_count--;
	*thread->link = thread->next;
	if (thread->next)
		thread->next->link = thread->link;
	array_release(&thread->estimates);
	array_release(&thread->seen);
	stack_memory_release(&thread->memory);
	free(thread);
	if (!process->threads)
		remove_process(tasks, process);
}

void tasks_visit(const struct tasks *tasks,
	void (*visit)(void *context, struct live_thread *thread), void *context)
{
	for (size_t i = 0; i < tasks->thread_buckets; i++)
		for (struct live_thread *thread = tasks->threads[i]; thread;
			thread = thread->bucket_next)
			visit(context, thread);
}

void tasks_release(struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->thread_buckets; i++)
		while (tasks->threads[i])
			tasks_remove_thread(tasks, tasks->threads[i]);
	for (size_t i = 0; i < tasks->process_buckets; i++)
		while (tasks->processes[i])
			remove_process(tasks, tasks->processes[i]);
	free(tasks->threads);
	free(tasks->processes);
	*tasks = (struct tasks){0};
}
