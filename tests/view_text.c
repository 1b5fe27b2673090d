#include "view_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void view_profile(struct profile *profile, const char *folded)
{
	struct error err;

	ck_assert_msg(profile_from_folded(profile, folded, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < profile->modules.items.count; i++) {
		struct module *module = &profile->modules.items.items[i];

		if (strcmp(strings_get(&profile->strings, module->name), "program") == 0)
			module->flags |= MODULE_IS_PROGRAM;
	}
}

static int write_view(const char *view, const struct profile *const profiles[], size_t count,
	const struct view_options *options, char **text, struct error *err)
{
	const struct exporter *exporter = exporter_find(view, err);
	size_t size;
	FILE *out = open_memstream(text, &size);
	int result;

	ck_assert_msg(exporter != NULL, "%s", err->text);
	ck_assert_ptr_nonnull(out);
	result = exporter->write(profiles, count, options, out, err);
	fclose(out);
	return result;
}

char *view_text_of(const char *view, const struct profile *const profiles[], size_t count,
	const struct view_options *options)
{
	struct error err = {""};
	char *text;

	ck_assert_msg(write_view(view, profiles, count, options, &text, &err) == 0, "%s", err.text);
	return text;
}

char *view_text(const char *view, const char *folded, const struct view_options *options)
{
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	char *text;

	view_profile(&profile, folded);
	text = view_text_of(view, profiles, 1, options);
	profile_release(&profile);
	return text;
}

char *view_error(const char *view, const char *folded, const struct view_options *options)
{
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	struct error err = {""};
	char *text;

	view_profile(&profile, folded);
	ck_assert_int_eq(write_view(view, profiles, 1, options, &text, &err), -1);
	ck_assert_msg(text[0] == '\0', "a failing view wrote: %s", text);
	ck_assert_str_ne(err.text, "");
	free(text);
	profile_release(&profile);
	return strdup(err.text);
}

void assert_contains(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%s", part, text);
}

void assert_lacks(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in:\n%s", part, text);
}

size_t occurrences(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

char *piped(const char *command, const char *text)
{
	char path[] = "/tmp/cprof-check-XXXXXX", *line = NULL, *output = NULL;
	int file = mkstemp(path), status;
	size_t size = 0, length = strlen(text);
	FILE *pipe;

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, text, length), (ssize_t)length);
	close(file);
	ck_assert_int_gt(asprintf(&line, "%s < %s", command, path), 0);
	pipe = popen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	if (getdelim(&output, &size, '\0', pipe) < 0) {
		free(output);
		output = strdup("");
	}
	status = pclose(pipe);
	unlink(path);
	free(line);
	if (status == 0)
		return output;
	free(output);
	return NULL;
}
