#include "elf/debug_data.h"

#include "base/bytes.h"

#include <lzma.h>

#define STEP_BYTES (1u << 20)

/* What the decoder itself may use: xz's highest preset needs 65 MiB. */
#define DECODER_BYTES (128u << 20)

/* What is decompressed grows with what is there, never with what a header claims. */
static lzma_ret decompress(const struct elf_section *section, struct bytes *bytes)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret result = lzma_stream_decoder(&stream, DECODER_BYTES, 0);

	stream.next_in = section->bytes;
	stream.avail_in = section->size;
	while (result == LZMA_OK && bytes->count < DEBUG_DATA_MAX) {
		array_reserve(bytes, bytes->count + STEP_BYTES);
		stream.next_out = bytes->items + bytes->count;
		stream.avail_out = STEP_BYTES;
		result = lzma_code(&stream, LZMA_FINISH);
		bytes->count += STEP_BYTES - stream.avail_out;
	}
	lzma_end(&stream);
	return result;
}

struct elf_file *debug_data_open(const struct elf_file *file)
{
	struct bytes bytes = {0};
	struct elf_section section;
	struct elf_file *inner = NULL;

	if (!elf_file_section(file, ".gnu_debugdata", &section) || !section.size)
		return NULL;
	if (decompress(&section, &bytes) == LZMA_STREAM_END)
		inner = elf_file_from_memory(bytes.items, bytes.count, elf_file_name(file), NULL);
	array_release(&bytes);
	return inner;
}
