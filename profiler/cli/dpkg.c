#include "cli/dpkg.h"

#include "base/alloc.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO_DIRECTORY "/var/lib/dpkg/info"

static bool is_list(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".list") == 0;
}

/* /usr/lib and /lib are one directory now, and packages name either. */
static const char *without_usr(const char *path)
{
	return strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
}

static bool list_has(const char *list, const char *path)
{
	char file_name[512], *line = NULL;
	size_t size = 0;
	ssize_t length;
	bool found = false;
	FILE *file;

	snprintf(file_name, sizeof(file_name), "%s/%s", INFO_DIRECTORY, list);
	file = fopen(file_name, "re");
	while (file && !found && (length = getline(&line, &size, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		found = strcmp(without_usr(line), path) == 0;
	}
	if (file)
		fclose(file);
	free(line);
	return found;
}

char *dpkg_package_of(const char *path)
{
	DIR *directory = opendir(INFO_DIRECTORY);
	struct dirent *entry;
	char *package = NULL;

	while (directory && !package && (entry = readdir(directory)))
		if (is_list(entry->d_name) && list_has(entry->d_name, without_usr(path)))
			package = alloc_string(entry->d_name);
	if (directory)
		closedir(directory);
	if (package)
		package[strcspn(package, ":") < strlen(package) ? strcspn(package, ":")
								: strlen(package) - 5] = '\0';
	return package;
}
