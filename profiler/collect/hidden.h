/*
 * hidden: a program that the kernel lets nobody watch who could not have its rights.
 *
 * At the exec of a program that gains rights (setuid, setgid, file capabilities), or whose file its
 * user may not read, the kernel takes all events of an ordinary user off the process: the record of
 * its exec is followed by one of an exit that is none, and by nothing more. How long it lives, and
 * how long its first thread was on a CPU, can still be read, as of every process:
 *
 *     /proc/PID/stat       2765 (suid) S 2764 ...       the letter is Z when it has ended
 *     /proc/PID/schedstat  504321987 1234567 89         ns on a CPU, ns waiting for one, turns
 */
#pragma once

#include "collect/accounting.h"

/* The thread's events were taken away. */
void hidden_begin(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns);

/*
 * Accounts what the thread's process took until now as "[not permitted: setuid]" (or capabilities,
 * or whatever it is). False when it has ended.
 */
bool hidden_look(struct accounting *accounting, struct live_thread *thread, uint64_t now_ns);
