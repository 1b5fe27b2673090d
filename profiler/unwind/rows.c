#include "unwind/rows.h"

static const uint32_t *starts_of(const struct unwind_rows *rows)
{
	return (const uint32_t *)(rows + 1);
}

static const uint32_t *rules_of(const struct unwind_rows *rows)
{
	return starts_of(rows) + rows->row_count;
}

static const void *unit_at(const struct unwind_rows *rows, uint32_t unit)
{
	return (const uint64_t *)(rules_of(rows) + rows->row_count) + unit;
}

/* The number of rows that start at or before `offset`; branch-free, as its outcome is no pattern.
 */
static size_t rows_up_to(const uint32_t *starts, size_t count, uint32_t offset)
{
	const uint32_t *low = starts;

	if (count == 0)
		return 0;
	while (count > 1) {
		size_t half = count / 2;

		low = low[half] <= offset ? low + half : low;
		count -= half;
	}
	return (size_t)(low - starts) + (*low <= offset);
}

const struct unwind_rule *unwind_rows_find(const struct unwind_rows *rows, uint64_t file_addr)
{
	uint64_t offset = file_addr - rows->base;
	size_t found;

	if (offset > UINT32_MAX)
		return unit_at(rows, 0);
	found = rows_up_to(starts_of(rows), rows->row_count, (uint32_t)offset);
	return unit_at(rows, found ? rules_of(rows)[found - 1] : 0);
}

const struct unwind_rule *unwind_rows_at(
	const struct unwind_rows *rows, size_t index, uint64_t *file_addr)
{
	*file_addr = rows->base + starts_of(rows)[index];
	return unit_at(rows, rules_of(rows)[index]);
}

const struct unwind_expression *unwind_rows_expression(const struct unwind_rows *rows, int32_t unit)
{
	return unit_at(rows, (uint32_t)unit);
}

size_t unwind_rows_bytes(const struct unwind_rows *rows)
{
	return sizeof(*rows) + rows->row_count * 2 * sizeof(uint32_t) +
	       rows->unit_count * sizeof(uint64_t);
}
