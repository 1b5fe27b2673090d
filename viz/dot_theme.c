#include "viz/dot_theme.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define THEME_COUNT (sizeof(themes) / sizeof(themes[0]))

static const struct dot_theme themes[] = {
	{"color", {2.0 / 3, 0.80, 0.25}, {0, 1, 0.5}, 1.0, 10, 10, 0.5, 4, false},
	{"pink", {0, 1, 0.90}, {0, 1, 0.5}, 2.2, 10, 10, 0.5, 4, false},
	{"gray", {0, 0, 0.85}, {0, 0, 0}, 2.2, 10, 10, 0.5, 4, false},
	{"bw", {0, 0, 0}, {0, 0, 0}, 2.2, 8, 24, 0.1, 8, false},
	{"print", {0, 0, 0}, {0, 0, 0}, 2.2, 18, 30, 0.1, 8, true},
};

const struct dot_theme *dot_theme_find(const char *name, struct error *err)
{
	char known[128] = "";

	if (!name)
		return &themes[0];
	for (size_t i = 0; i < THEME_COUNT; i++) {
		size_t used = strlen(known);

		if (strcmp(themes[i].name, name) == 0)
			return &themes[i];
		snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", themes[i].name);
	}
	error_set(err, "unknown colour map '%s': known ones are %s", name, known);
	return NULL;
}

void dot_theme_color(const struct dot_theme *theme, double weight, double skew, char color[8])
{
	double place = weight < 0 ? 0 : weight > 1 ? 1 : weight;
	struct hsl mixed;

	if (skew > 0 && skew != 1)
		place = (pow(skew, place) - 1) / (skew - 1);
	mixed = color_between(&theme->cold, &theme->hot, place);
	color_text(&mixed, theme->gamma, color);
}

double dot_theme_font_size(const struct dot_theme *theme, double weight)
{
	return fmax(weight * weight * theme->greatest_font, theme->least_font);
}

double dot_theme_pen_width(const struct dot_theme *theme, double weight)
{
	return fmax(weight * theme->greatest_pen, theme->least_pen);
}

double dot_theme_arrow_size(double pen_width)
{
	return 0.5 * sqrt(pen_width);
}
