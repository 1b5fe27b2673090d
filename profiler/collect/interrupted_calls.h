/*
 * interrupted_calls: system calls that return EINTR when the thread is stopped by its tracer, even
 * though no signal handler ran (signal(7), "Interruption of system calls and library functions by
 * stop signals").
 *
 * Most calls that are interrupted return one of the kernel's own ERESTART codes, and are begun
 * again unseen when there turns out to be no signal. These return a plain EINTR. The recorder never
 * stops a thread that waits in any call; but one that was running when it was looked at may have
 * entered one before the stop reached it. Then EINTR is replaced, while the thread is stopped, by
 * ERESTARTNOHAND: the kernel begins the call again when no handler is to run, and returns EINTR
 * when one is, as it would have done without us. Nothing has happened in the call when it returns
 * EINTR, and the time limit that begins anew has run for microseconds only.
 *
 * A traced thread is also woken by signals that it ignores. There the call may have waited for
 * long: then it is begun again only when it has no time limit, and a program that is not prepared
 * for EINTR sees one after all. So it does when the kernel wakes one thread for such a signal and
 * another one, stopped at that moment, takes it: then there is no stop in which anything could be
 * mended.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/user.h>

/*
 * Whether the stopped thread is about to return EINTR from such a call, which it has waited in for
 * so long, and the call should begin again.
 */
bool interrupted_call_begins_again(const struct user_regs_struct *registers, uint64_t waited_ns);

/* What rax must hold for that. */
#define INTERRUPTED_CALL_AGAIN (-514ll) /* ERESTARTNOHAND, linux/errno.h */
