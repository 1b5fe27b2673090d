/*
 * syncer: makes a file durable in a thread of its own.
 *
 * fdatasync() takes milliseconds on a good day and seconds behind a busy disk. The loop that
 * empties the kernel's rings must not wait for it: a ring is full within tens of milliseconds.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct syncer {
	int fd; /* borrowed */
	pthread_t thread;
	bool is_running;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	bool is_wanted, is_stopping;
	int failure; /* errno of the last sync that failed, until it is asked for */
};

void syncer_init(struct syncer *syncer, int fd);

/* Everything written so far becomes durable soon; returns at once. Starts the thread at first. */
void syncer_request(struct syncer *syncer);

/* 0, or the errno of a sync that failed since the last call. */
int syncer_failure(struct syncer *syncer);

/* Waits for the thread, which does what was requested before it ends. */
void syncer_stop(struct syncer *syncer);
