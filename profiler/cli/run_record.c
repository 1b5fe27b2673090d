#include "cli/run_record.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- label and command ------------------------------------------------------------------------ */

static char *joined(int count, char **words)
{
	size_t size = 1;
	char *text, *end;

	for (int i = 0; i < count; i++)
		size += strlen(words[i]) + 1;
	text = end = alloc_bytes(size);
	*end = '\0';
	for (int i = 0; i < count; i++)
		end = stpcpy(stpcpy(end, i ? " " : ""), words[i]);
	return text;
}

char *run_label_default(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (argc > 1)
		return joined(argc - 1, argv + 1);
	return alloc_string(slash ? slash + 1 : argv[0]);
}

const char *command_arguments(const char *command)
{
	const char *at = command;
	char quote = '\0';

	for (; *at && (quote || *at != ' '); at++) {
		if (*at == quote)
			quote = '\0';
		else if (!quote && (*at == '\'' || *at == '"'))
			quote = *at;
		else if (*at == '\\' && quote != '\'' && at[1])
			at++;
	}
	return at + strspn(at, " ");
}

bool run_repeats(const struct run *a, const struct run *b)
{
	/* Without a build-id the program's path is all that tells programs apart. */
	bool same_program = strcmp(a->program_build_id, b->program_build_id) == 0 &&
			    (a->program_build_id[0] || strcmp(a->program, b->program) == 0);

	return same_program && strcmp(a->label, b->label) == 0 &&
	       strcmp(command_arguments(a->command), command_arguments(b->command)) == 0 &&
	       a->metrics == b->metrics && a->rate_asked_hz == b->rate_asked_hz &&
	       strcmp(a->host, b->host) == 0;
}

/* --- the text --------------------------------------------------------------------------------- */

struct run_field {
	const char *name;
	size_t offset;
	bool is_text;
};

#define TEXT(field)                                       \
	{                                                 \
#field, offsetof(struct run, field), true \
	}
#define NUMBER(field)                                      \
	{                                                  \
#field, offsetof(struct run, field), false \
	}

static const struct run_field run_fields[] = {
	TEXT(label),
	TEXT(command),
	TEXT(program),
	TEXT(program_build_id),
	TEXT(host),
	NUMBER(metrics),
	NUMBER(rate_asked_hz),
	NUMBER(start_unix_ns),
	NUMBER(elapsed_ns),
	NUMBER(peak_rss_bytes),
	NUMBER(samples),
};
#define RUN_FIELD_COUNT (sizeof(run_fields) / sizeof(run_fields[0]))

static char **text_of(struct run *run, const struct run_field *field)
{
	return (char **)((char *)run + field->offset);
}

static uint64_t *number_of(struct run *run, const struct run_field *field)
{
	return (uint64_t *)((char *)run + field->offset);
}

void run_release(struct run *run)
{
	free(run->path);
	for (size_t i = 0; i < RUN_FIELD_COUNT; i++)
		if (run_fields[i].is_text)
			free(*text_of(run, &run_fields[i]));
	*run = (struct run){0};
}

static uint64_t profile_samples(const struct profile *profile)
{
	uint64_t samples = 0;

	for (size_t i = 0; i < profile->counts.count; i++)
		samples += profile->counts.items[i].value[METRIC_SAMPLES];
	return samples;
}

static char *profile_text(const struct profile *profile, string_id id)
{
	return alloc_string(strings_get(&profile->strings, id));
}

void run_of_profile(struct run *run, const struct profile *profile)
{
	const struct profile_info *info = &profile->info;

	*run = (struct run){
		.label = profile_text(profile, info->label),
		.command = profile_text(profile, info->command),
		.program = profile_text(profile, info->program),
		.program_build_id = profile_text(profile, info->program_build_id),
		.host = profile_text(profile, info->host),
		.metrics = info->metrics,
		.rate_asked_hz = info->rate_asked_hz,
		.start_unix_ns = info->start_unix_ns,
		.elapsed_ns = info->elapsed_ns,
		.peak_rss_bytes = info->peak_rss_bytes,
		.samples = profile_samples(profile),
	};
}

/* One line: a newline in the value is "\n", a backslash "\\". */
static void write_text(FILE *file, const char *name, const char *value)
{
	fprintf(file, "%s ", name);
	for (; *value; value++) {
		if (*value == '\n' || *value == '\\')
			putc('\\', file);
		putc(*value == '\n' ? 'n' : *value, file);
	}
	putc('\n', file);
}

void run_write(FILE *file, struct run *run)
{
	for (size_t i = 0; i < RUN_FIELD_COUNT; i++) {
		const struct run_field *field = &run_fields[i];

		if (field->is_text)
			write_text(file, field->name, *text_of(run, field));
		else
			fprintf(file, "%s %" PRIu64 "\n", field->name, *number_of(run, field));
	}
}

static char *unescaped(const char *value)
{
	char *text = alloc_string(value), *to = text;

	for (const char *from = value; *from; from++) {
		if (*from == '\\' && from[1])
			*to++ = *++from == 'n' ? '\n' : *from;
		else
			*to++ = *from;
	}
	*to = '\0';
	return text;
}

static void read_field(struct run *run, char *line)
{
	char *space = strchr(line, ' ');

	if (!space)
		return;
	*space = '\0';
	for (size_t i = 0; i < RUN_FIELD_COUNT; i++) {
		const struct run_field *field = &run_fields[i];

		if (strcmp(field->name, line) != 0)
			continue;
		if (!field->is_text) {
			*number_of(run, field) = strtoull(space + 1, NULL, 10);
		} else {
			free(*text_of(run, field));
			*text_of(run, field) = unescaped(space + 1);
		}
	}
}

static bool is_complete(struct run *run)
{
	for (size_t i = 0; i < RUN_FIELD_COUNT; i++)
		if (run_fields[i].is_text && !*text_of(run, &run_fields[i]))
			return false;
	return true;
}

bool run_read(struct run *run, FILE *file)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;

	*run = (struct run){0};
	while ((length = getline(&line, &capacity, file)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		read_field(run, line);
	}
	free(line);
	if (is_complete(run))
		return true;
	run_release(run);
	return false;
}
