#include "symbols/demangle.h"

#include "base/alloc.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>

struct output {
	size_t length;
	jmp_buf too_long;
	char text[DEMANGLED_MAX];
};

/*
 * The demanglers cannot be told to stop, and print for hours what they have been given in 200
 * bytes. They hold no memory of the heap while they print (it is all on their stack), so leaving is
 * safe.
 */
static void append(const char *text, size_t length, void *context)
{
	struct output *output = context;

	if (length > DEMANGLED_MAX - output->length)
		longjmp(output->too_long, 1);
	if (length) /* text may be NULL then */
		memcpy(output->text + output->length, text, length);
	output->length += length;
}

/* Ada's and the linker's own names begin alike; the demangler sorts them out. */
bool is_mangled(const char *name)
{
	return name[0] == '_' && (name[1] == 'Z' || name[1] == 'R');
}

char *demangle(const char *name)
{
	struct output output;
	const int options = DMGL_PARAMS | DMGL_ANSI;

	if (!is_mangled(name))
		return NULL;
	if (setjmp(output.too_long))
		return NULL;
	output.length = 0;
	/* Rust's legacy names are C++ names with a hash at the end: Rust is asked first. */
	if (!rust_demangle_callback(name, options, append, &output)) {
		output.length = 0;
		if (!cplus_demangle_v3_callback(name, options, append, &output))
			return NULL;
	}
	return alloc_string_n(output.text, output.length);
}
