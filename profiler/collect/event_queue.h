/*
 * event_queue: events on their way from the thread that sees them to the one that records them.
 *
 * Each event is copied together with the memory that it points to. One thread adds, one takes.
 */
#pragma once

#include "collect/event.h"

#include <pthread.h>

struct queued_event;

struct event_queue {
	pthread_mutex_t lock;
	struct queued_event *first, **end;
	struct queued_event *taken; /* what the last event_queue_take() gave */
	size_t bytes;		    /* waiting, with what they point to */
	int wake_fd;		    /* eventfd: readable when it is time to take some */
};

int event_queue_init(struct event_queue *queue, struct error *err);
void event_queue_release(struct event_queue *queue);

/* Adds a copy. What a reader should not wait for (a long queue, `urgent`) wakes it. */
void event_queue_add(struct event_queue *queue, const struct event *event, bool urgent);

/* The oldest event, whose pointers live until the next call; false when there is none. */
bool event_queue_take(struct event_queue *queue, struct event *event);

/* Whether so much waits that no more samples should be added. */
bool event_queue_is_full(struct event_queue *queue);

/* Waits until the reader is woken, `fd` is readable, or the time is over. */
void event_queue_wait(struct event_queue *queue, int fd, int timeout_ms);
