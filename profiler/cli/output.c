#include "cli/output.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new file beside `path`, with the rights of the one that it will replace. */
static int open_beside(struct output *output, const struct stat *old, struct error *err)
{
	mode_t mask = umask(0);
	int descriptor;

	umask(mask);
	output->temporary = alloc_format("%s.XXXXXX", output->path);
	descriptor = mkostemp(output->temporary, O_CLOEXEC);
	if (descriptor < 0) {
		error_set_errno(err, "cannot write %s", output->path);
		free(output->temporary);
		output->temporary = NULL;
		return -1;
	}
	/* Failing that, the file has mkostemp's 0600: narrower than asked, never wider. */
	if (fchmod(descriptor, old ? old->st_mode & 0777 : 0666 & ~mask) != 0)
		errno = 0;
	output->file = fdopen(descriptor, "w");
	return 0;
}

int output_open(struct output *output, const char *path, struct error *err)
{
	struct stat old;
	bool exists;

	*output = (struct output){.file = stdout};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	exists = stat(path, &old) == 0;
	output->file = NULL;
	if (exists && !S_ISREG(old.st_mode)) {
		output->path = alloc_string(path);
		output->file = fopen(path, "we");
		if (!output->file)
			error_set_errno(err, "cannot write %s", path);
	} else {
		/* Through a symbolic link the file that it leads to is replaced, not the link. */
		char *target = exists ? realpath(path, NULL) : NULL;

		output->path = target ? target : alloc_string(path);
		open_beside(output, exists ? &old : NULL, err);
	}
	if (output->file)
		return 0;
	output_discard(output);
	return -1;
}

static void release(struct output *output)
{
	free(output->path);
	free(output->temporary);
	*output = (struct output){0};
}

int output_close(struct output *output, struct error *err)
{
	bool is_stdout = !output->path;
	bool was_good = !ferror(output->file);
	int result = 0;

	errno = was_good ? 0 : errno;
	if (fflush(output->file) != 0 || !was_good)
		result = error_set_errno(
			err, "cannot write %s", is_stdout ? "standard output" : output->path);
	if (!is_stdout && fclose(output->file) != 0 && result == 0)
		result = error_set_errno(err, "cannot write %s", output->path);
	if (result == 0 && output->temporary && rename(output->temporary, output->path) != 0)
		result = error_set_errno(err, "cannot write %s", output->path);
	if (result != 0 && output->temporary)
		unlink(output->temporary);
	release(output);
	return result;
}

void output_discard(struct output *output)
{
	if (output->path && output->file)
		fclose(output->file);
	if (output->temporary)
		unlink(output->temporary);
	release(output);
}

bool output_is_terminal(const struct output *output)
{
	return isatty(fileno(output->file));
}

bool output_wants_color(const struct output *output)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (no_color && no_color[0])
		return false;
	return output_is_terminal(output) && terminal && strcmp(terminal, "dumb") != 0;
}

bool output_has_unicode(void)
{
	/* Only the encoding: a decimal comma would break numbers in files. */
	setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

size_t output_columns(const struct output *output)
{
	struct winsize size;

	if (!output_is_terminal(output) || ioctl(fileno(output->file), TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}
