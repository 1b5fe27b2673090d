#include "cli/recording_info.h"

#include "base/alloc.h"
#include "cli/run_record.h"
#include "collect/proc_tasks.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static bool is_plain(const char *word)
{
	return *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-+=./:,@%") == strlen(word);
}

/* The words as a shell would have to be told them: 'it'\''s'. Caller frees. */
static char *quote_command(int argc, char **argv)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	for (int i = 0; i < argc; i++) {
		if (i)
			fputc(' ', out);
		if (is_plain(argv[i])) {
			fputs(argv[i], out);
			continue;
		}
		fputc('\'', out);
		for (const char *at = argv[i]; *at; at++)
			if (*at == '\'')
				fputs("'\\''", out);
			else
				fputc(*at, out);
		fputc('\'', out);
	}
	fclose(out);
	return text;
}

void recording_info_command(struct profile *profile, const char *label, int argc, char **argv)
{
	char *command = quote_command(argc, argv), *default_label = run_label_default(argc, argv);

	profile->info.command = strings_intern(&profile->strings, command);
	profile->info.label = strings_intern(&profile->strings, label ? label : default_label);
	free(command);
	free(default_label);
}

void recording_info_machine(struct profile *profile)
{
	struct profile_info *info = &profile->info;
	struct strings *strings = &profile->strings;
	char *directory = info->directory ? NULL : getcwd(NULL, 0);
	struct utsname names;
	struct timespec now;

	info->version = strings_intern(strings, CPROF_VERSION);
	if (uname(&names) == 0) {
		info->host = strings_intern(strings, names.nodename);
		info->kernel = strings_intern(strings, names.release);
	}
	if (directory)
		info->directory = strings_intern(strings, directory);
	info->cpu_count = sysconf(_SC_NPROCESSORS_ONLN);
	clock_gettime(CLOCK_REALTIME, &now);
	info->start_unix_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	free(directory);
}

/* The executable that the first process ran last. */
/* The words of /proc/PID/cmdline, each with its NUL; the caller frees both. */
static char *read_words(pid_t pid, char ***words, int *count)
{
	char path[32], *text = NULL;
	size_t size = 0;
	ssize_t length;
	FILE *file;

	*words = alloc_zeroed(1, sizeof(**words));
	*count = 0;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	length = getdelim(&text, &size, EOF, file);
	fclose(file);
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(text + at) + 1) {
		*words = alloc_resized(*words, *count + 1, sizeof(**words));
		(*words)[(*count)++] = text + at;
	}
	return text;
}

/* The name that the kernel knows the process by, which is never empty. */
static void read_name(pid_t pid, char *name, size_t size)
{
	struct proc_task task = {.name = "?"};

	proc_task_read((uint32_t)pid, (uint32_t)pid, &task);
	snprintf(name, size, "%s", task.name);
}

static string_id working_directory(struct strings *strings, pid_t pid)
{
	char path[32], directory[PATH_MAX];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	length = readlink(path, directory, sizeof(directory) - 1);
	directory[length > 0 ? length : 0] = '\0';
	return strings_intern(strings, directory);
}

void recording_info_attached(
	struct profile *profile, const char *label, const struct target *target)
{
	char name[64], default_label[96], *name_word = name, **words, *text, *command;
	int count;

	read_name(target->pid, name, sizeof(name));
	snprintf(default_label, sizeof(default_label), "%s@%d", name, (int)target->pid);
	text = read_words(target->pid, &words, &count);
	command = count ? quote_command(count, words) : quote_command(1, &name_word);
	profile->info.command = strings_intern(&profile->strings, command);
	profile->info.label = strings_intern(&profile->strings, label ? label : default_label);
	profile->info.directory = working_directory(&profile->strings, target->pid);
	profile->info.attached_pid = (uint64_t)target->pid;
	free(command);
	free(words);
	free(text);
}

static void describe_program(struct profile *profile)
{
	char text[BUILD_ID_TEXT_SIZE];
	process_id last;

	if (profile->threads.processes.count == 0)
		return;
	last = threads_last_program(&profile->threads, 1);
	profile->info.program = threads_process(&profile->threads, last)->executable;
	for (module_id id = 1; id <= profile->modules.items.count; id++) {
		const struct module *module = modules_at(&profile->modules, id);

		if (module->path == profile->info.program)
			profile->info.program_build_id = strings_intern(
				&profile->strings, build_id_text(&module->build_id, text));
	}
}

static uint64_t timeval_ns(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

void recording_info_end(struct profile *profile, const struct tracee_end *end)
{
	struct profile_info *info = &profile->info;

	info->user_ns = timeval_ns(end->usage.ru_utime);
	info->system_ns = timeval_ns(end->usage.ru_stime);
	info->peak_rss_bytes = end->peak_rss_bytes;
	info->status = tracee_exit_status(end);
}

static uint64_t own_cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return timeval_ns(usage.ru_utime) + timeval_ns(usage.ru_stime);
}

void recording_info_program(struct profile *profile)
{
	describe_program(profile);
	profile->info.recorder_cpu_ns = own_cpu_ns();
}
