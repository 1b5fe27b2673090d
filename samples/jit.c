/*
 * Code that is made at run time, always at the same address, so that it is another function each
 * time:
 *
 *     main -> made_first      a third
 *          -> made_second     a third, at the same address
 *     main -> made_in_child   a third, at the same address in a child process
 *
 * `jit map` tells their names in /tmp/perf-PID.map, which is removed at the end; `jit dump` in
 * ./jit-PID.dump, with lines of made.js; `jit late` as dump, but only when all is over; `jit none`
 * tells nothing.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS	   ((void *)0x210000000)
#define SIZE	   4096
#define SECONDS	   0.4
#define DUMP_BYTES 65536

static const char *mode;
static FILE *told;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

static int is_dump(void)
{
	return !strcmp(mode, "dump") || !strcmp(mode, "late");
}

/* A jitdump is mapped as code, so that profilers see it. */
static void begin_dump(void)
{
	struct {
		uint32_t magic, version, size, machine, reserved, pid;
		uint64_t time, flags;
	} header = {0x4a695444, 1, sizeof(header), 62, 0, getpid(), now_ns(), 0};
	static char buffer[DUMP_BYTES];
	char name[64];

	snprintf(name, sizeof(name), "jit-%d.dump", getpid());
	told = fopen(name, "w+");
	if (!told ||
		mmap(NULL, SIZE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(told), 0) == MAP_FAILED)
		exit(1);
	if (!strcmp(mode, "late"))
		setvbuf(told, buffer, _IOFBF, sizeof(buffer));
	fwrite(&header, sizeof(header), 1, told);
}

static void begin_telling(void)
{
	char name[64];

	told = NULL;
	if (is_dump())
		begin_dump();
	if (!strcmp(mode, "map")) {
		snprintf(name, sizeof(name), "/tmp/perf-%d.map", getpid());
		told = fopen(name, "w");
	}
}

static void end_telling(void)
{
	char name[64];

	if (told)
		fclose(told);
	snprintf(name, sizeof(name), "/tmp/perf-%d.map", getpid());
	if (!strcmp(mode, "map"))
		unlink(name);
}

static void tell_dump(const char *name, uint32_t line, const uint8_t *code, uint64_t size)
{
	struct {
		uint32_t id, size;
		uint64_t time, address, count, line_address;
		uint32_t line, discriminator;
		char file[8];
	} debug = {2, sizeof(debug), now_ns(), (uintptr_t)code, 1, (uintptr_t)code, line, 0,
		"made.js"};
	struct {
		uint32_t id, size;
		uint64_t time;
		uint32_t pid, tid;
		uint64_t vma, address, size_of_code, index;
	} load = {0, sizeof(load) + strlen(name) + 1 + size, now_ns(), getpid(), getpid(),
		(uintptr_t)code, (uintptr_t)code, size, line};

	fwrite(&debug, sizeof(debug), 1, told);
	fwrite(&load, sizeof(load), 1, told);
	fwrite(name, strlen(name) + 1, 1, told);
	fwrite(code, size, 1, told);
}

static void tell(const char *name, uint32_t line, const uint8_t *code, uint64_t size)
{
	if (!told)
		return;
	if (is_dump())
		tell_dump(name, line, code, size);
	else
		fprintf(told, "%lx %lx %s\n", (long)code, (long)size, name);
	if (strcmp(mode, "late"))
		fflush(told);
}

/* for (ecx = 20000; ecx; ecx--) ; */
static const uint8_t loop[] = {0xb9, 0x20, 0x4e, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xc3};

static void run(uint8_t *memory, const char *name, uint32_t line)
{
	double start = now();

	memcpy(memory, loop, sizeof(loop));
	tell(name, line, memory, sizeof(loop));
	while (now() - start < SECONDS)
		((void (*)(void))memory)();
}

int main(int argc, char **argv)
{
	uint8_t *memory = mmap(ADDRESS, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	pid_t child;

	mode = argc > 1 ? argv[1] : "map";
	if (memory == MAP_FAILED)
		return 1;
	begin_telling();
	run(memory, "made_first", 10);
	run(memory, "made_second", 20);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		begin_telling();
		run(memory, "made_in_child", 30);
		end_telling();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	end_telling();
	return 0;
}
