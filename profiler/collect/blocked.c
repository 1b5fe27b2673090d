#include "collect/blocked.h"

#include "collect/remote_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The last two words of the line; "running" has none. */
static bool read_position(uint32_t pid, uint32_t tid, uint64_t *stack, uint64_t *ip)
{
	char path[64], line[256], *ip_word, *stack_word;
	unsigned long long value;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (length <= 0)
		return false;
	line[length] = '\0';
	ip_word = strrchr(line, ' ');
	if (!ip_word || sscanf(ip_word, " 0x%llx", &value) != 1)
		return false;
	*ip = value;
	*ip_word = '\0';
	stack_word = strrchr(line, ' ');
	if (!stack_word || sscanf(stack_word, " 0x%llx", &value) != 1)
		return false;
	*stack = value;
	return value != 0;
}

bool blocked_read(uint32_t pid, uint32_t tid, uint8_t *buffer, struct event_sample *sample)
{
	uint64_t stack, ip;

	if (!read_position(pid, tid, &stack, &ip))
		return false;
	*sample = (struct event_sample){
		.weight = 1, .is_off_cpu = true, .has_user = true, .stack = buffer};
	sample->registers.ip = ip;
	sample->registers.r[UNWIND_RSP] = stack;
	sample->registers.known = 1u << UNWIND_RSP;
	sample->stack_bytes = remote_memory_read(pid, stack, buffer, BLOCKED_STACK_BYTES);
	return sample->stack_bytes > 0;
}
