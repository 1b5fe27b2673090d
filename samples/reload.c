/*
 * Libraries that come and go: each is loaded, used for SECONDS and given back, so that the next one
 * mostly lies at the same address.
 *
 *     main -> work -> the library's own functions
 *
 * `reload HOW SECONDS LIBRARY...`: each library is copied to ./loaded.so (HOW "file"), which is
 * removed as soon as it is loaded ("gone"), or into memory ("memory").
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void copy(const char *path, int to)
{
	int from = open(path, O_RDONLY);
	struct stat status;

	if (from < 0 || fstat(from, &status) || sendfile(to, from, NULL, status.st_size) < 0)
		exit(1);
	close(from);
}

static void *load(const char *how, const char *path)
{
	char name[64] = "./loaded.so";
	int fd;
	void *library;

	unlink(name);
	fd = strcmp(how, "memory") ? open(name, O_WRONLY | O_CREAT, 0700)
				   : memfd_create("library", 0);
	copy(path, fd);
	if (!strcmp(how, "memory"))
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	library = dlopen(name, RTLD_NOW);
	if (strcmp(how, "file"))
		unlink(name);
	close(fd);
	return library;
}

int main(int argc, char **argv)
{
	for (int i = 3; i < argc; i++) {
		void *library = load(argv[1], argv[i]);
		int (*work)(int) = library ? (int (*)(int))dlsym(library, "work") : NULL;
		double start = now();

		if (!work)
			return 1;
		while (now() - start < atof(argv[2]))
			work(10000);
		dlclose(library);
	}
	return 0;
}
