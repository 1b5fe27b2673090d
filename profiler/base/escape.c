#include "base/escape.h"

#include "base/array.h"

#include <string.h>

/* Length of the character that starts with this byte, and the lowest value that needs it. */
static size_t sequence_length(unsigned char first, uint32_t *lowest)
{
	if (first < 0x80)
		return *lowest = 0, 1;
	if (first >= 0xc2 && first < 0xe0)
		return *lowest = 0x80, 2;
	if (first >= 0xe0 && first < 0xf0)
		return *lowest = 0x800, 3;
	if (first >= 0xf0 && first < 0xf5)
		return *lowest = 0x10000, 4;
	return 0;
}

uint32_t escape_next(const char **text)
{
	const unsigned char *byte = (const unsigned char *)*text;
	uint32_t lowest, character;
	size_t length = sequence_length(byte[0], &lowest);

	if (length == 1) {
		*text += byte[0] != '\0';
		return byte[0];
	}
	character = length ? byte[0] & (0x7f >> length) : 0;
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80) { /* also ends at the terminating zero */
			length = 0;
			break;
		}
		character = character << 6 | (byte[i] & 0x3f);
	}
	if (length == 0 || character < lowest || character > 0x10ffff ||
		(character >= 0xd800 && character < 0xe000)) {
		(*text)++;
		return ESCAPE_INVALID | byte[0];
	}
	*text += length;
	return character;
}

/* Characters that are no text: controls, and marks that change how their neighbours are shown. */
bool escape_is_safe(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{0, 0x1f},
		{0x7f, 0x9f},
		{0x61c, 0x61c},	  /* direction marks ... */
		{0x200b, 0x200f}, /* zero width, direction */
		{0x2028, 0x202e}, /* line separators, direction */
		{0x2060, 0x206f},
		{0xfeff, 0xfeff},
		{0xfff9, 0xffff},
		{0xe0000, 0xe0fff}, /* tags */
		{ESCAPE_INVALID, UINT32_MAX},
	};

	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (character >= unsafe[i].first && character <= unsafe[i].last)
			return false;
	return true;
}

size_t escape_encode(uint32_t character, char bytes[5])
{
	size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length; i-- > 1; character >>= 6)
		bytes[i] = (char)(0x80 | (character & 0x3f));
	bytes[0] = (char)(lead[length] | character);
	bytes[length] = '\0';
	return length;
}

/* One character as it is shown; at most 10 bytes and the terminating zero. */
static size_t show(uint32_t character, char shown[12])
{
	if (escape_is_safe(character))
		return escape_encode(character, shown);
	if (character & ESCAPE_INVALID || character < 0x100)
		return (size_t)snprintf(shown, 12, "\\x%02x", character & 0xff);
	if (character < 0x10000)
		return (size_t)snprintf(shown, 12, "\\u%04x", character & 0xffff);
	return (size_t)snprintf(shown, 12, "\\U%06x", character & 0x1fffff);
}

void escape_write(FILE *out, const char *text)
{
	char shown[12];

	while (*text)
		fwrite(shown, 1, show(escape_next(&text), shown), out);
}

char *escape_text(const char *text)
{
	ARRAY(char) copy = {0};
	char shown[12];

	array_reserve(&copy, strlen(text) + 1);
	while (*text) {
		size_t length = show(escape_next(&text), shown);

		array_reserve(&copy, copy.count + length + 1);
		memcpy(copy.items + copy.count, shown, length);
		copy.count += length;
	}
	*array_add(&copy) = '\0';
	return copy.items;
}

static bool starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t escape_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += starts_character(*text);
	return width;
}

char *escape_fit(const char *text, size_t width)
{
	size_t kept = 0;

	if (width == 0 || escape_width(text) <= width)
		return alloc_string(text);
	for (size_t characters = 0; text[kept]; kept++) {
		characters += starts_character(text[kept]);
		if (characters == width)
			break;
	}
	return alloc_format("%.*s…", (int)kept, text);
}
