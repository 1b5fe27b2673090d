#include "collect/remote_memory.h"

#include <sys/uio.h>

#define PAGE   4096u
#define PIECES 64u

/* At most so many pages at a time; a transfer stops between pieces, so each piece is a page. */
static size_t read_pages(uint32_t pid, uint64_t address, uint8_t *bytes, size_t size)
{
	struct iovec local = {bytes, 0}, remote[PIECES];
	size_t count = 0;
	ssize_t got;

	while (count < PIECES && local.iov_len < size) {
		uint64_t at = address + local.iov_len;
		size_t piece = PAGE - at % PAGE;

		if (piece > size - local.iov_len)
			piece = size - local.iov_len;
		remote[count++] = (struct iovec){(void *)at, piece};
		local.iov_len += piece;
	}
	got = process_vm_readv(pid, &local, 1, remote, count, 0);
	return got > 0 ? got : 0;
}

size_t remote_memory_read(uint32_t pid, uint64_t address, void *bytes, size_t size)
{
	size_t done = 0, got;

	while (done < size) {
		got = read_pages(pid, address + done, (uint8_t *)bytes + done, size - done);
		if (got == 0)
			break;
		done += got;
	}
	return done;
}
