#include "data_set.h"

#include <stdio.h>
#include <string.h>

const struct data_size data_sizes[] = {
	{"s", 1, true},
	{"m", 2, true},
	{"l", 4, false},
	{"xl", 6, false},
	{NULL},
};

const struct data_size *data_size_find(const char *name, struct failure *err)
{
	for (const struct data_size *size = data_sizes; size->name; size++)
		if (!strcmp(size->name, name))
			return size;
	fail(err, "there is no size '%s'; known sizes: s m l xl", name);
	return NULL;
}

static int checked_path(int length, const char *name, struct failure *err)
{
	if (length >= PATH_MAX)
		return fail(err, "the name '%.80s...' is too long for a path; give a shorter one",
			name);
	return 0;
}

int data_set_directory(const char *name, char directory[PATH_MAX], struct failure *err)
{
	const char *parent = strchr(name, '/') ? "" : "data/";
	size_t length = strlen(name);

	while (length > 1 && name[length - 1] == '/')
		length--;
	return checked_path(
		snprintf(directory, PATH_MAX, "%s%.*s", parent, (int)length, name), name, err);
}

int data_set_hdf5_path(const char *directory, char path[PATH_MAX], struct failure *err)
{
	return checked_path(snprintf(path, PATH_MAX, "%s/data.hdf5", directory), directory, err);
}

int data_set_text_path(
	const char *directory, unsigned class, char path[PATH_MAX], struct failure *err)
{
	return checked_path(snprintf(path, PATH_MAX, "%s/probabilities_%u.txt", directory, class),
		directory, err);
}
