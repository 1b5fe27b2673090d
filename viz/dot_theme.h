/*
 * dot_theme: gprof2dot's colour maps: from a weight (a share, 0 to 1) to colour and sizes.
 *
 * Colours are interpolated in hue, saturation and lightness between those of the weights 0 and 1.
 */
#pragma once

#include "base/error.h"
#include "viz/color.h"

#include <stdbool.h>

struct dot_theme {
	const char *name;
	struct hsl cold, hot; /* of the weights 0 and 1 */
	double gamma;
	double least_font, greatest_font; /* points */
	double least_pen, greatest_pen;
	bool is_outlined; /* boxes are frames, not filled */
};

/* By name; NULL and an error that names the known ones. */
const struct dot_theme *dot_theme_find(const char *name, struct error *err);

/* "#ff0000" for the weight; a skew below 1 sets light weights apart, one above 1 heavy ones. */
void dot_theme_color(const struct dot_theme *theme, double weight, double skew, char color[8]);

double dot_theme_font_size(const struct dot_theme *theme, double weight);
double dot_theme_pen_width(const struct dot_theme *theme, double weight);
double dot_theme_arrow_size(double pen_width);
