#include "model/build_id.h"

const char *build_id_text(const struct build_id *id, char text[BUILD_ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *end = text;

	for (unsigned i = 0; i < id->length; i++) {
		*end++ = digits[id->bytes[i] >> 4];
		*end++ = digits[id->bytes[i] & 15];
	}
	*end = '\0';
	return text;
}
