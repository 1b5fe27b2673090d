/*
 * mutate: runs a fuzz target on changed seeds, the same ones each time.
 *
 *     fuzz_NAME [--mutations N] [--first K] [--seconds S] [--save FILE] SEED...
 *     fuzz_NAME --replay FILE...
 *
 * Mutation K is made of K alone (and the seeds, in the order of their names), so each can be made
 * again. They run in a child: when it dies, or takes longer than S seconds for one, the parent says
 * which mutation did it, writes its input to FILE (default fuzz_NAME.failed), and exits with 1.
 */
#include "fuzz.h"

#include "base/array.h"

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MAX  (256u << 10) /* a seed may be so long, and what becomes of it */
#define CHANGES	   6		/* of one mutation, at most */
#define LEAK_EVERY 200		/* looking for leaks takes milliseconds */
#define LEAKED	   23

#pragma weak LLVMFuzzerCustomMutator

/* No input makes a reader ask for so much at once, or hold so much. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "max_allocation_size_mb=256:hard_rss_limit_mb=1024:detect_leaks=1:leak_check_at_"
	       "exit="
	       "0:quarantine_size_mb=16:handle_abort=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

int __lsan_do_recoverable_leak_check(void);

struct seed {
	uint8_t *bytes;
	size_t size;
};

static ARRAY(struct seed) seeds;
static uint64_t state; /* of the random numbers of one mutation */

static uint64_t below(uint64_t limit)
{
	return fuzz_random(&state, limit);
}

/* --- one change -------------------------------------------------------------------------------
 * Each gets an input of at least one byte and returns its new size. */

static size_t flip_bit(uint8_t *data, size_t size, size_t max)
{
	(void)max;
	data[below(size)] ^= (uint8_t)(1 << below(8));
	return size;
}

static size_t set_byte(uint8_t *data, size_t size, size_t max)
{
	(void)max;
	data[below(size)] = (uint8_t)below(256);
	return size;
}

/* A length, an offset or a count, as large as it gets or just beside what is right. */
static size_t set_number(uint8_t *data, size_t size, size_t max)
{
	static const uint64_t numbers[] = {0, 1, 2, 4, 8, 16, 0x7f, 0x80, 0xff, 0x7fff, 0x8000,
		0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, INT64_MAX,
		UINT64_C(1) << 63, UINT64_MAX};
	size_t width = (size_t)1 << below(4), at;
	uint64_t number = numbers[below(sizeof(numbers) / sizeof(*numbers))];

	(void)max;
	if (width > size)
		return size;
	at = below(size - width + 1);
	if (below(4) == 0)
		number = below(2) ? size - at : size;
	memcpy(data + at, &number, width);
	return size;
}

static size_t add_to_number(uint8_t *data, size_t size, size_t max)
{
	size_t width = (size_t)1 << below(4), at;
	uint64_t number = 0;

	(void)max;
	if (width > size)
		return size;
	at = below(size - width + 1);
	memcpy(&number, data + at, width);
	number += below(65) - 32;
	memcpy(data + at, &number, width);
	return size;
}

/* Short blocks mostly. */
static size_t block_size(size_t limit)
{
	size_t size = below(4) ? 1 + below(16) : 1 + below(limit);

	return size < limit ? size : limit;
}

static size_t copy_block(uint8_t *data, size_t size, size_t max)
{
	size_t length = block_size(size), from = below(size - length + 1);

	(void)max;
	memmove(data + below(size - length + 1), data + from, length);
	return size;
}

static size_t remove_block(uint8_t *data, size_t size, size_t max)
{
	size_t length = block_size(size), from = below(size - length + 1);

	(void)max;
	memmove(data + from, data + from + length, size - from - length);
	return size - length;
}

static size_t insert_block(uint8_t *data, size_t size, size_t max)
{
	size_t length = block_size(size), from = below(size - length + 1), at = below(size + 1);

	if (length > max - size)
		return size;
	memmove(data + at + length, data + at, size - at);
	if (from < at) /* else it has moved, or is what was made room in: any bytes will do */
		memmove(data + at, data + from, length);
	return size + length;
}

/* 0xff and 0x80: numbers of variable length that do not end; 0: texts and tables that do. */
static size_t fill_block(uint8_t *data, size_t size, size_t max)
{
	static const uint8_t values[] = {0, 0x80, 0xff, 'A'};
	size_t length = block_size(size);

	(void)max;
	memset(data + below(size - length + 1), values[below(4)], length);
	return size;
}

static size_t cut(uint8_t *data, size_t size, size_t max)
{
	(void)data, (void)max;
	return below(size + 1);
}

/* The rest comes from another seed. */
static size_t splice(uint8_t *data, size_t size, size_t max)
{
	const struct seed *other = &seeds.items[below(seeds.count)];
	size_t at = below(size + 1), from = below(other->size + 1), length = other->size - from;

	if (length > max - at)
		length = max - at;
	memcpy(data + at, other->bytes + from, length);
	return at + length;
}

static size_t (*const changes[])(uint8_t *, size_t, size_t) = {flip_bit, set_byte, set_byte,
	set_number, set_number, set_number, add_to_number, add_to_number, copy_block, remove_block,
	insert_block, fill_block, cut, splice};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	size_t count = 1 + below(CHANGES), kinds = sizeof(changes) / sizeof(*changes);

	for (size_t i = 0; i < count; i++) {
		if (size == 0 && max) {
			data[0] = 0;
			size = 1;
		}
		if (size)
			size = changes[below(kinds)](data, size, max);
	}
	return size;
}

/* --- one mutation ------------------------------------------------------------------------------
 */

/* The first ones are the seeds themselves. */
static size_t make_input(uint8_t *data, uint64_t number)
{
	const struct seed *seed;
	size_t size;

	state = number * UINT64_C(0xd1342543de82ef95);
	seed = &seeds.items[number < seeds.count ? number : below(seeds.count)];
	size = seed->size;
	if (size)
		memcpy(data, seed->bytes, size);
	if (number < seeds.count)
		return size;
	if (LLVMFuzzerCustomMutator)
		return LLVMFuzzerCustomMutator(
			data, size, INPUT_MAX, (unsigned int)below(UINT32_MAX));
	return LLVMFuzzerMutate(data, size, INPUT_MAX);
}

/* In memory of exactly its size, so that a byte read beside it is noticed. */
static void run_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = alloc_bytes(size ? size : 1);

	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

struct options {
	uint64_t first, count;
	unsigned int seconds;
	const char *save;
};

static void run_all(const struct options *options, volatile uint64_t *number)
{
	uint8_t *data = alloc_bytes(INPUT_MAX);

	for (uint64_t i = 0; i < options->count; i++) {
		*number = options->first + i;
		alarm(options->seconds);
		run_input(data, make_input(data, *number));
		if ((i % LEAK_EVERY == LEAK_EVERY - 1 || i == options->count - 1) &&
			__lsan_do_recoverable_leak_check())
			_exit(LEAKED);
	}
	_exit(0); /* the child's buffers are the parent's too */
}

/* --- the program -------------------------------------------------------------------------------
 */

static void say_why(int status, uint64_t number)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fprintf(stderr, "mutation %llu: takes too long\n", (unsigned long long)number);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "mutation %llu: %s\n", (unsigned long long)number,
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == LEAKED)
		fprintf(stderr, "mutation %llu, or one of the %d before it: leaks\n",
			(unsigned long long)number, LEAK_EVERY);
	else
		fprintf(stderr, "mutation %llu: exit status %d\n", (unsigned long long)number,
			WEXITSTATUS(status));
}

static void save_input(const char *path, uint64_t number)
{
	uint8_t *data = alloc_bytes(INPUT_MAX);
	size_t size = make_input(data, number);
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		perror(path);
	else
		fprintf(stderr, "its input is %s: again with --replay\n", path);
	free(data);
}

static int run(const struct options *options)
{
	uint64_t *number = mmap(
		NULL, sizeof(*number), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t child;

	if (number == MAP_FAILED || (child = fork()) < 0) {
		perror("fuzz");
		return 1;
	}
	if (child == 0)
		run_all(options, number);
	if (waitpid(child, &status, 0) != child)
		return 1;
	if (status == 0) {
		printf("%llu mutations of %zu seeds\n", (unsigned long long)options->count,
			seeds.count);
		return 0;
	}
	say_why(status, *number);
	save_input(options->save, *number);
	return 1;
}

static bool read_seed(const char *path)
{
	struct seed seed = {.bytes = alloc_bytes(INPUT_MAX)};
	FILE *file = fopen(path, "r");

	if (!file) {
		perror(path);
		return false;
	}
	seed.size = fread(seed.bytes, 1, INPUT_MAX, file);
	fclose(file);
	*array_add(&seeds) = seed;
	return true;
}

static int replay(void)
{
	for (size_t i = 0; i < seeds.count; i++)
		run_input(seeds.items[i].bytes, seeds.items[i].size);
	return __lsan_do_recoverable_leak_check() ? LEAKED : 0;
}

static int usage(const char *name)
{
	fprintf(stderr,
		"usage: %s [--mutations N] [--first K] [--seconds S] [--save FILE] SEED...\n"
		"       %s --replay FILE...\n",
		name, name);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {{"mutations", required_argument, NULL, 'n'},
		{"first", required_argument, NULL, 'f'}, {"seconds", required_argument, NULL, 't'},
		{"save", required_argument, NULL, 's'}, {"replay", no_argument, NULL, 'r'}, {0}};
	char *save = alloc_format("%s.failed", argv[0]);
	struct options options = {.count = 1000, .seconds = 20, .save = save};
	bool is_replay = false, is_good = true;
	int option, status = 2;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'n':
			options.count = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			options.first = strtoull(optarg, NULL, 10);
			break;
		case 't':
			options.seconds = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 's':
			options.save = optarg;
			break;
		case 'r':
			is_replay = true;
			break;
		default:
			is_good = false;
		}
	}
	for (; optind < argc; optind++)
		is_good = read_seed(argv[optind]) && is_good;
	if (!is_good || !seeds.count)
		usage(argv[0]);
	else
		status = is_replay ? replay() : run(&options);
	for (size_t i = 0; i < seeds.count; i++)
		free(seeds.items[i].bytes);
	array_release(&seeds);
	free(save);
	return status;
}
