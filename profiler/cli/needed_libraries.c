#include "cli/needed_libraries.h"

#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOADER "/lib64/ld-linux-x86-64.so.2"

static int check(const char *path, const char *interpreter, struct error *err)
{
	struct stat status;

	if (strcmp(interpreter, LOADER) != 0)
		return error_set(err, "its loader, %s, is not this system's", interpreter);
	if (stat(path, &status) < 0)
		return error_set_errno(err, "cannot look at %s", path);
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return error_set(err, "the file is another user's");
	return 0;
}

static void take_line(struct needed_libraries *libraries, char *line)
{
	char *path = strchr(line, '/'), *address = strrchr(line, '('),
	     *missing = strstr(line, " => not found");

	if (missing) {
		*missing = '\0';
		*array_add(&libraries->missing) = alloc_string(line + strspn(line, "\t "));
	} else if (path && address && address > path + 1) {
		address[-1] = '\0';
		*array_add(&libraries->paths) = alloc_string(path);
	}
}

static void take_list(struct needed_libraries *libraries, FILE *list)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, list) > 0)
		take_line(libraries, line);
	free(line);
}

/* Starts the loader with its list going to a pipe. (Its option --list gives up at the first that is
 * missing.) */
static FILE *start_loader(const char *path, pid_t *pid)
{
	char loader[] = LOADER, *argument = alloc_string(path);
	char *const argv[] = {loader, argument, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];
	bool failed;

	if (pipe2(ends, 0) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1, 0);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	setenv("LD_TRACE_LOADED_OBJECTS", "1", 1);
	failed = posix_spawn(pid, LOADER, &actions, NULL, argv, environ) != 0;
	unsetenv("LD_TRACE_LOADED_OBJECTS");
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	free(argument);
	if (!failed)
		return fdopen(ends[0], "r");
	close(ends[0]);
	return NULL;
}

int needed_libraries_find(struct needed_libraries *libraries, const char *path,
	const char *interpreter, struct error *err)
{
	FILE *list;
	pid_t pid;

	*libraries = (struct needed_libraries){0};
	if (check(path, interpreter, err) < 0)
		return -1;
	list = start_loader(path, &pid);
	if (!list)
		return error_set(err, "%s cannot be run", LOADER);
	take_list(libraries, list);
	fclose(list);
	waitpid(pid, NULL, 0);
	return 0;
}

void needed_libraries_release(struct needed_libraries *libraries)
{
	for (size_t i = 0; i < libraries->paths.count; i++)
		free(libraries->paths.items[i]);
	for (size_t i = 0; i < libraries->missing.count; i++)
		free(libraries->missing.items[i]);
	array_release(&libraries->paths);
	array_release(&libraries->missing);
}
