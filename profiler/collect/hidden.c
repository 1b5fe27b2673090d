#include "collect/hidden.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_text(uint32_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return true;
}

struct state {
	uint64_t cpu_ns; /* of the first thread, since it was forked */
	bool has_ended;	 /* and was not waited for yet */
};

/* False when there is no such process any more. */
static bool read_state(uint32_t pid, struct state *state)
{
	char text[4096];
	const char *name_end;

	if (!read_text(pid, "schedstat", text, sizeof(text)) ||
		sscanf(text, "%" SCNu64, &state->cpu_ns) != 1)
		return false;
	if (!read_text(pid, "stat", text, sizeof(text)))
		return false;
	name_end = strrchr(text, ')'); /* a name may hold anything */
	state->has_ended =
		name_end && (strncmp(name_end, ") Z", 3) == 0 || strncmp(name_end, ") X", 3) == 0);
	return true;
}

/* A line such as "Uid:\t65534\t0\t0\t0": real, effective, saved, of the file system. */
static bool ids_differ(const char *status, const char *subject)
{
	const char *line = strstr(status, subject);
	unsigned real, effective;

	return line && sscanf(line + strlen(subject), "%u %u", &real, &effective) == 2 &&
	       real != effective;
}

static const char *frame_name(uint32_t pid)
{
	char status[4096];

	if (!read_text(pid, "status", status, sizeof(status)))
		return "[not permitted]";
	if (ids_differ(status, "\nUid:") || ids_differ(status, "\nGid:"))
		return "[not permitted: setuid]";
	return "[not permitted: capabilities or a file that may not be read]";
}

void hidden_begin(struct accounting *accounting, struct live_thread *thread, uint64_t time_ns)
{
	struct profile *profile = accounting->profile;

	accounting_end(accounting, thread, time_ns);
	thread->hidden_cpu_ns =
		thread->before_ns + threads_thread(&profile->threads, thread->id)->cpu_ns;
	thread->hidden_stack = stacks_push(&profile->stacks, STACK_NOT_WALKED,
		profile_special_frame(profile, frame_name(thread->process->pid)));
}

bool hidden_look(struct accounting *accounting, struct live_thread *thread, uint64_t now_ns)
{
	struct state state;

	if (!read_state(thread->process->pid, &state))
		return false;
	accounting_hidden(accounting, thread, now_ns, thread->hidden_stack,
		state.cpu_ns > thread->hidden_cpu_ns ? state.cpu_ns - thread->hidden_cpu_ns : 0);
	thread->hidden_cpu_ns = state.cpu_ns;
	return !state.has_ended;
}
