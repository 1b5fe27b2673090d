#include "collect/exec_maps.h"

#include "base/clock.h"
#include "base/hash.h"
#include "collect/proc_maps.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Reading may take this part of the time while it finds something, as when a program begins and
 * maps its libraries, and ever less when it does not: some code runs in memory that is not there
 * any more.
 */
#define COST_PART     4
#define READ_AGAIN_NS 100000u
#define MISSES_MAX    12

/* They are read again when their process is twice as old, since most map most at the start. */
#define STALE_AFTER_NS 1000000000u

void exec_maps_clear(struct exec_maps *maps)
{
	maps->items.count = 0;
	maps->due_ns = maps->stale_ns = maps->begin_ns = 0;
	maps->misses = 0;
}

void exec_maps_copy(struct exec_maps *to, const struct exec_maps *from)
{
	array_reserve(&to->items, from->items.count);
	if (from->items.count)
		memcpy(to->items.items, from->items.items,
			from->items.count * sizeof(*from->items.items));
	to->items.count = from->items.count;
	to->due_ns = from->due_ns;
	to->begin_ns = from->begin_ns;
	to->stale_ns = from->stale_ns;
}

void exec_maps_release(struct exec_maps *maps)
{
	array_release(&maps->items);
}

static const struct exec_map *find(const struct exec_maps *maps, uint64_t ip)
{
	size_t low = 0, high = maps->items.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct exec_map *map = &maps->items.items[middle];

		if (ip < map->address)
			high = middle;
		else if (ip - map->address >= map->length)
			low = middle + 1;
		else
			return map;
	}
	return NULL;
}

bool exec_maps_is_due(const struct exec_maps *maps, uint64_t ip, uint64_t now_ns)
{
	return now_ns >= maps->stale_ns || (now_ns >= maps->due_ns && !find(maps, ip));
}

struct reading {
	struct exec_maps new;
	const struct exec_maps *old;
	const char *program; /* the mappings of this file only, or ... */
	const char *but;     /* ... all but those of this one */
	bool found_new;
	exec_maps_visit *visit;
	void *context;
};

static struct exec_map map_of(const struct event_mmap *mapping)
{
	return (struct exec_map){.address = mapping->address,
		.length = mapping->length,
		.offset = mapping->offset,
		.path_hash = hash_bytes(mapping->path, strlen(mapping->path))};
}

static bool is_known(const struct exec_maps *maps, const struct exec_map *map)
{
	const struct exec_map *known = find(maps, map->address);

	return known && known->address == map->address && known->length == map->length &&
	       known->offset == map->offset && known->path_hash == map->path_hash;
}

static void take(void *context, const struct event_mmap *mapping)
{
	struct reading *reading = context;
	struct exec_map map = map_of(mapping);

	*array_add(&reading->new.items) = map;
	if (reading->program && strcmp(mapping->path, reading->program) != 0)
		return;
	if (reading->but && strcmp(mapping->path, reading->but) == 0)
		return;
	if (is_known(reading->old, &map))
		return;
	reading->found_new = true;
	reading->visit(reading->context, mapping);
}

static bool program_of(uint32_t pid, char path[PATH_MAX])
{
	char link[32];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%u/exe", pid);
	length = readlink(link, path, PATH_MAX - 1);
	if (length <= 0)
		return false;
	path[length] = '\0';
	return true;
}

/* Where the program was mapped above its libraries it still comes first. */
static void tell_program(struct reading *reading, uint32_t pid, char program[PATH_MAX])
{
	if (reading->old->items.count > 0 || !program_of(pid, program))
		return;
	reading->program = program;
	proc_maps_of(pid, take, reading);
	reading->new.items.count = 0;
	reading->program = NULL;
	reading->but = program;
}

static uint64_t age_of(const struct exec_maps *maps, uint64_t now_ns)
{
	uint64_t age_ns = now_ns - maps->begin_ns;

	return age_ns < STALE_AFTER_NS ? age_ns : STALE_AFTER_NS;
}

void exec_maps_read(struct exec_maps *maps, uint32_t pid, exec_maps_visit *visit, void *context)
{
	struct reading reading = {.old = maps, .visit = visit, .context = context};
	uint64_t start_ns = clock_now_ns(), end_ns;
	char program[PATH_MAX];

	tell_program(&reading, pid, program);
	proc_maps_of(pid, take, &reading);
	end_ns = clock_now_ns();
	array_release(&maps->items);
	reading.new.misses = reading.found_new ? 0 : maps->misses + (maps->misses < MISSES_MAX);
	reading.new.due_ns =
		end_ns + ((READ_AGAIN_NS + COST_PART * (end_ns - start_ns)) << reading.new.misses);
	reading.new.begin_ns = maps->begin_ns ? maps->begin_ns : start_ns;
	reading.new.stale_ns = reading.new.due_ns + age_of(&reading.new, end_ns);
	*maps = reading.new;
}

void exec_maps_suspect(struct exec_maps *maps)
{
	maps->stale_ns = maps->due_ns;
}
