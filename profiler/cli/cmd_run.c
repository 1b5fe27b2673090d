#include "base/alloc.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/run_summary.h"
#include "cli/runs.h"
#include "collect/session.h"
#include "model/profile_file.h"
#include "symbols/naming.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern const struct command cmd_run;

#define RATE_MAX 100000

enum {
	OPTION_BACKEND = OPTION_OF_COMMAND,
	OPTION_LABEL,
	OPTION_DURATION,
	OPTION_WAIT,
	OPTION_NO_TIMELINE,
	OPTION_PRINT
};

struct run_options {
	const char *output;
	const char *label; /* NULL: made from the command line */
	struct session_options session;
	bool print, quiet;
};

static int set_rate(struct run_options *options, const char *value, struct error *err)
{
	uint64_t rate;

	if (option_count("--rate", value, 1, &rate, err) < 0)
		return -1;
	if (rate > RATE_MAX)
		return error_set(err, "--rate: %s is too much; at most %d samples a second", value,
			RATE_MAX);
	options->session.record.rate_hz = rate;
	return 0;
}

static int set_duration(struct run_options *options, const char *value, struct error *err)
{
	double seconds;

	if (option_number("--duration", value, 0.001, 1e9, &seconds, err) < 0)
		return -1;
	options->session.duration_ns = (uint64_t)(seconds * 1e9);
	return 0;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	struct run_options *options = target;

	switch (option) {
	case 'o':
		options->output = value;
		return 0;
	case 'F':
		return set_rate(options, value, err);
	case 'q':
		options->quiet = true;
		return 0;
	case OPTION_BACKEND:
		options->session.record.backend = value;
		return 0;
	case OPTION_LABEL:
		options->label = value;
		return 0;
	case OPTION_DURATION:
		return set_duration(options, value, err);
	case OPTION_WAIT:
		options->session.wait_for_all = true;
		return 0;
	case OPTION_NO_TIMELINE:
		options->session.has_timeline = false;
		return 0;
	case OPTION_PRINT:
		options->print = true;
		return 0;
	default:
		return error_set(err, "unknown option");
	}
}

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"output", required_argument, NULL, 'o'},
	{"rate", required_argument, NULL, 'F'},
	{"backend", required_argument, NULL, OPTION_BACKEND},
	{"label", required_argument, NULL, OPTION_LABEL},
	{"duration", required_argument, NULL, OPTION_DURATION},
	{"wait", no_argument, NULL, OPTION_WAIT},
	{"no-timeline", no_argument, NULL, OPTION_NO_TIMELINE},
	{"print", no_argument, NULL, OPTION_PRINT},
	{"quiet", no_argument, NULL, 'q'},
	{0},
};

static const struct option_set option_set = {&cmd_run, "+ho:F:q", long_options, set_option};

/* --- signals ---------------------------------------------------------------------------------- */

/* Set before the handlers are, read by them: the program that signals are passed on to. */
static volatile sig_atomic_t program_pid, program_fd;
/* Set by handlers: with the program gone, there is nobody else to heed a wish to end. */
static volatile sig_atomic_t stop_recording;

static bool asks_to_end(int number)
{
	return number != SIGUSR1 && number != SIGUSR2;
}

/*
 * What the terminal sends (Ctrl-C) reaches the program by itself, which decides what becomes of it;
 * the recording goes on until it has. What is sent to cprof alone is passed on. When the program
 * has ended and only descendants are waited for, the recording ends.
 */
static void pass_on(int number, siginfo_t *info, void *context)
{
	bool is_for_us_alone = info->si_code <= 0 && info->si_pid != program_pid;
	int kept = errno;

	(void)context;
	if (syscall(SYS_pidfd_send_signal, program_fd, is_for_us_alone ? number : 0, NULL, 0) < 0 &&
		errno == ESRCH && asks_to_end(number))
		stop_recording = 1;
	errno = kept;
}

/* Writing must fail with an error that can be told, not end the recorder. */
static void ignore_write_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* Once there is a process to pass signals on to, and before anything is made that they would leave
 * behind. */
static void take_signals(const struct tracee *tracee)
{
	static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART};

	program_pid = tracee->pid;
	program_fd = tracee->pid_fd;
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	ignore_write_signals();
}

/* --- what the profile says of the run --------------------------------------------------------- */

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

static void describe_command(
	struct profile *profile, const struct run_options *options, int argc, char **argv)
{
	char *command = quote_command(argc, argv);
	char *label = options->label ? alloc_string(options->label) : run_label_default(argc, argv);

	profile->info.command = strings_intern(&profile->strings, command);
	profile->info.label = strings_intern(&profile->strings, label);
	free(command);
	free(label);
}

static void describe_machine(struct profile *profile)
{
	struct profile_info *info = &profile->info;
	struct strings *strings = &profile->strings;
	char *directory = getcwd(NULL, 0);
	struct utsname names;
	struct timespec now;

	info->version = strings_intern(strings, CPROF_VERSION);
	if (uname(&names) == 0) {
		info->host = strings_intern(strings, names.nodename);
		info->kernel = strings_intern(strings, names.release);
	}
	info->directory = strings_intern(strings, directory);
	info->cpu_count = sysconf(_SC_NPROCESSORS_ONLN);
	clock_gettime(CLOCK_REALTIME, &now);
	info->start_unix_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	free(directory);
}

/* The executable that the first process ran last. */
static void describe_program(struct profile *profile)
{
	char text[BUILD_ID_TEXT_SIZE];

	if (profile->threads.processes.count == 0)
		return;
	profile->info.program = threads_process(&profile->threads, 1)->executable;
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

static void describe_end(struct profile_info *info, const struct tracee_end *end)
{
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

/* --- naming ----------------------------------------------------------------------------------- */

struct name_context {
	const struct images *images;
	struct progress progress;
};

static struct elf_file *file_of_module(void *context, module_id module)
{
	return images_file(((struct name_context *)context)->images, module);
}

static void show_progress(void *context, size_t done, size_t total)
{
	progress_step(&((struct name_context *)context)->progress, done, total);
}

static void name_frames(struct session *session, struct profile *profile, bool quiet)
{
	struct name_context context = {.images = session_images(session)};
	struct naming naming = {
		.file = file_of_module, .progress = show_progress, .context = &context};

	progress_begin(&context.progress, "naming functions", quiet);
	naming_run(&naming, profile);
	progress_end(&context.progress);
}

/* --- the recording ---------------------------------------------------------------------------- */

struct recording {
	const struct run_options *options;
	struct tracee tracee;
	struct tracee_end end;
	bool has_ended;
	struct profile profile;
	struct profile_writer *writer;
	struct session *session;
};

/* Everything that can fail before the program runs. */
static int prepare(struct recording *recording, char **argv, struct error *err)
{
	const struct run_options *options = recording->options;

	/* First of all, while cprof is small: see tracee.h. */
	if (tracee_prepare(&recording->tracee, argv, err) < 0)
		return -1;
	take_signals(&recording->tracee);
	recording->writer = profile_writer_open(options->output, err);
	if (!recording->writer)
		return -1;
	if (profile_writer_interrupted(recording->writer))
		message_note("an earlier recording was cut off: what it wrote is now %s; make it "
			     "whole with `cprof info --repair`",
			profile_writer_interrupted(recording->writer));
	recording->session = session_open(
		&options->session, &recording->tracee, &recording->profile, recording->writer, err);
	return recording->session ? 0 : -1;
}

static void release(struct recording *recording)
{
	session_close(recording->session);
	profile_writer_close(recording->writer);
	profile_release(&recording->profile);
	tracee_release(&recording->tracee);
}

static void discard_file(struct recording *recording)
{
	profile_writer_discard(recording->writer);
	recording->writer = NULL;
}

static int finish_file(struct recording *recording, struct error *err)
{
	struct profile *profile = &recording->profile;

	if (recording->has_ended)
		describe_end(&profile->info, &recording->end);
	describe_program(profile);
	profile->info.recorder_cpu_ns = own_cpu_ns();
	name_frames(recording->session, profile, recording->options->quiet);
	return profile_writer_finish(
		recording->writer, profile, session_timeline(recording->session), err);
}

/* The kept copy is a convenience: a recording is good without it. */
static void keep(const struct recording *recording)
{
	struct error err;

	if (runs_keep(recording->options->output, &recording->profile, &err) < 0)
		message_note("this run is not kept for comparison: %s", err.text);
}

static int print_table(const struct recording *recording, struct error *err)
{
	const struct profile *profile = &recording->profile;
	struct reading reading;

	signal(SIGPIPE, SIG_DFL); /* as the reading commands do: `... | head` */
	reading_init(&reading);
	reading.view.source_name = recording->options->output;
	return reading_write(&reading, "table", &profile, 1, err);
}

/* What the recording gave; 0, or -1 when cprof failed (the program has gone its way all the same).
 */
static int record(struct recording *recording, struct error *err)
{
	bool failed =
		session_run(recording->session, &recording->end, &recording->has_ended, err) < 0;

	if (failed || finish_file(recording, err) < 0)
		return -1;
	keep(recording);
	if (!recording->options->quiet)
		run_summary_print(&recording->profile, recording->options->output);
	return recording->options->print ? print_table(recording, err) : 0;
}

static int start(struct recording *recording, struct error *err)
{
	int cause = 0;

	if (tracee_start(&recording->tracee, &cause, err) == 0)
		return EXIT_GOOD;
	discard_file(recording);
	message_failed(err);
	if (cause == 0) /* it did not come to that */
		return EXIT_CPROF_FAILED;
	return cause == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int fail(struct recording *recording, const struct error *err)
{
	if (recording->writer && !recording->has_ended && recording->tracee.start_fd >= 0)
		discard_file(recording);
	message_failed(err);
	return EXIT_CPROF_FAILED;
}

static int run_program(const struct run_options *options, int argc, char **argv)
{
	struct recording recording = {.options = options,
		.tracee.pid_fd = -1,
		.tracee.start_fd = -1,
		.tracee.failure_fd = -1};
	struct error err = {0};
	int status = EXIT_GOOD;

	profile_init(&recording.profile);
	if (prepare(&recording, argv, &err) < 0) {
		status = fail(&recording, &err);
	} else {
		describe_command(&recording.profile, options, argc, argv);
		describe_machine(&recording.profile);
		status = start(&recording, &err);
		if (status == EXIT_GOOD) {
			if (record(&recording, &err) < 0)
				status = fail(&recording, &err);
			/* A recording may end before its program does. */
			if (!recording.has_ended)
				tracee_has_ended(&recording.tracee, true, &recording.end);
			if (status == EXIT_GOOD)
				status = tracee_exit_status(&recording.end);
		}
	}
	release(&recording);
	return status;
}

static int run(int argc, char **argv)
{
	struct run_options options = {
		.output = "out.prof",
		.session = {.record = {.backend = "auto", .rate_hz = 999},
			.has_timeline = true,
			.stop = &stop_recording},
	};
	struct error err;
	int status = options_parse(&option_set, &options, argc, argv);

	if (status >= 0) /* wrong usage of cprof is cprof's failure: 2 could be the program's */
		return status == EXIT_GOOD ? EXIT_GOOD : EXIT_CPROF_FAILED;
	if (optind == argc) {
		error_set(&err, "no program to run");
		message_usage("run", &err);
		return EXIT_CPROF_FAILED;
	}
	return run_program(&options, argc - optind, argv + optind);
}

const struct command cmd_run = {
	.name = "run",
	.summary = "run a program and record its profile",
	.usage = "usage: cprof run [options] [--] PROGRAM [ARG...]\n"
		 "\n"
		 "Runs PROGRAM and records where it, its threads and its children spend their "
		 "time, on\n"
		 "the CPU and off it, into out.prof. A copy is kept under the run's label for\n"
		 "`cprof diff`. The exit status is the program's own; 125: cprof failed, 126: "
		 "PROGRAM\n"
		 "cannot be run, 127: PROGRAM was not found.\n"
		 "\n"
		 "  -o, --output FILE    write the profile to FILE (default out.prof)\n"
		 "  -F, --rate HZ        samples a second of CPU time (default 999)\n"
		 "      --backend NAME   how to record: auto (default) or perf\n"
		 "      --label LABEL    name of the run (default: the program's arguments)\n"
		 "      --duration S     stop recording after S seconds; the program goes on\n"
		 "      --wait           record until the last descendant has ended, too\n"
		 "      --no-timeline    keep totals only, not when each sample was: a smaller "
		 "file\n"
		 "      --print          print the table of functions afterwards\n"
		 "  -q, --quiet          no summary\n"
		 "  -h, --help           show this help\n",
	.run = run,
};
