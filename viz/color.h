/*
 * color: hue, saturation and lightness (each 0 to 1; the hue 0 is red, 1/3 green, 2/3 blue) as the
 * colours of pictures.
 */
#pragma once

struct hsl {
	double hue, saturation, lightness;
};

/* "#ff0000"; gamma 1 leaves the colour as it is. */
char *color_text(const struct hsl *color, double gamma, char text[8]);

/* The colour on the way from cold (weight 0) to hot (1). */
struct hsl color_between(const struct hsl *cold, const struct hsl *hot, double weight);
