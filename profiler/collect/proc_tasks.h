/*
 * proc_tasks: the threads of a process that runs, from /proc/PID/task/TID/stat (proc(5)):
 *
 *     4711 (my (prog) ) S 4700 4711 4700 34816 4711 4194304 ...
 *
 * tid, name (which may hold anything), state, parent, group, session, terminal, its group, flags.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_task {
	uint32_t pid, tid;
	char name[64]; /* the kernel's short name; worker threads of the kernel have longer ones */
	char state;    /* 'R': runs, or waits for a CPU; 'S', 'D', 'T' ...: waits; 'Z': has ended */
	bool is_kernel_thread;
};

/* Takes one such line apart; false when it is none. pid is left alone. */
bool proc_task_parse(const char *line, struct proc_task *task);

/* False when the thread is gone. */
bool proc_task_read(uint32_t pid, uint32_t tid, struct proc_task *task);

/* Calls visit for the number of each thread of the process; returns how many there were. */
size_t proc_tasks_each(uint32_t pid, void (*visit)(void *context, uint32_t tid), void *context);
