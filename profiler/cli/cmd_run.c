#include "cli/command.h"
#include "cli/message.h"
#include "cli/recording.h"
#include "cli/recording_info.h"
#include "cli/signals.h"
#include "collect/tracee.h"

#include <errno.h>

extern const struct command cmd_run;

static const struct option_set option_set = {
	&cmd_run, "+" RECORDING_SHORT_OPTIONS, recording_long_options, recording_set_option};

struct program_run {
	struct recording recording;
	struct tracee tracee;
	struct tracee_end end;
	bool has_begun, has_ended;
};

/* Everything that can fail before the program runs. */
static int prepare(struct program_run *run, char **argv, struct error *err)
{
	/* First of all, while cprof is small: see tracee.h. */
	if (tracee_prepare(&run->tracee, argv, err) < 0)
		return -1;
	signals_pass_on(&run->tracee.target);
	return recording_open(&run->recording, &run->tracee.target, err);
}

/* The exit status, when the program cannot be started. */
static int start(struct program_run *run, struct error *err)
{
	int cause = 0;

	run->has_begun = tracee_start(&run->tracee, &cause, err) == 0;
	if (run->has_begun)
		return EXIT_GOOD;
	if (cause == 0) /* it did not come to that */
		return EXIT_CPROF_FAILED;
	return cause == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* -1 when cprof failed; the program has gone its way all the same. */
static int record(struct program_run *run, struct error *err)
{
	struct recording *recording = &run->recording;

	if (session_run(recording->session, &run->has_ended, err) < 0)
		return -1;
	if (run->has_ended && tracee_has_ended(&run->tracee, true, &run->end))
		recording_info_end(&recording->profile, &run->end);
	return recording_finish(recording, err);
}

/* What the program's exit status was; it may end after its recording. */
static int exit_status(struct program_run *run)
{
	tracee_has_ended(&run->tracee, true, &run->end);
	return tracee_exit_status(&run->end);
}

static int prepare_and_start(struct program_run *run, int argc, char **argv, struct error *err)
{
	struct recording *recording = &run->recording;

	if (prepare(run, argv, err) < 0)
		return EXIT_CPROF_FAILED;
	recording_info_command(&recording->profile, recording->options->label, argc, argv);
	recording_info_machine(&recording->profile);
	return start(run, err);
}

static int run_program(const struct recording_options *options, int argc, char **argv)
{
	struct program_run run = {
		.tracee = {.target.pid_fd = -1, .start_fd = -1, .failure_fd = -1}};
	struct error err = {0};
	int status, own_status = EXIT_GOOD;

	recording_init(&run.recording, options);
	status = prepare_and_start(&run, argc, argv, &err);
	if (!run.has_begun) {
		recording_discard(&run.recording);
		message_failed(&err);
	} else {
		if (record(&run, &err) < 0) {
			message_failed(&err);
			own_status = EXIT_CPROF_FAILED;
		}
		status = exit_status(&run);
	}
	recording_close(&run.recording);
	tracee_release(&run.tracee);
	return own_status ? own_status : status;
}

static int run(int argc, char **argv)
{
	struct recording_options options;
	struct error err;
	int status;

	recording_options_init(&options);
	status = options_parse(&option_set, &options, argc, argv);
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
		 "      --backend NAME   how to record: auto (default), perf or ptrace\n"
		 "      --max-overhead PERCENT\n"
		 "                       ptrace: look less often than -F says where the program "
		 "would\n"
		 "                       be slowed down by more than this (default 5)\n"
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
