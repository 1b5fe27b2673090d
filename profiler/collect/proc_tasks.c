#include "collect/proc_tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000u /* include/linux/sched.h */

bool proc_task_parse(const char *line, struct proc_task *task)
{
	const char *name = strchr(line, '('), *behind = strrchr(line, ')');
	unsigned flags;
	size_t length;

	if (!name || !behind || behind <= name || sscanf(line, "%u (", &task->tid) != 1 ||
		sscanf(behind, ") %c %*d %*d %*d %*d %*d %u", &task->state, &flags) != 2)
		return false;
	length = (size_t)(behind - name) - 1;
	if (length >= sizeof(task->name))
		length = sizeof(task->name) - 1;
	memcpy(task->name, name + 1, length);
	task->name[length] = '\0';
	task->is_kernel_thread = flags & PF_KTHREAD;
	return true;
}

bool proc_task_read(uint32_t pid, uint32_t tid, struct proc_task *task)
{
	char path[64], line[1024];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (length <= 0)
		return false;
	line[length] = '\0';
	*task = (struct proc_task){.pid = pid};
	return proc_task_parse(line, task);
}

size_t proc_tasks_each(uint32_t pid, void (*visit)(void *context, uint32_t tid), void *context)
{
	char path[32];
	struct dirent *entry;
	size_t count = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		unsigned long tid = strtoul(entry->d_name, NULL, 10);

		if (tid == 0)
			continue;
		visit(context, (uint32_t)tid);
		count++;
	}
	if (directory)
		closedir(directory);
	return count;
}
