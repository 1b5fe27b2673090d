#include "collect/growing_file.h"

#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (64u << 10)

void growing_file_init(struct growing_file *file, int fd)
{
	*file = (struct growing_file){.fd = fd};
}

void growing_file_release(struct growing_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	array_release(&file->bytes);
	growing_file_init(file, -1);
}

static void drop_taken(struct growing_file *file)
{
	file->bytes.count -= file->taken;
	if (file->bytes.count)
		memmove(file->bytes.items, file->bytes.items + file->taken, file->bytes.count);
	file->taken = 0;
}

bool growing_file_read(struct growing_file *file, size_t wanted)
{
	size_t before;
	ssize_t got = 1;

	if (file->fd < 0)
		return false;
	drop_taken(file);
	before = file->bytes.count;
	wanted = wanted > before + BLOCK_BYTES ? wanted : before + BLOCK_BYTES;
	while (file->bytes.count < wanted && got > 0) {
		array_reserve(&file->bytes, file->bytes.count + BLOCK_BYTES);
		got = pread(
			file->fd, file->bytes.items + file->bytes.count, BLOCK_BYTES, file->offset);
		if (got > 0) {
			file->bytes.count += got;
			file->offset += got;
		}
	}
	return file->bytes.count > before;
}

bool growing_file_was_replaced(const struct growing_file *file)
{
	struct stat status;

	return fstat(file->fd, &status) == 0 &&
	       (status.st_nlink == 0 || (uint64_t)status.st_size < file->offset);
}
