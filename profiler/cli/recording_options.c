#include "cli/recording_options.h"

#include "cli/arguments.h"
#include "cli/reading.h"
#include "cli/signals.h"

#define RATE_DEFAULT	 999
#define RATE_MAX	 100000
#define OVERHEAD_DEFAULT 5 /* per cent */

enum {
	OPTION_BACKEND = OPTION_OF_COMMAND,
	OPTION_MAX_OVERHEAD,
	OPTION_LABEL,
	OPTION_DURATION,
	OPTION_WAIT,
	OPTION_NO_TIMELINE,
	OPTION_PRINT
};

const struct option recording_long_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"output", required_argument, NULL, 'o'},
	{"rate", required_argument, NULL, 'F'},
	{"backend", required_argument, NULL, OPTION_BACKEND},
	{"max-overhead", required_argument, NULL, OPTION_MAX_OVERHEAD},
	{"label", required_argument, NULL, OPTION_LABEL},
	{"duration", required_argument, NULL, OPTION_DURATION},
	{"wait", no_argument, NULL, OPTION_WAIT},
	{"no-timeline", no_argument, NULL, OPTION_NO_TIMELINE},
	{"print", no_argument, NULL, OPTION_PRINT},
	{"quiet", no_argument, NULL, 'q'},
	{0},
};

void recording_options_init(struct recording_options *options)
{
	*options = (struct recording_options){
		.output = DEFAULT_PROFILE,
		.session = {.record = {.backend = "auto",
				    .rate_hz = RATE_DEFAULT,
				    .max_overhead_percent = OVERHEAD_DEFAULT},
			.has_timeline = true,
			.stop = &signals_stop},
	};
}

static int set_rate(struct recording_options *options, const char *value, struct error *err)
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

static int set_duration(struct recording_options *options, const char *value, struct error *err)
{
	double seconds;

	if (option_number("--duration", value, 0.001, 1e9, &seconds, err) < 0)
		return -1;
	options->session.duration_ns = (uint64_t)(seconds * 1e9);
	return 0;
}

int recording_set_option(void *target, int option, const char *value, struct error *err)
{
	struct recording_options *options = target;

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
	case OPTION_MAX_OVERHEAD:
		return option_number("--max-overhead", value, 0.01, 100,
			&options->session.record.max_overhead_percent, err);
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
