#include "cli/command.h"
#include "cli/message.h"
#include "cli/recording.h"
#include "cli/recording_info.h"
#include "cli/signals.h"

#include <limits.h>
#include <stdlib.h>

extern const struct command cmd_attach;

static const struct option_set option_set = {
	&cmd_attach, RECORDING_SHORT_OPTIONS, recording_long_options, recording_set_option};

/* A pid behind *at, which is moved behind its digits; 0: there is none. */
static pid_t take_pid(const char **at)
{
	char *end;
	unsigned long pid;

	if (**at < '1' || **at > '9')
		return 0;
	pid = strtoul(*at, &end, 10);
	*at = end;
	return pid <= INT_MAX ? (pid_t)pid : 0;
}

/* PID or PID:TID */
static bool parse_target(const char *text, pid_t *pid, pid_t *tid)
{
	*pid = take_pid(&text);
	*tid = 0;
	if (*pid && *text == ':') {
		text++;
		*tid = take_pid(&text);
		return *tid && !*text;
	}
	return *pid && !*text;
}

static int record(struct recording *recording, const struct target *target, struct error *err)
{
	const struct recording_options *options = recording->options;
	bool has_ended;

	if (recording_open(recording, target, err) < 0) {
		recording_discard(recording);
		return -1;
	}
	recording_info_attached(&recording->profile, options->label, target);
	recording_info_machine(&recording->profile);
	if (session_run(recording->session, &has_ended, err) < 0)
		return -1;
	return recording_finish(recording, err);
}

static int attach(const struct recording_options *options, pid_t pid, pid_t tid)
{
	struct recording recording;
	struct target target;
	struct error err;
	int status = EXIT_GOOD;

	recording_init(&recording, options);
	if (target_attach(&target, pid, tid, &err) < 0)
		return message_failed(&err);
	signals_end_recording();
	if (record(&recording, &target, &err) < 0)
		status = message_failed(&err);
	recording_close(&recording);
	target_release(&target);
	return status;
}

static int run(int argc, char **argv)
{
	struct recording_options options;
	struct error err;
	pid_t pid, tid;
	int status;

	recording_options_init(&options);
	status = options_parse(&option_set, &options, argc, argv);
	if (status >= 0)
		return status;
	if (argc - optind != 1)
		error_set(&err, "needs one process to record: PID, or PID:TID for a thread of it");
	else if (!parse_target(argv[optind], &pid, &tid))
		error_set(&err,
			"'%s' is neither a process's number nor PID:TID; `pgrep -a NAME` finds it",
			argv[optind]);
	else
		return attach(&options, pid, tid);
	return message_usage("attach", &err);
}

const struct command cmd_attach = {
	.name = "attach",
	.summary = "record a process that runs already",
	.usage = "usage: cprof attach [options] PID[:TID]\n"
		 "\n"
		 "Records where process PID, its threads and the children that it has from now\n"
		 "on spend their time, or thread TID alone, until Ctrl-C or the process's end.\n"
		 "The process is left as it was. For root, and for the user that it belongs to.\n"
		 "\n"
		 "  -o, --output FILE    write the profile to FILE (default out.prof)\n"
		 "  -F, --rate HZ        samples a second of CPU time (default 999)\n"
		 "      --backend NAME   how to record: auto (default), perf or ptrace\n"
		 "      --max-overhead PERCENT\n"
		 "                       ptrace: look less often than -F says where the program "
		 "would\n"
		 "                       be slowed down by more than this (default 5)\n"
		 "      --label LABEL    name of the run (default: the process's name and PID)\n"
		 "      --duration S     stop recording after S seconds\n"
		 "      --wait           when PID has ended, record until its last child has, too\n"
		 "      --no-timeline    keep totals only, not when each sample was: a smaller "
		 "file\n"
		 "      --print          print the table of functions afterwards\n"
		 "  -q, --quiet          no summary\n"
		 "  -h, --help           show this help\n",
	.run = run,
};
