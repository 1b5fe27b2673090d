#include "model/syncer.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

void syncer_init(struct syncer *syncer, int fd)
{
	*syncer = (struct syncer){.fd = fd};
	pthread_mutex_init(&syncer->lock, NULL);
	pthread_cond_init(&syncer->wake, NULL);
}

static void *run(void *context)
{
	struct syncer *syncer = context;

	pthread_mutex_lock(&syncer->lock);
	for (;;) {
		int failure;

		while (!syncer->is_wanted && !syncer->is_stopping)
			pthread_cond_wait(&syncer->wake, &syncer->lock);
		if (!syncer->is_wanted)
			break;
		syncer->is_wanted = false;
		pthread_mutex_unlock(&syncer->lock);
		failure = fdatasync(syncer->fd) == 0 ? 0 : errno;
		pthread_mutex_lock(&syncer->lock);
		if (failure)
			syncer->failure = failure;
	}
	pthread_mutex_unlock(&syncer->lock);
	return NULL;
}

/* Signals are for the thread that records: it must be woken by them. */
static void start(struct syncer *syncer)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	syncer->is_running = pthread_create(&syncer->thread, NULL, run, syncer) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void syncer_request(struct syncer *syncer)
{
	if (!syncer->is_running)
		start(syncer);
	pthread_mutex_lock(&syncer->lock);
	if (syncer->is_running) {
		syncer->is_wanted = true;
		pthread_cond_signal(&syncer->wake);
	} else if (fdatasync(syncer->fd) != 0) { /* no thread to be had: wait here */
		syncer->failure = errno;
	}
	pthread_mutex_unlock(&syncer->lock);
}

int syncer_failure(struct syncer *syncer)
{
	int failure;

	pthread_mutex_lock(&syncer->lock);
	failure = syncer->failure;
	syncer->failure = 0;
	pthread_mutex_unlock(&syncer->lock);
	return failure;
}

void syncer_stop(struct syncer *syncer)
{
	if (!syncer->is_running)
		return;
	pthread_mutex_lock(&syncer->lock);
	syncer->is_stopping = true;
	pthread_cond_signal(&syncer->wake);
	pthread_mutex_unlock(&syncer->lock);
	pthread_join(syncer->thread, NULL);
	syncer->is_running = false;
	syncer->is_stopping = false;
}
