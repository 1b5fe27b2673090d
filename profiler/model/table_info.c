/*
 * What the recording is: which metrics were measured, and the fields of profile_info.
 */
#include "model/table.h"

/* --- metrics: flags, length, name of each, in the order of their bits ------------------------ */

#define METRIC_IS_MEASURED 1

static bool put_metrics(
	struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	bool is_written = writer->info_is_known && writer->info.metrics == profile->info.metrics;

	if (is_written || writer->next > 0)
		return false;
	writer->next = 1;
	table_put_head(out, METRIC_COUNT, METRIC_COUNT);
	EACH(i, METRIC_COUNT)
	{
		bytes_put_number(out, profile_has(profile, i) ? METRIC_IS_MEASURED : 0);
		bytes_put_number(out, strlen(metrics[i].name));
		bytes_put(out, metrics[i].name, strlen(metrics[i].name));
	}
	return true;
}

static unsigned metric_by_name(const uint8_t *name, size_t length)
{
	unsigned metric = 0;

	while (metric < METRIC_COUNT && (strlen(metrics[metric].name) != length ||
						memcmp(metrics[metric].name, name, length) != 0))
		metric++;
	return metric;
}

static void get_metrics(struct tables_reader *reader)
{
	uint64_t size;
	size_t count = table_get_head(reader, 2, 1, &size);

	if (count > FILE_METRICS_MAX || size != count) {
		table_fail(reader, "too many metrics");
		return;
	}
	reader->profile->info.metrics = 0;
	reader->metric_count = count;
	EACH(i, count)
	{
		uint64_t flags = cursor_number(reader->cursor);
		size_t length = cursor_number(reader->cursor);
		const uint8_t *name = cursor_take(reader->cursor, length);

		reader->metric_of[i] = name ? metric_by_name(name, length) : METRIC_COUNT;
		if (reader->metric_of[i] < METRIC_COUNT && flags & METRIC_IS_MEASURED)
			reader->profile->info.metrics |= METRIC_BIT(reader->metric_of[i]);
	}
}

const struct table table_metrics = {"METR", put_metrics, get_metrics};

/* --- info: length, name, kind and value of each field that changed --------------------------- */

enum field_kind { FIELD_NUMBER, FIELD_STRING };

static uint64_t field_value(const struct profile_info *info, const struct profile_field *field)
{
	const char *at = (const char *)info + field->offset;

	return field->is_string ? *(const string_id *)at : *(const uint64_t *)at;
}

static bool field_is_to_be_written(const struct tables_writer *writer,
	const struct profile *profile, const struct profile_field *field)
{
	return !writer->info_is_known ||
	       field_value(&writer->info, field) != field_value(&profile->info, field);
}

static bool put_info(struct tables_writer *writer, const struct profile *profile, struct bytes *out)
{
	size_t count = 0;

	EACH(i, profile_field_count)
	count += field_is_to_be_written(writer, profile, &profile_fields[i]);
	if (count == 0)
		return false;
	table_put_head(out, count, count);
	EACH(i, profile_field_count)
	{
		const struct profile_field *field = &profile_fields[i];

		if (!field_is_to_be_written(writer, profile, field))
			continue;
		bytes_put_number(out, strlen(field->name));
		bytes_put(out, field->name, strlen(field->name));
		bytes_put_number(out, field->is_string ? FIELD_STRING : FIELD_NUMBER);
		bytes_put_number(out, field_value(&profile->info, field));
	}
	writer->info = profile->info;
	writer->info_is_known = true;
	return true;
}

static const struct profile_field *field_by_name(const uint8_t *name, size_t length)
{
	EACH(i, profile_field_count)
	if (strlen(profile_fields[i].name) == length &&
		memcmp(profile_fields[i].name, name, length) == 0)
		return &profile_fields[i];
	return NULL;
}

static void set_field(struct tables_reader *reader, const struct profile_field *field,
	uint64_t kind, uint64_t value)
{
	char *at = (char *)&reader->profile->info + field->offset;

	if ((kind == FIELD_STRING) != field->is_string)
		table_fail(reader, "a field of another kind");
	else if (!field->is_string)
		*(uint64_t *)at = value;
	else if (value > reader->profile->strings.items.count)
		table_fail(reader, "a text that is not there");
	else
		*(string_id *)at = value;
}

static void get_info(struct tables_reader *reader)
{
	uint64_t size;
	size_t count = table_get_head(reader, 3, 64, &size);

	EACH(i, count)
	{
		size_t length = cursor_number(reader->cursor);
		const uint8_t *name = cursor_take(reader->cursor, length);
		const struct profile_field *field = name ? field_by_name(name, length) : NULL;
		uint64_t kind = cursor_number(reader->cursor);
		uint64_t value = cursor_number(reader->cursor);

		if (field && !reader->cursor->damaged)
			set_field(reader, field, kind, value);
	}
}

const struct table table_info = {"INFO", put_info, get_info};
