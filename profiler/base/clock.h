/*
 * clock: the clock of recordings, CLOCK_MONOTONIC in nanoseconds: never set back, and the same in every
 * process of the machine. It stands still while the machine is suspended.
 */
#pragma once

#include <stdint.h>

uint64_t clock_now_ns(void);
