#include "cli/reading.h"

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "model/profile_file.h"

void reading_init(struct reading *reading)
{
	*reading = (struct reading){.view = view_options_default(), .color = -1};
}

int reading_set(struct reading *reading, int option, const char *value, struct error *err)
{
	switch (option) {
	case 'm':
		reading->view.selection.metric = metric_find(value, err);
		return reading->view.selection.metric < 0 ? -1 : 0;
	case 'o':
		reading->output = value;
		return 0;
	case OPTION_REGION:
		reading->view.selection.region_only = true;
		return 0;
	case OPTION_COLOR:
	case OPTION_NO_COLOR:
		reading->color = option == OPTION_COLOR;
		return 0;
	default:
		return error_set(err, "option %d is not known here", option);
	}
}

int reading_argument(int argc, char **argv, const char **argument, struct error *err)
{
	if (argc - optind > 1)
		return error_set(err, "one profile at a time, not '%s' and '%s'", argv[optind],
			argv[optind + 1]);
	*argument = optind < argc ? argv[optind] : NULL;
	return 0;
}

int reading_write(struct reading *reading, const char *exporter,
	const struct profile *const profiles[], size_t count, struct error *err)
{
	const struct exporter *view = exporter_find(exporter, err);
	struct output output;

	if (!view || output_open(&output, reading->output, err) != 0)
		return -1;
	reading->view.color =
		reading->color >= 0 ? reading->color == 1 : output_wants_color(&output);
	reading->view.columns = output_columns(&output);
	if (view->write(profiles, count, &reading->view, output.file, err) != 0) {
		output_discard(&output);
		return -1;
	}
	return output_close(&output, err);
}

static int show_file(
	struct reading *reading, const char *path, const char *exporter, struct error *err)
{
	struct profile profile;
	const struct profile *const profiles[] = {&profile};
	int result = profile_load(&profile, path, false, NULL, err);

	if (result == 0) {
		reading->view.source_name = path;
		result = reading_write(reading, exporter, profiles, 1, err);
	}
	profile_release(&profile);
	return result;
}

int reading_show(struct reading *reading, const char *argument, const char *exporter)
{
	struct profile_argument found;
	struct error err;
	int result = argument_resolve(&found, argument ? argument : DEFAULT_PROFILE, &err);

	if (result == 0)
		result = show_file(reading, argument_newest(&found), exporter, &err);
	argument_release(&found);
	return result == 0 ? EXIT_GOOD : message_failed(&err);
}
