#include "collect/program_exec.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool can_be_script(const char *path)
{
	char head[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof(head));
	const char *line_end = got > 0 ? memchr(head, '\n', got) : NULL;

	if (fd >= 0)
		close(fd);
	return got > 0 && !memchr(head, '\0', line_end ? line_end - head : got);
}

static int run_by_shell(const char *path, char *const argv[])
{
	size_t count = 0;
	const char **shell_argv;

	while (argv[count])
		count++;
	shell_argv = alloc_zeroed(count + 2, sizeof(*shell_argv));
	shell_argv[0] = _PATH_BSHELL;
	shell_argv[1] = path;
	for (size_t i = 1; i < count; i++)
		shell_argv[i + 1] = argv[i];
	execv(_PATH_BSHELL, (char *const *)shell_argv);
	free(shell_argv);
	return errno;
}

static int try_path(const char *path, char *const argv[])
{
	int cause;

	execv(path, argv);
	cause = errno;
	return cause == ENOEXEC && can_be_script(path) ? run_by_shell(path, argv) : cause;
}

/* Whether the next directory may have it: this one is not there, or must not be searched. */
static bool goes_on(int cause)
{
	return cause == ENOENT || cause == EACCES || cause == ENOTDIR || cause == ESTALE ||
	       cause == ENODEV || cause == ETIMEDOUT;
}

static int search(const char *name, const char *directories, char *const argv[])
{
	bool was_refused = false;
	int cause = ENOENT;

	for (const char *at = directories; at && goes_on(cause);) {
		const char *end = strchrnul(at, ':');
		/* An empty entry is the working directory. */
		char *path = end == at ? alloc_string(name)
				       : alloc_format("%.*s/%s", (int)(end - at), at, name);

		cause = try_path(path, argv);
		was_refused |= cause == EACCES;
		free(path);
		at = *end ? end + 1 : NULL;
	}
	if (!goes_on(cause))
		return cause;
	return was_refused ? EACCES : ENOENT;
}

int program_exec(char *const argv[])
{
	const char *directories = getenv("PATH");

	if (argv[0][0] == '\0')
		return ENOENT;
	if (strchr(argv[0], '/'))
		return try_path(argv[0], argv);
	return search(argv[0], directories ? directories : "/bin:/usr/bin", argv);
}
