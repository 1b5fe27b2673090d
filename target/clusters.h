/*
 * Classes for a picture of which nothing is known: its pixels in four groups of like colour
 * (k-means on the slightly smoothed picture), the lightest group first.
 */
#ifndef TARGET_CLUSTERS_H
#define TARGET_CLUSTERS_H

#include "picture.h"

#include <stdint.h>

/* Fills classes (height * width bytes) with each pixel's group. */
void clusters_find(uint64_t seed, const struct picture *picture, uint8_t *classes);

#endif
