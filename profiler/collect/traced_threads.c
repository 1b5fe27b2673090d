#include "collect/traced_threads.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BUCKETS 64
#define KEPT_FD_MAX   768 /* an ordinary limit is 1024 */

/* --- tables ----------------------------------------------------------------------------------- */

static void grow_threads(struct traced_threads *all)
{
	size_t buckets = all->thread_buckets ? 2 * all->thread_buckets : FIRST_BUCKETS;
	struct traced_thread **threads = alloc_zeroed(buckets, sizeof(struct traced_thread *)),
			     *next;

	for (size_t i = 0; i < all->thread_buckets; i++)
		for (struct traced_thread *thread = all->threads[i]; thread; thread = next) {
			next = thread->bucket_next;
			thread->bucket_next = threads[thread->tid % buckets];
			threads[thread->tid % buckets] = thread;
		}
	free(all->threads);
	all->threads = threads;
	all->thread_buckets = buckets;
}

static void grow_processes(struct traced_threads *all)
{
	size_t buckets = all->process_buckets ? 2 * all->process_buckets : FIRST_BUCKETS;
	struct traced_process **processes = alloc_zeroed(buckets, sizeof(struct traced_process *));
	struct traced_process *next;

	for (size_t i = 0; i < all->process_buckets; i++)
		for (struct traced_process *process = all->processes[i]; process; process = next) {
			next = process->bucket_next;
			process->bucket_next = processes[process->pid % buckets];
			processes[process->pid % buckets] = process;
		}
	free(all->processes);
	all->processes = processes;
	all->process_buckets = buckets;
}

struct traced_thread *traced_threads_find(const struct traced_threads *all, uint32_t tid)
{
	struct traced_thread *thread =
		all->thread_buckets ? all->threads[tid % all->thread_buckets] : NULL;

	while (thread && thread->tid != tid)
		thread = thread->bucket_next;
	return thread;
}

struct traced_process *traced_threads_process(const struct traced_threads *all, uint32_t pid)
{
	struct traced_process *process =
		all->process_buckets ? all->processes[pid % all->process_buckets] : NULL;

	while (process && process->pid != pid)
		process = process->bucket_next;
	return process;
}

static struct traced_process *add_process(
	struct traced_threads *all, uint32_t pid, const struct traced_process *parent)
{
	struct traced_process *process = alloc_zeroed(1, sizeof(*process)), **bucket;

	if (all->process_count++ >= all->process_buckets)
		grow_processes(all);
	process->pid = pid;
	if (parent) {
		process->has_begun = parent->has_begun;
		exec_maps_copy(&process->maps, &parent->maps);
	}
	bucket = &all->processes[pid % all->process_buckets];
	process->bucket_next = *bucket;
	*bucket = process;
	return process;
}

static void insert(struct traced_threads *all, struct traced_thread *thread)
{
	struct traced_thread **bucket;

	if (all->thread_count++ >= all->thread_buckets)
		grow_threads(all);
	bucket = &all->threads[thread->tid % all->thread_buckets];
	thread->bucket_next = *bucket;
	*bucket = thread;
}

static void take_out(struct traced_threads *all, struct traced_thread *thread)
{
	struct traced_thread **at = &all->threads[thread->tid % all->thread_buckets];

	while (*at != thread)
		at = &(*at)->bucket_next;
	*at = thread->bucket_next;
	all->thread_count--;
}

struct traced_thread *traced_threads_add(
	struct traced_threads *all, uint32_t tid, uint32_t pid, const struct traced_process *parent)
{
	struct traced_thread *thread = alloc_zeroed(1, sizeof(*thread));

	thread->tid = tid;
	thread->schedstat_fd = thread->syscall_fd = -1;
	thread->process = traced_threads_process(all, pid);
	if (!thread->process)
		thread->process = add_process(all, pid, parent);
	thread->process->thread_count++;
	insert(all, thread);
	return thread;
}

static void remove_process(struct traced_threads *all, struct traced_process *process)
{
	struct traced_process **at = &all->processes[process->pid % all->process_buckets];

	while (*at != process)
		at = &(*at)->bucket_next;
	*at = process->bucket_next;
	all->process_count--;
	exec_maps_release(&process->maps);
	free(process);
}

static void close_files(struct traced_thread *thread)
{
	if (thread->schedstat_fd >= 0)
		close(thread->schedstat_fd);
	if (thread->syscall_fd >= 0)
		close(thread->syscall_fd);
	thread->schedstat_fd = thread->syscall_fd = -1;
}

void traced_threads_remove(struct traced_threads *all, struct traced_thread *thread)
{
	take_out(all, thread);
	close_files(thread);
	if (--thread->process->thread_count == 0)
		remove_process(all, thread->process);
	free(thread);
}

void traced_threads_become_leader(struct traced_threads *all, struct traced_thread *thread)
{
	struct traced_thread *leader = traced_threads_find(all, thread->process->pid);

	if (leader == thread)
		return;
	if (leader)
		traced_threads_remove(all, leader);
	take_out(all, thread);
	close_files(thread); /* they are named by the old tid */
	thread->tid = thread->process->pid;
	insert(all, thread);
}

void traced_threads_visit(const struct traced_threads *all,
	void (*visit)(void *context, struct traced_thread *thread), void *context)
{
	for (size_t i = 0; i < all->thread_buckets; i++)
		for (struct traced_thread *thread = all->threads[i]; thread;
			thread = thread->bucket_next)
			visit(context, thread);
}

void traced_threads_release(struct traced_threads *all)
{
	for (size_t i = 0; i < all->thread_buckets; i++)
		while (all->threads[i])
			traced_threads_remove(all, all->threads[i]);
	free(all->threads);
	free(all->processes);
	*all = (struct traced_threads){0};
}

/* --- what /proc says of a thread -------------------------------------------------------------- */

static int open_file(const struct traced_thread *thread, const char *name)
{
	char path[64];

	snprintf(
		path, sizeof(path), "/proc/%u/task/%u/%s", thread->process->pid, thread->tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool read_text(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	if (length <= 0)
		return false;
	text[length] = '\0';
	return true;
}

/*
 * A text of one line. The descriptor stays open in *fd, since opening is what takes longest, as
 * long as there are not too many.
 */
static bool read_line(
	const struct traced_thread *thread, const char *name, int *fd, char *line, size_t size)
{
	bool was_read;

	if (*fd < 0)
		*fd = open_file(thread, name);
	was_read = *fd >= 0 && read_text(*fd, line, size);
	if (*fd >= KEPT_FD_MAX) {
		close(*fd);
		*fd = -1;
	}
	return was_read;
}

static bool parse_schedstat(const char *line, struct schedstat *stat)
{
	unsigned long long cpu_ns, runnable_ns, turns;

	if (sscanf(line, "%llu %llu %llu", &cpu_ns, &runnable_ns, &turns) != 3)
		return false;
	*stat = (struct schedstat){cpu_ns, runnable_ns, turns};
	return true;
}

bool schedstat_read(int fd, struct schedstat *stat)
{
	char line[80];

	return read_text(fd, line, sizeof(line)) && parse_schedstat(line, stat);
}

bool traced_thread_schedstat(struct traced_thread *thread, struct schedstat *stat)
{
	char line[80];

	return read_line(thread, "schedstat", &thread->schedstat_fd, line, sizeof(line)) &&
	       parse_schedstat(line, stat);
}

bool traced_thread_is_running(struct traced_thread *thread)
{
	char line[256];

	return read_line(thread, "syscall", &thread->syscall_fd, line, sizeof(line)) &&
	       strncmp(line, "running", strlen("running")) == 0;
}

bool traced_thread_read_name(struct traced_thread *thread)
{
	char line[64];
	int fd = -1;
	bool is_new, was_read = read_line(thread, "comm", &fd, line, sizeof(line));

	if (fd >= 0)
		close(fd);
	if (!was_read)
		return false;
	line[strcspn(line, "\n")] = '\0';
	is_new = strncmp(line, thread->name, sizeof(thread->name) - 1) != 0;
	snprintf(thread->name, sizeof(thread->name), "%.15s", line);
	return is_new;
}
