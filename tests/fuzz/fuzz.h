/*
 * fuzz: what the fuzz targets of this directory and their two drivers agree on.
 *
 * A target, fuzz_NAME.c, feeds one reader with one input, by libFuzzer's interface. It is linked
 * with libFuzzer (`make fuzz`), or with mutate.c, which changes seeds in a reproducible way (`make
 * check`). Where random bytes would not get past a checksum, the target has a mutator of its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Runs the reader on one input; always returns 0. What is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a target that has one: changes the input in place and returns its new size, at most max. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

/* Of the driver: the usual changes, for the use of such a mutator. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* Of a target: bytes as a file that has a path; the same one is used again by the next call. */
struct fuzz_file {
	int fd; /* 0: not made yet */
	char path[32];
};

void fuzz_file_set(struct fuzz_file *file, const uint8_t *data, size_t size);

/* Reads all of what a reader has handed out. */
void fuzz_touch(const void *bytes, size_t size);

/* A random number below `below` (not 0), by a state that a mutator made of its seed. */
uint64_t fuzz_random(uint64_t *state, uint64_t below);
