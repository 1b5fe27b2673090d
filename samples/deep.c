/*
 * Stacks that are much deeper than what can be copied of them with a sample:
 *
 *     main -> descend -> descend -> ... 10,000 times ... -> bottom
 *
 * Each level works a little on the way down, the bottom as long as all of them, and each level
 * again on the way back. See one chain: every stack reach main, and no branch. `deep LEVELS
 * SECONDS` goes so deep (10000) and takes so much CPU time (0.9); `deep LEVELS SECONDS BYTES` has a
 * local array of so many bytes in each frame (0), which may be more than a sample can hold.
 */
#include <alloca.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds = 0.9;
static size_t room_bytes;
static int levels = 10000;

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static __attribute__((noipa)) uint64_t work(uint64_t value, int rounds)
{
	for (int i = 0; i < rounds; i++)
		value = value * 6364136223846793005 + 1442695040888963407;
	return value;
}

/* How many rounds take so much CPU time. */
static double rounds_in(double wanted_seconds)
{
	enum { PROBE = 10000000 };
	double start = cpu_seconds();
	volatile uint64_t value = work(1, PROBE);

	(void)value;
	return wanted_seconds * PROBE / (cpu_seconds() - start);
}

static __attribute__((noipa)) uint64_t bottom(uint64_t value, double rounds)
{
	for (; rounds > 0; rounds -= 100000)
		value = work(value, 100000);
	return value;
}

static __attribute__((noipa)) uint64_t descend(int level, uint64_t value, double rounds)
{
	uint8_t *room = room_bytes ? alloca(room_bytes) : NULL;

	value = work(value, (int)(rounds / levels));
	if (room)
		memset(room, (int)value, room_bytes);
	value = level > 1 ? descend(level - 1, value, rounds) : bottom(value, rounds);
	value = work(value, (int)(rounds / levels));
	return room ? value + room[value % room_bytes] : value;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		levels = atoi(argv[1]);
	if (argc > 2)
		seconds = atof(argv[2]);
	if (argc > 3)
		room_bytes = strtoul(argv[3], NULL, 10);
	if (levels < 1 || !(seconds > 0 && seconds <= 3600)) {
		fprintf(stderr, "usage: deep [LEVELS [SECONDS of CPU time [BYTES in a frame]]]\n");
		return 2;
	}
	printf("%llu\n", (unsigned long long)descend(levels, 1, rounds_in(seconds / 3)));
	return 0;
}
