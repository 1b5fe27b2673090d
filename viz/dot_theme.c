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

static double clamp(double number, double least, double greatest)
{
	return number < least ? least : number > greatest ? greatest : number;
}

/* One of red, green, blue: the CSS3 algorithm of hsl(), with the channel's place on the circle. */
static double channel(const struct hsl *color, double place)
{
	double m2 = color->lightness <= 0.5 ? color->lightness * (color->saturation + 1)
					    : color->lightness + color->saturation -
						      color->lightness * color->saturation;
	double m1 = color->lightness * 2 - m2;
	double hue = color->hue + place;

	hue -= floor(hue);
	if (hue * 6 < 1)
		return m1 + (m2 - m1) * hue * 6;
	if (hue * 2 < 1)
		return m2;
	if (hue * 3 < 2)
		return m1 + (m2 - m1) * (2.0 / 3 - hue) * 6;
	return m1;
}

static unsigned byte_of(const struct dot_theme *theme, const struct hsl *color, double place)
{
	double value = clamp(channel(color, place), 0, 1);

	return (unsigned)floor(pow(value, theme->gamma) * 255 + 0.5);
}

static double between(double cold, double hot, double weight)
{
	return cold + (hot - cold) * weight;
}

void dot_theme_color(const struct dot_theme *theme, double weight, double skew, char color[8])
{
	double w = clamp(weight, 0, 1);
	struct hsl mixed;

	if (skew > 0 && skew != 1)
		w = (pow(skew, w) - 1) / (skew - 1);
	mixed.hue = between(theme->cold.hue, theme->hot.hue, w);
	mixed.saturation = between(theme->cold.saturation, theme->hot.saturation, w);
	mixed.lightness = between(theme->cold.lightness, theme->hot.lightness, w);
	snprintf(color, 8, "#%02x%02x%02x", byte_of(theme, &mixed, 1.0 / 3) & 0xff,
		byte_of(theme, &mixed, 0) & 0xff, byte_of(theme, &mixed, -1.0 / 3) & 0xff);
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
