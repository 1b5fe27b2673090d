#include "cli/recording.h"

#include "cli/message.h"
#include "cli/progress.h"
#include "cli/reading.h"
#include "cli/recording_info.h"
#include "cli/run_summary.h"
#include "cli/runs.h"
#include "symbols/naming.h"

#include <signal.h>

void recording_init(struct recording *recording, const struct recording_options *options)
{
	*recording = (struct recording){.options = options};
	profile_init(&recording->profile);
}

int recording_open(struct recording *recording, const struct target *target, struct error *err)
{
	const struct recording_options *options = recording->options;

	recording->writer = profile_writer_open(options->output, err);
	if (!recording->writer)
		return -1;
	if (profile_writer_interrupted(recording->writer))
		message_note("an earlier recording was cut off: what it wrote is now %s; make it "
			     "whole with `cprof info --repair`",
			profile_writer_interrupted(recording->writer));
	recording->session = session_open(
		&options->session, target, &recording->profile, recording->writer, err);
	return recording->session ? 0 : -1;
}

void recording_discard(struct recording *recording)
{
	if (recording->writer)
		profile_writer_discard(recording->writer);
	recording->writer = NULL;
}

void recording_close(struct recording *recording)
{
	session_close(recording->session);
	profile_writer_close(recording->writer);
	profile_release(&recording->profile);
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

/* --- the end ---------------------------------------------------------------------------------- */

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

static int finish_file(struct recording *recording, struct error *err)
{
	struct profile *profile = &recording->profile;

	recording_info_program(profile);
	name_frames(recording->session, profile, recording->options->quiet);
	return profile_writer_finish(
		recording->writer, profile, session_timeline(recording->session), err);
}

int recording_finish(struct recording *recording, struct error *err)
{
	if (finish_file(recording, err) < 0)
		return -1;
	keep(recording);
	if (!recording->options->quiet)
		run_summary_print(&recording->profile, recording->options->output);
	return recording->options->print ? print_table(recording, err) : 0;
}
