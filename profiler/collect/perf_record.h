/*
 * perf_record: one record of the kernel as an event. The layouts are those of perf_event_open(2)
 * for PERF_SAMPLE_TYPE of perf_events.h:
 *
 *   a sample      u64 identifier, u64 ip, u32 pid, u32 tid, u64 time, u64 period,
 *                 u64 nr, u64 ips[nr], u64 abi, u64 registers[17] (abi != 0),
 *                 u64 size, u8 stack[size], u64 used (size != 0)
 *   any other     its own fields, then u32 pid, u32 tid, u64 time, u64 identifier
 */
#pragma once

#include "collect/event.h"
#include "collect/perf_events.h"

#include <linux/perf_event.h>

/* The time that the record bears. */
uint64_t perf_record_time(const struct perf_event_header *record);

/* The process and thread that it belongs to. */
uint32_t perf_record_pid(const struct perf_event_header *record);

/*
 * Decodes into *event, which borrows from the record; is_of_switches: it is from the ring of the
 * switch events. False when it is of no interest or does not
 * hold what its type promises.
 */
bool perf_record_decode(
	const struct perf_event_header *record, bool is_of_switches, struct event *event);
