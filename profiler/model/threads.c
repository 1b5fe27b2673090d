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
