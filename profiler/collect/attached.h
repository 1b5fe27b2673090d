/*
 * attached: a process as it is when it is attached to, told as events of that moment:
 *
 *     EVENT_FOUND  pid 4711 tid 4711 may_run     each thread, or the one that is wanted
 *     EVENT_COMM   pid 4711 tid 4711 "server"    its name; the process's even if only a thread is
 *     EVENT_MMAP   /usr/bin/server ...           its executable mappings, first the executable's
 */
#pragma once

#include "base/error.h"
#include "collect/event.h"
#include "collect/target.h"

/*
 * Calls handle for each event; all bear time_ns. The events borrow until handle returns. -1: the
 * process or thread has ended.
 */
int attached_read(const struct target *target, uint64_t time_ns,
	void (*handle)(void *context, const struct event *event), void *context, struct error *err);
