#include "collect/event_queue.h"

#include "base/alloc.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAKE_BYTES (512u << 10)
#define FULL_BYTES (64u << 20)

struct queued_event {
	struct queued_event *next;
	struct event event;
	size_t size; /* of `bytes` */
	uint8_t bytes[];
};

int event_queue_init(struct event_queue *queue, struct error *err)
{
	*queue = (struct event_queue){.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	queue->end = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	return queue->wake_fd < 0 ? error_set_errno(err, "cannot create an event descriptor") : 0;
}

void event_queue_release(struct event_queue *queue)
{
	struct event event;

	while (event_queue_take(queue, &event))
		;
	pthread_mutex_destroy(&queue->lock);
	if (queue->wake_fd >= 0)
		close(queue->wake_fd);
}

/* The one piece of memory that an event of this kind points to (of the backends that queue). */
static const void **pointer_of(struct event *event, size_t *size)
{
	switch (event->kind) {
	case EVENT_SAMPLE:
	case EVENT_SWITCH_STACK:
		*size = event->sample.stack_bytes;
		return (const void **)&event->sample.stack;
	case EVENT_COMM:
		*size = strlen(event->comm.name) + 1;
		return (const void **)&event->comm.name;
	case EVENT_MMAP:
		*size = strlen(event->mmap.path) + 1;
		return (const void **)&event->mmap.path;
	default:
		*size = 0;
		return NULL;
	}
}

static void wake(struct event_queue *queue)
{
	uint64_t one = 1;
	ssize_t done = write(queue->wake_fd, &one, sizeof(one));

	(void)done; /* it can only fail when it is readable already */
}

void event_queue_add(struct event_queue *queue, const struct event *event, bool urgent)
{
	struct event copy = *event;
	size_t size;
	const void **pointer = pointer_of(&copy, &size);
	struct queued_event *queued = alloc_bytes(sizeof(*queued) + size);

	queued->next = NULL;
	queued->size = size;
	if (pointer) {
		memcpy(queued->bytes, *pointer, size);
		*pointer = queued->bytes;
	}
	queued->event = copy;
	pthread_mutex_lock(&queue->lock);
	*queue->end = queued;
	queue->end = &queued->next;
	urgent |= queue->bytes < WAKE_BYTES && queue->bytes + size >= WAKE_BYTES;
	queue->bytes += size + sizeof(*queued);
	pthread_mutex_unlock(&queue->lock);
	if (urgent)
		wake(queue);
}

bool event_queue_take(struct event_queue *queue, struct event *event)
{
	struct queued_event *queued;

	free(queue->taken);
	pthread_mutex_lock(&queue->lock);
	queue->taken = queued = queue->first;
	if (queued) {
		queue->first = queued->next;
		if (!queue->first)
			queue->end = &queue->first;
		queue->bytes -= queued->size + sizeof(*queued);
	}
	pthread_mutex_unlock(&queue->lock);
	if (queued)
		*event = queued->event;
	return queued;
}

bool event_queue_is_full(struct event_queue *queue)
{
	bool is_full;

	pthread_mutex_lock(&queue->lock);
	is_full = queue->bytes >= FULL_BYTES;
	pthread_mutex_unlock(&queue->lock);
	return is_full;
}

void event_queue_wait(struct event_queue *queue, int fd, int timeout_ms)
{
	struct pollfd polled[2] = {
		{.fd = queue->wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	uint64_t count;
	ssize_t got;

	if (poll(polled, 2, timeout_ms) <= 0 || !(polled[0].revents & POLLIN))
		return;
	got = read(queue->wake_fd, &count, sizeof(count));
	(void)got;
}
