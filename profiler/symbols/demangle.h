/*
 * demangle: the names of C++ and Rust functions as their authors wrote them, by libiberty.
 *
 *     _ZN3foo3barEi            ->  foo::bar(int)
 *     _ZN4core3fmt5Write...E   ->  core::fmt::Write::write_fmt
 *     main                     ->  NULL: not mangled
 *
 * A short mangled name can stand for one of gigabytes (substitutions of substitutions): beyond
 * DEMANGLED_MAX bytes demangling is given up.
 */
#pragma once

#include <stdbool.h>

#define DEMANGLED_MAX 16384

/* The demangled name, which the caller frees; NULL: not a mangled name. */
char *demangle(const char *name);

/* Does the name look mangled? */
bool is_mangled(const char *name);
