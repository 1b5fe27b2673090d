#include "model/threads.h"

void threads_release(struct threads *threads)
{
	array_release(&threads->processes);
	array_release(&threads->threads);
}

process_id threads_add_process(struct threads *threads, const struct process *process)
{
	*array_add(&threads->processes) = *process;
	return threads->processes.count;
}

thread_id threads_add_thread(struct threads *threads, const struct thread *thread)
{
	*array_add(&threads->threads) = *thread;
	return threads->threads.count;
}

struct process *threads_process(const struct threads *threads, process_id id)
{
	return &threads->processes.items[id - 1];
}

struct thread *threads_thread(const struct threads *threads, thread_id id)
{
	return &threads->threads.items[id - 1];
}

static bool is_after_exec(const struct threads *threads, process_id id)
{
	const struct process *process = threads_process(threads, id);

	return process->parent && threads_process(threads, process->parent)->pid == process->pid;
}

process_id threads_first_program(const struct threads *threads, process_id id)
{
	while (is_after_exec(threads, id))
		id = threads_process(threads, id)->parent;
	return id;
}

process_id threads_last_program(const struct threads *threads, process_id id)
{
	for (process_id next = id + 1; next <= threads->processes.count; next++)
		if (threads_process(threads, next)->parent == id && is_after_exec(threads, next))
			id = next;
	return id;
}

size_t threads_process_count(const struct threads *threads)
{
	size_t count = 0;

	for (process_id id = 1; id <= threads->processes.count; id++)
		count += !is_after_exec(threads, id);
	return count;
}

size_t threads_thread_count(const struct threads *threads)
{
	size_t count = 0;

	for (size_t i = 0; i < threads->threads.count; i++) {
		const struct thread *thread = &threads->threads.items[i];
		bool is_leader = thread->tid == threads_process(threads, thread->process)->pid;

		count += !is_leader || !is_after_exec(threads, thread->process);
	}
	return count;
}
