/*
 * blocked: the stack of a thread that has been off the CPU for a while, read while it waits.
 *
 * A blocked thread's stack does not change, so nothing needs to be stopped:
 * /proc/PID/task/TID/syscall (proc(5)) tells where it waits
 *
 *     230 0x1 0x0 0x7ffd3c7e1d40 0x0 0x0 0x0 0x7ffd3c7e1cf8 0x7f10a04ff2c7
 *
 * (system call, its arguments, stack pointer, instruction pointer), and the stack is read from its
 * memory. The other registers are not told: a caller that needs one which no callee has saved is
 * searched for on the stack. Needs the right to ptrace the process.
 */
#pragma once

#include "collect/event.h"

#define BLOCKED_STACK_BYTES (256u << 10)

/*
 * Fills `sample` with the registers and up to BLOCKED_STACK_BYTES of stack, kept in `buffer`. False
 * when the thread runs, is gone, or must not be looked at.
 */
bool blocked_read(uint32_t pid, uint32_t tid, uint8_t *buffer, struct event_sample *sample);
