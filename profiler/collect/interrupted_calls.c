#include "collect/interrupted_calls.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#define SHORT_WAIT_NS	10000000u /* a time limit that is longer by so much is no other */
#define CODE_SEGMENT_64 0x33	  /* system calls of 32-bit code have other numbers */

/* Where a call's time limit is told. */
enum limit {
	LIMIT_NONE,
	LIMIT_MILLISECONDS, /* an int, endless below 0 */
	LIMIT_POINTER,	    /* to a timespec, endless when NULL */
	LIMIT_ELSEWHERE,    /* a property of the socket; without one it is ERESTARTSYS */
};

static const struct interrupted_call {
	long number;
	enum limit limit;
	size_t argument; /* offset of the register that holds the limit */
} calls[] = {
#define ARGUMENT(name) offsetof(struct user_regs_struct, name)
	/* Events: programs wait here in a loop, and some take EINTR for an error. */
	{SYS_epoll_wait, LIMIT_MILLISECONDS, ARGUMENT(r10)},
	{SYS_epoll_pwait, LIMIT_MILLISECONDS, ARGUMENT(r10)},
	{SYS_epoll_pwait2, LIMIT_POINTER, ARGUMENT(r10)},
	{SYS_io_getevents, LIMIT_POINTER, ARGUMENT(r8)},
	{SYS_io_pgetevents, LIMIT_POINTER, ARGUMENT(r8)},
	/* Signals: sigwaitinfo and sigtimedwait. */
	{SYS_rt_sigtimedwait, LIMIT_POINTER, ARGUMENT(rdx)},
	/* System V semaphores. */
	{SYS_semop, LIMIT_NONE, 0},
	{SYS_semtimedop, LIMIT_POINTER, ARGUMENT(r10)},
	/* Sockets with SO_RCVTIMEO or SO_SNDTIMEO. */
	{SYS_accept, LIMIT_ELSEWHERE, 0},
	{SYS_accept4, LIMIT_ELSEWHERE, 0},
	{SYS_connect, LIMIT_ELSEWHERE, 0},
	{SYS_recvfrom, LIMIT_ELSEWHERE, 0},
	{SYS_recvmsg, LIMIT_ELSEWHERE, 0},
	{SYS_recvmmsg, LIMIT_ELSEWHERE, 0},
	{SYS_sendto, LIMIT_ELSEWHERE, 0},
	{SYS_sendmsg, LIMIT_ELSEWHERE, 0},
	{SYS_sendmmsg, LIMIT_ELSEWHERE, 0},
/*
 * read and write of such sockets (and of inotify and userfaultfd on old kernels) too, but on
 * other files EINTR may be the file system's own answer: these are left alone, and so is
 * close, whose descriptor is gone.
 */
#undef ARGUMENT
};

static const struct interrupted_call *find(const struct user_regs_struct *registers)
{
	if (registers->cs != CODE_SEGMENT_64 || (long long)registers->rax != -EINTR)
		return NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if ((long)registers->orig_rax == calls[i].number)
			return &calls[i];
	return NULL;
}

static bool is_endless(
	const struct interrupted_call *call, const struct user_regs_struct *registers)
{
	unsigned long long limit;

	memcpy(&limit, (const char *)registers + call->argument, sizeof(limit));
	switch (call->limit) {
	case LIMIT_MILLISECONDS:
		return (int32_t)limit < 0;
	case LIMIT_POINTER:
		return limit == 0;
	default:
		return call->limit == LIMIT_NONE;
	}
}

bool interrupted_call_begins_again(const struct user_regs_struct *registers, uint64_t waited_ns)
{
	const struct interrupted_call *call = find(registers);

	return call && (waited_ns < SHORT_WAIT_NS || is_endless(call, registers));
}
