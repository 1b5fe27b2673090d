#include "collect/machine.h"

#include "collect/remote_memory.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

bool machine_setting(const char *name, long *value)
{
	char path[128];
	FILE *file;
	bool is_number;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	file = fopen(path, "re");
	if (!file)
		return false;
	is_number = fscanf(file, "%ld", value) == 1;
	fclose(file);
	return is_number;
}

/* The number behind "NAME:" in /proc/self/status. */
static bool read_status(const char *name, int base, unsigned long long *value)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(name);
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, name, length) == 0 && line[length] == ':';
	if (file)
		fclose(file);
	if (found)
		*value = strtoull(line + length + 1, NULL, base);
	return found;
}

bool machine_has_capability(int capability)
{
	unsigned long long set;

	return read_status("CapEff", 16, &set) && set >> capability & 1;
}

int machine_seccomp_mode(void)
{
	unsigned long long mode;

	return read_status("Seccomp", 10, &mode) ? (int)mode : -1;
}

bool machine_is_container(void)
{
	return getenv("container") || access("/.dockerenv", F_OK) == 0 ||
	       access("/run/.containerenv", F_OK) == 0;
}

bool machine_shows_kernel_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long address = 0;

	/* Where they are hidden every address reads 0; the first may be 0 in any case. */
	for (int i = 0; file && !address && i < 1000; i++)
		if (fscanf(file, "%llx%*[^\n]", &address) != 1)
			break;
	if (file)
		fclose(file);
	return address != 0;
}

/* A child that does nothing until it is killed, or this process ends. */
static pid_t start_child(void)
{
	pid_t parent = getpid(), child = fork();

	if (child != 0)
		return child;
	while (getppid() == parent)
		usleep(100000);
	_exit(EXIT_SUCCESS);
}

static void end_child(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status))
		;
}

int machine_try_ptrace(void)
{
	pid_t child = start_child();
	int cause = 0;

	if (child < 0)
		return errno;
	if (ptrace(PTRACE_SEIZE, child, NULL, NULL) < 0)
		cause = errno;
	end_child(child);
	return cause;
}

int machine_try_remote_memory(void)
{
	static const uint64_t here = 0x1234567890abcdef; /* at the same place in the child */
	pid_t child = start_child();
	uint64_t there = 0;
	int cause = 0;

	if (child < 0)
		return errno;
	if (remote_memory_read(child, (uintptr_t)&here, &there, sizeof(there)) != sizeof(there))
		cause = errno;
	end_child(child);
	return cause || there == here ? cause : EIO;
}
