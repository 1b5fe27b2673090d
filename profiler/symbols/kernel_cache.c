#include "symbols/kernel_cache.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/new_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX		"kernel-"
#define CACHE_BYTES_MAX (64u << 20)

static bool read_boot_id(char *text, size_t size)
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	bool done = file && fgets(text, size, file);

	if (file)
		fclose(file);
	if (done)
		text[strcspn(text, "\n")] = '\0';
	return done;
}

/* Loaded modules by name, size and address; a kernel without modules has no such file. */
static uint64_t hash_of_modules(void)
{
	FILE *file = fopen("/proc/modules", "re");
	char line[1024], name[128], size[32], address[64];
	uint64_t hash = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%127s %31s %*s %*s %*s %63s", name, size, address) == 3) {
			hash = hash_pair(hash, hash_bytes(name, strlen(name)));
			hash = hash_pair(hash, hash_bytes(address, strlen(address)));
		}
	if (file)
		fclose(file);
	return hash;
}

/* The directory, made when it is missing; NULL when it is not the user's own. */
static char *cache_directory(void)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *parent, *directory;
	struct stat status;

	if (getenv("SUDO_UID") || ((!base || base[0] != '/') && (!home || home[0] != '/')))
		return NULL;
	parent = base && base[0] == '/' ? alloc_string(base) : alloc_format("%s/.cache", home);
	directory = alloc_format("%s/cprof", parent);
	mkdir(parent, 0700);
	mkdir(directory, 0700);
	free(parent);
	if (lstat(directory, &status) == 0 && S_ISDIR(status.st_mode) &&
		status.st_uid == geteuid() && !(status.st_mode & 022))
		return directory;
	free(directory);
	return NULL;
}

char *kernel_cache_path(void)
{
	char boot_id[64], *directory, *path;

	if (!read_boot_id(boot_id, sizeof(boot_id)))
		return NULL;
	directory = cache_directory();
	if (!directory)
		return NULL;
	path = alloc_format("%s/" PREFIX "%s-%016llx", directory, boot_id,
		(unsigned long long)hash_of_modules());
	free(directory);
	return path;
}

static bool is_ours(const struct stat *status)
{
	return S_ISREG(status->st_mode) && status->st_uid == geteuid() &&
	       !(status->st_mode & 077) && status->st_size > 0 &&
	       status->st_size < (off_t)CACHE_BYTES_MAX;
}

char *kernel_cache_map(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	void *text = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &status) == 0 && is_ours(&status)) {
		*size = status.st_size;
		text = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	return text == MAP_FAILED ? NULL : text;
}

void kernel_cache_unmap(char *text, size_t size)
{
	munmap(text, size);
}

/* Kernels that no longer run leave their text behind. */
static void drop_others(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char *directory = alloc_string_n(path, name - path);
	DIR *entries = opendir(directory);
	struct dirent *entry;

	while (entries && (entry = readdir(entries)))
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
			strcmp(entry->d_name, name) != 0)
			unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries)
		closedir(entries);
	free(directory);
}

void kernel_cache_write(const char *path, const char *text, size_t size)
{
	struct new_file file;

	if (new_file_open(&file, path, NULL) < 0)
		return;
	if (new_file_write(&file, text, size, NULL) == 0)
		new_file_commit(&file, NULL);
	new_file_close(&file);
	drop_others(path);
}
