#include "viz/color.h"

#include <math.h>
#include <stdio.h>

/* One of red, green and blue, whose places on the circle of hues are a third apart (CSS 3, hsl()).
 */
static double channel(const struct hsl *color, double place)
{
	double l = color->lightness, s = color->saturation;
	double m2 = l <= 0.5 ? l * (s + 1) : l + s - l * s, m1 = l * 2 - m2;
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

static unsigned byte_of(double value, double gamma)
{
	double clamped = value < 0 ? 0 : value > 1 ? 1 : value;

	return (unsigned)floor(pow(clamped, gamma) * 255 + 0.5) & 0xff;
}

char *color_text(const struct hsl *color, double gamma, char text[8])
{
	snprintf(text, 8, "#%02x%02x%02x", byte_of(channel(color, 1.0 / 3), gamma),
		byte_of(channel(color, 0), gamma), byte_of(channel(color, -1.0 / 3), gamma));
	return text;
}

struct hsl color_between(const struct hsl *cold, const struct hsl *hot, double weight)
{
	return (struct hsl){
		.hue = cold->hue + (hot->hue - cold->hue) * weight,
		.saturation = cold->saturation + (hot->saturation - cold->saturation) * weight,
		.lightness = cold->lightness + (hot->lightness - cold->lightness) * weight,
	};
}
