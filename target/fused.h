/*
 * The hand-written kernel of v6 (whole image) and v7 (chunks): one pass, no temporaries.
 */
#ifndef TARGET_FUSED_H
#define TARGET_FUSED_H

#include <stddef.h>
#include <stdint.h>

/* Colours `pixels` pixels: four probabilities in, three bytes out, both without gaps. */
void fused_colorcode(const double *probabilities, size_t pixels, uint8_t *rgb);

#endif
