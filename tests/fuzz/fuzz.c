#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of memory, so that a thousand inputs cost no disk. */
void fuzz_file_set(struct fuzz_file *file, const uint8_t *data, size_t size)
{
	if (!file->fd) {
		file->fd = memfd_create("fuzz", MFD_CLOEXEC);
		snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
	}
	if (file->fd < 0 || ftruncate(file->fd, 0) ||
		pwrite(file->fd, data, size, 0) != (ssize_t)size)
		abort();
}

void fuzz_touch(const void *bytes, size_t size)
{
	static volatile uint8_t sum; /* so that no compiler leaves it out */

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
}

/* splitmix64 (Vigna): any state is a good one. */
uint64_t fuzz_random(uint64_t *state, uint64_t below)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (uint64_t)((unsigned __int128)z * below >> 64);
}
