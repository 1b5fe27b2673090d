/*
 * Numbers that look random and are the same for the same seed on every machine (splitmix64: Steele,
 * Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
 */
#ifndef TARGET_RANDOM_H
#define TARGET_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state; /* the seed */
};

static inline uint64_t random_mix(uint64_t bits)
{
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
	return bits ^ bits >> 31;
}

static inline uint64_t random_next(struct random *random)
{
	return random_mix(random->state += 0x9e3779b97f4a7c15);
}

/* 0 to bound - 1; bound from 1 to 2^32 */
static inline uint32_t random_below(struct random *random, uint64_t bound)
{
	return (random_next(random) >> 32) * bound >> 32;
}

/* 0 up to, not including, 1 */
static inline double random_unit(struct random *random)
{
	return (random_next(random) >> 11) * 0x1p-53;
}

static inline double random_between(struct random *random, double low, double high)
{
	return low + (high - low) * random_unit(random);
}

#endif
