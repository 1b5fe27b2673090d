#include "symbols/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Seconds without an answer, and how often it is asked again, where the user says nothing; the
 * library would wait for 90, three times. */
#define TIMEOUT_S   "15"
#define RETRY_LIMIT "0"

/* What is used of <elfutils/debuginfod.h>. */
struct client;
typedef struct client *(*begin_function)(void);
typedef void (*end_function)(struct client *client);
typedef int (*find_function)(
	struct client *client, const unsigned char *build_id, int length, char **path);

struct library {
	begin_function begin;
	end_function end;
	find_function find_debuginfo;
};

bool debuginfod_is_wanted(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && *urls;
}

/* It stays loaded: its HTTP client does not like to be unloaded, and the next file needs it too. */
static bool load(struct library *library)
{
	void *handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return false;
	library->begin = (begin_function)dlsym(handle, "debuginfod_begin");
	library->end = (end_function)dlsym(handle, "debuginfod_end");
	library->find_debuginfo = (find_function)dlsym(handle, "debuginfod_find_debuginfo");
	return library->begin && library->end && library->find_debuginfo;
}

struct elf_file *debuginfod_fetch(const struct build_id *id)
{
	struct library library;
	struct client *client;
	struct elf_file *file = NULL;
	char *path = NULL;
	int fd;

	if (!id->length || !debuginfod_is_wanted() || !load(&library))
		return NULL;
	setenv("DEBUGINFOD_TIMEOUT", TIMEOUT_S, false);
	setenv("DEBUGINFOD_RETRY_LIMIT", RETRY_LIMIT, false);
	client = library.begin();
	if (!client)
		return NULL;
	fd = library.find_debuginfo(client, id->bytes, id->length, &path);
	if (fd >= 0) {
		file = elf_file_open_fd(fd, path ? path : "debuginfod", NULL);
		close(fd);
	}
	/* A server that does not answer is asked once, not for every module. */
	if (fd == -ETIMEDOUT || fd == -ETIME || fd == -ECONNREFUSED)
		unsetenv("DEBUGINFOD_URLS");
	free(path);
	library.end(client);
	return file;
}
