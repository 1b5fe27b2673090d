#include "collect/target.h"

#include <poll.h>

bool target_has_ended(const struct target *target)
{
	struct pollfd polled = {.fd = target->pid_fd, .events = POLLIN};

	return poll(&polled, 1, 0) > 0;
}
