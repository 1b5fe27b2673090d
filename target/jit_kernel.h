/*
 * The kernel of v5, built as a syntax tree and compiled to machine code while the program runs, for
 * the very processor that it runs on (libgccjit's documentation: "Tutorial part 3: Loops and
 * variables"). The colours of the classes are constants in it and the loop over the classes is
 * unrolled.
 */
#ifndef TARGET_JIT_KERNEL_H
#define TARGET_JIT_KERNEL_H

#include "failure.h"

#include <stddef.h>
#include <stdint.h>

/* Four probabilities in, three bytes out for each of `pixels` pixels, both without gaps. */
typedef void jit_colorcode(const double *probabilities, size_t pixels, uint8_t *rgb);

struct jit_kernel;

/* Compiles the kernel. NULL with err when libgccjit cannot, as without an assembler. */
struct jit_kernel *jit_kernel_compile(struct failure *err);

/* The machine code; borrowed until the kernel is freed. */
jit_colorcode *jit_kernel_code(const struct jit_kernel *kernel);

/* Accepts NULL. */
void jit_kernel_free(struct jit_kernel *kernel);

#endif
