#include "base/escape.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/message.h"
#include "cli/options.h"

#include <stdio.h>

extern const struct command cmd_doctor;

#define STATE_WIDTH 9
#define NAME_WIDTH  17

static const char *const state_names[DOCTOR_STATE_COUNT] = {
	[DOCTOR_YES] = "yes",
	[DOCTOR_NO] = "no",
	[DOCTOR_LIMITED] = "limited",
};

static void print_detail(const char *label, const char *text)
{
	if (!text[0])
		return;
	printf("%*s%s", STATE_WIDTH + NAME_WIDTH, "", label);
	escape_write(stdout, text);
	putchar('\n');
}

static void print_check(const struct doctor *doctor, const struct check *check)
{
	struct finding finding = {.text = ""};

	check->run(doctor, &finding);
	printf("%-*s%-*s%s\n", STATE_WIDTH, state_names[finding.state], NAME_WIDTH, check->name,
		check->needed_for);
	print_detail("  ", finding.text);
	print_detail(finding.state == DOCTOR_LIMITED ? "  allow more: " : "  allow it: ",
		finding.remedy);
}

static bool print_machine(void)
{
	struct doctor doctor;
	char text[1024];
	bool can_record = doctor_can_record(text, sizeof(text));

	printf("cprof %s here, ", can_record ? "can record" : "cannot record");
	escape_write(stdout, text);
	puts("\n");
	printf("%-*s%-*s%s\n", STATE_WIDTH, "WORKS", NAME_WIDTH, "WHAT", "NEEDED FOR");
	fflush(stdout); /* checks fork */
	doctor_init(&doctor);
	for (size_t i = 0; i < doctor_check_count; i++) {
		print_check(&doctor, &doctor_checks[i]);
		fflush(stdout);
	}
	return can_record;
}

static int set_option(void *target, int option, const char *value, struct error *err)
{
	(void)target, (void)option, (void)value;
	return error_set(err, "unknown option");
}

static const struct option long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const struct option_set option_set = {&cmd_doctor, "h", long_options, set_option};

static int run(int argc, char **argv)
{
	int status = options_parse(&option_set, NULL, argc, argv);
	struct error err;

	if (status >= 0)
		return status;
	if (argc - optind > 1) {
		error_set(&err, "looks at one program at a time");
		return message_usage("doctor", &err);
	}
	if (optind < argc)
		return doctor_print_program(argv[optind], &err) < 0 ? message_failed(&err)
								    : EXIT_GOOD;
	return print_machine() ? EXIT_GOOD : EXIT_FAILED;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "what this machine allows, and what is known of a program",
	.usage =
		"usage: cprof doctor [PROGRAM | PID]\n"
		"\n"
		"Tries what recording needs, and says for each thing what it is needed for and\n"
		"how to allow it. With PROGRAM, a path or a name in PATH, or PID, a process: what\n"
		"is known of it and of its libraries (names, source lines, unwind tables), and\n"
		"how to get more. PROGRAM is not run. The exit status is 0 when cprof can record\n"
		"here, else 1.\n"
		"\n"
		"  -h, --help           show this help\n",
	.run = run,
};
