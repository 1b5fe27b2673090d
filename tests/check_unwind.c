/*
 * The unwinder on real code: its own process (recursion, signal handlers, callbacks, threads)
 * against glibc's backtrace(), other programs stopped at random against libunwind, and the rows
 * against readelf.
 */
#include "elf/elf_file.h"
#include "program_maps.h"

#include <check.h>
#include <errno.h>
#include <execinfo.h>
#include <libunwind-ptrace.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define MAX_FRAMES  512
#define STACK_BYTES (256 * 1024)

/* --- the own process
 * ------------------------------------------------------------------------------ */

struct stack {
	uint64_t ips[MAX_FRAMES];
	uint8_t flags[MAX_FRAMES];
	uint64_t cfas[MAX_FRAMES];
	struct walk_result result;
	void *expected[MAX_FRAMES]; /* glibc's; [0] is another place of the same function */
	int expected_depth;
};

/* Both unwinders at the same place. Inlined, so that the frame that they start in is the caller's.
 */
#define take_stack(stack)                                                           \
	do {                                                                        \
		ucontext_t context_;                                                \
		getcontext(&context_);                                              \
		(stack)->expected_depth = backtrace((stack)->expected, MAX_FRAMES); \
		walk_own(stack, &context_);                                         \
	} while (0)

static void walk_own(struct stack *stack, const ucontext_t *context)
{
	struct program_maps maps = {0};
	struct walk_registers registers;
	uint8_t *copy = alloc_bytes(STACK_BYTES);

	program_registers_from_context(&registers, context);
	program_maps_read(&maps, getpid());
	const struct walk_source source = {
		.find_module = program_maps_find,
		.read_word = program_maps_read_word,
		.context = &maps,
		.stack = copy,
		.stack_address = registers.r[UNWIND_RSP],
		.stack_bytes = program_maps_copy(&maps, registers.r[UNWIND_RSP], copy, STACK_BYTES),
	};
	stack->result = (struct walk_result){.flags = stack->flags, .cfas = stack->cfas};
	unwinder_walk(&source, NULL, &registers, stack->ips, MAX_FRAMES, &stack->result);
	free(copy);
	program_maps_release(&maps);
}

/* The address sanitizer puts a function of its own before backtrace(). */
static void assert_same(const struct stack *stack)
{
	int depth = (int)stack->result.depth, wrappers = stack->expected_depth - depth;

	ck_assert_int_eq(stack->result.end, WALK_ROOTED);
	ck_assert_int_ge(wrappers, 0);
	ck_assert_int_le(wrappers, 1);
	for (int i = 1; i < depth; i++)
		ck_assert_msg(stack->ips[i] == (uint64_t)(uintptr_t)stack->expected[i + wrappers],
			"frame %d of %d is %#lx, not %p", i, depth, (unsigned long)stack->ips[i],
			stack->expected[i + wrappers]);
}

static void assert_no_guess(const struct stack *stack)
{
	ck_assert_int_eq(stack->result.any_flags & WALK_GUESSED, 0);
}

/* Compilers must neither inline these nor turn their last call into a jump. */
#define FRAME  __attribute__((noinline, noipa))
#define keep() __asm__ volatile("" ::: "memory")

static struct stack taken;

static FRAME int recursion(int depth)
{
	char room[128];

	__asm__ volatile("" : : "r"(room) : "memory");
	if (depth == 0)
		take_stack(&taken);
	else
		recursion(depth - 1);
	keep();
	return depth;
}

START_TEST(test_recursion)
{
	recursion(100);
	assert_same(&taken);
	assert_no_guess(&taken);
	ck_assert_uint_gt(taken.result.depth, 101);
	ck_assert_int_eq(taken.flags[0], 0);
	ck_assert_int_eq(taken.flags[1], WALK_RETURN);
	for (size_t i = 1; i + 1 < taken.result.depth; i++)
		ck_assert_uint_gt(taken.cfas[i], taken.cfas[i - 1]);
}
END_TEST

/* A frame that realigns its stack, and one of variable size: CFAs by rbp and in memory. */
static FRAME int variable(int size)
{
	char *room = __builtin_alloca((size_t)size);
	char aligned[64] __attribute__((aligned(64)));

	__asm__ volatile("" : : "r"(room), "r"(aligned) : "memory");
	take_stack(&taken);
	keep();
	return room == &aligned[0];
}

START_TEST(test_variable_frames)
{
	variable(100);
	assert_same(&taken);
	assert_no_guess(&taken);
}
END_TEST

static FRAME int compare_items(const void *a, const void *b)
{
	if (taken.result.depth == 0)
		take_stack(&taken);
	keep();
	return *(const int *)a - *(const int *)b;
}

START_TEST(test_callback_from_libc)
{
	int items[] = {3, 1, 2, 5, 4};

	taken.result.depth = 0;
	qsort(items, 5, sizeof(items[0]), compare_items);
	assert_same(&taken);
	assert_no_guess(&taken);
}
END_TEST

static FRAME void *thread_body(void *argument)
{
	recursion(3);
	keep();
	return argument;
}

START_TEST(test_thread)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, thread_body, NULL), 0);
	pthread_join(thread, NULL);
	assert_same(&taken);
	assert_no_guess(&taken);
}
END_TEST

static uint64_t interrupted_ip;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	interrupted_ip = (uint64_t)interrupted->uc_mcontext.gregs[REG_RIP];
	take_stack(&taken);
	keep();
}

/* The handler, its trampoline, then exactly the interrupted instruction. */
static void assert_interrupted(void)
{
	assert_same(&taken);
	assert_no_guess(&taken);
	ck_assert_uint_gt(taken.result.depth, 4);
	ck_assert_int_eq(taken.flags[1], WALK_SIGNAL);
	ck_assert_int_eq(taken.flags[2], 0);
	ck_assert_uint_eq(taken.ips[2], interrupted_ip);
	ck_assert_uint_eq(walk_lookup_ip(taken.ips[2], taken.flags[2]), interrupted_ip);
	ck_assert_int_eq(taken.flags[3], WALK_RETURN);
}

START_TEST(test_signal_handler)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	assert_interrupted();
}
END_TEST

/* The alternate stack may lie above or below the interrupted one: the heap's is far below. */
START_TEST(test_alternate_stack)
{
	stack_t alternate = {.ss_sp = alloc_bytes(256 * 1024), .ss_size = 256 * 1024};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	ck_assert_int_eq(sigaltstack(&alternate, NULL), 0);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	assert_interrupted();
	ck_assert_uint_gt(taken.cfas[2], (uint64_t)(uintptr_t)alternate.ss_sp + alternate.ss_size);
	alternate.ss_flags = SS_DISABLE;
	sigaltstack(&alternate, NULL);
	free(alternate.ss_sp);
}
END_TEST

/* A fault in the middle of a leaf function. The instruction is written out: its length is known. */
static FRAME int divide(int a, int b)
{
	__asm__ volatile("cltd; idivl %%ecx" : "+a"(a) : "c"(b) : "edx", "cc");
	return a;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	interrupted_ip = (uint64_t)interrupted->uc_mcontext.gregs[REG_RIP];
	take_stack(&taken);
	interrupted->uc_mcontext.gregs[REG_RIP] += 2; /* beyond the idivl */
}

START_TEST(test_fault_in_leaf)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_RESETHAND};

	sigaction(SIGFPE, &action, NULL);
	ck_assert_int_eq(divide(7, 0), 7);
	assert_interrupted();
	ck_assert_uint_gt(interrupted_ip, (uint64_t)(uintptr_t)divide);
	ck_assert_uint_lt(interrupted_ip, (uint64_t)(uintptr_t)divide + 64);
}
END_TEST

/* --- other programs, against libunwind
 * ------------------------------------------------------------ */

struct agreement {
	size_t stops, same, rooted, guessed;
	char first_difference[4096];
};

static size_t walk_with_libunwind(pid_t pid, uint64_t *ips)
{
	static unw_addr_space_t space;
	void *argument = _UPT_create(pid);
	unw_cursor_t cursor;
	unw_word_t ip;
	size_t depth = 0;

	if (!space)
		space = unw_create_addr_space(&_UPT_accessors, 0);
	unw_flush_cache(space, 0, 0);
	if (argument && unw_init_remote(&cursor, space, argument) == 0) {
		do {
			unw_get_reg(&cursor, UNW_REG_IP, &ip);
			if (ip)
				ips[depth++] = ip;
		} while (depth < MAX_FRAMES && unw_step(&cursor) > 0);
	}
	_UPT_destroy(argument);
	return depth;
}

static void describe_difference(struct agreement *agreement, const struct program_maps *maps,
	const struct stack *stack, const uint64_t *other, size_t other_depth)
{
	size_t used = 0, room = sizeof(agreement->first_difference), deepest = other_depth;

	if (stack->result.depth > deepest)
		deepest = stack->result.depth;
	if (agreement->first_difference[0] && !getenv("CPROF_UNWIND_STOPS"))
		return;
	used += (size_t)snprintf(agreement->first_difference, room, "ended %s\n",
		walk_end_texts[stack->result.end].name);
	for (size_t i = 0; i < deepest && used + 100 < room; i++)
		used += (size_t)snprintf(agreement->first_difference + used, room - used,
			"%3zu %#14lx flags %2d  libunwind %#14lx\n", i,
			i < stack->result.depth ? (unsigned long)stack->ips[i] : 0, stack->flags[i],
			i < other_depth ? (unsigned long)other[i] : 0);
	if (getenv("CPROF_UNWIND_STOPS")) {
		fputs(agreement->first_difference, stderr);
		for (size_t i = 0; i < maps->modules.count; i++)
			fprintf(stderr, "   %#lx-%#lx bias %#lx\n",
				(unsigned long)maps->modules.items[i].low,
				(unsigned long)maps->modules.items[i].high,
				(unsigned long)maps->modules.items[i].bias);
	}
}

/* The tracee is stopped: walks its stack both ways. */
static void compare_stopped(struct program_maps *maps, struct agreement *agreement)
{
	struct walk_registers registers;
	struct user_regs_struct user;
	struct stack *stack = alloc_zeroed(1, sizeof(*stack));
	uint8_t *copy = alloc_bytes(STACK_BYTES);
	uint64_t other[MAX_FRAMES];
	size_t other_depth;

	ptrace(PTRACE_GETREGS, maps->pid, NULL, &user);
	program_registers_from_ptrace(&registers, &user);
	program_maps_read(maps, maps->pid);
	const struct walk_source source = {
		.find_module = program_maps_find,
		.read_word = program_maps_read_word,
		.context = maps,
		.stack = copy,
		.stack_address = registers.r[UNWIND_RSP],
		.stack_bytes = program_maps_copy(maps, registers.r[UNWIND_RSP], copy, STACK_BYTES),
	};
	stack->result = (struct walk_result){.flags = stack->flags, .cfas = stack->cfas};
	unwinder_walk(&source, NULL, &registers, stack->ips, MAX_FRAMES, &stack->result);
	other_depth = walk_with_libunwind(maps->pid, other);
	agreement->stops++;
	agreement->rooted += stack->result.end == WALK_ROOTED;
	agreement->guessed += (stack->result.any_flags & WALK_GUESSED) != 0;
	if (stack->result.depth == other_depth &&
		memcmp(stack->ips, other, other_depth * sizeof(other[0])) == 0)
		agreement->same++;
	else
		describe_difference(agreement, maps, stack, other, other_depth);
	free(copy);
	free(stack);
}

static pid_t start_program(const char *const arguments[])
{
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "r", stdin))
			_exit(126);
		raise(SIGSTOP);
		execvp(arguments[0], (char *const *)arguments);
		_exit(127);
	}
	return pid;
}

/* Interrupts the program, and passes on what else it stops for; false when it has ended. */
static bool stop_program(pid_t pid, bool interrupt)
{
	int status;

	if (interrupt && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		return false;
	for (;;) {
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			return false;
		if (status >> 16 == PTRACE_EVENT_STOP)
			return true;
		ptrace(PTRACE_CONT, pid, NULL, status >> 16 ? 0 : WSTOPSIG(status));
	}
}

static void stop_often(pid_t pid, size_t stops, struct agreement *agreement)
{
	struct program_maps maps = {.pid = pid};
	unsigned seed = 12345;

	for (size_t i = 0; i < stops; i++) {
		/* the first stops fall into the program's start: ld.so */
		const struct timespec pause = {
			.tv_nsec = rand_r(&seed) % (i < 20 ? 50000 : 3000000)};

		ptrace(PTRACE_CONT, pid, NULL, NULL);
		nanosleep(&pause, NULL);
		if (!stop_program(pid, true))
			break;
		compare_stopped(&maps, agreement);
	}
	program_maps_release(&maps);
}

/* CPROF_UNWIND_STOPS=N asks for another number, and for the figures on stderr. */
static size_t stops_wanted(void)
{
	const char *asked = getenv("CPROF_UNWIND_STOPS");

	if (asked)
		return strtoul(asked, NULL, 10);
	return getenv("CPROF_LONG") ? 1000 : 120;
}

/*
 * Lets a program run and stops it at random. Skipped without right to ptrace.
 */
static void compare_program(const char *const arguments[], struct agreement *agreement)
{
	pid_t pid = start_program(arguments);
	int status;

	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
		kill(pid, SIGCONT);
		stop_program(pid, false);
		stop_often(pid, stops_wanted(), agreement);
	} else {
		ck_assert_int_eq(errno, EPERM);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (getenv("CPROF_UNWIND_STOPS"))
		fprintf(stderr, "%-8s %4zu stops, %4zu same, %4zu rooted, %4zu with a guess\n",
			arguments[0], agreement->stops, agreement->same, agreement->rooted,
			agreement->guessed);
}

static void assert_agreement(const struct agreement *agreement)
{
	ck_assert_msg(agreement->same * 100 >= agreement->stops * 98, "%zu of %zu stacks agree; %s",
		agreement->same, agreement->stops, agreement->first_difference);
	ck_assert_msg(agreement->rooted * 100 >= agreement->stops * 98,
		"%zu of %zu stacks are rooted; %s", agreement->rooted, agreement->stops,
		agreement->first_difference);
}

static const char *const programs[][6] = {
	{"/usr/bin/python3", "-c",
		"import json, re, random\n"
		"while True:\n"
		"    d = {str(i): [random.random() for _ in range(9)] for i in range(50)}\n"
		"    re.findall(r'(\\d+)\\.(\\d+)', json.dumps(json.loads(json.dumps(d))))\n"
		"    sorted(d.items(), key=lambda item: item[1])\n"},
	{"xz", "-9", "-T1", "-c", "/usr/bin/python3"},
	{"sqlite3", ":memory:",
		"with recursive n(i) as (select 1 union all select i + 1 from n limit 100000000) "
		"select count(*), sum(i % 7), group_concat(i % 3) from n group by i % 1000;"},
};

START_TEST(test_agrees_with_libunwind)
{
	struct agreement agreement = {0};

	compare_program(programs[_i], &agreement);
	assert_agreement(&agreement);
}
END_TEST

/* --- the rows, against readelf
 * -------------------------------------------------------------------- */

/* readelf's "rsp+16" and "c-16" for register `reg` under rule; "" for what it has no column for. */
static void readelf_cfa(const struct unwind_rule *rule, char *text, size_t size)
{
	static const char *const names[16] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp",
		"rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

	if (rule->cfa == UNWIND_CFA_REGISTER)
		snprintf(text, size, "%s%+d", names[rule->cfa_register], rule->cfa_offset);
	else
		snprintf(text, size, "exp");
}

static void readelf_register(
	const struct unwind_rule *rule, const char *name, char *text, size_t size)
{
	static const char *const names[UNWIND_REGISTERS] = {"rax", "rdx", "rcx", "rbx", "rsi",
		"rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "ra"};

	snprintf(text, size, "u");
	if (strcmp(name, "ra") == 0 && rule->flags & UNWIND_RULE_RA_AT_CFA_8)
		snprintf(text, size, "c-8");
	for (size_t i = 0; i < rule->saved_count; i++) {
		const struct unwind_saved *saved = &rule->saved[i];

		if (strcmp(names[saved->reg], name) != 0)
			continue;
		if (saved->how == UNWIND_AT_CFA)
			snprintf(text, size, "c%+d", saved->value);
		else if (saved->how == UNWIND_AT_EXPRESSION)
			snprintf(text, size, "exp");
		else if (saved->how == UNWIND_IN_REGISTER)
			snprintf(text, size, "%s", names[saved->value]);
	}
}

struct readelf {
	char columns[32][24];
	size_t column_count;
	uint64_t end; /* of the FDE that is being printed */
	size_t compared;
};

static size_t split(char *line, char fields[32][24])
{
	size_t count = 0;
	char *save;

	for (char *word = strtok_r(line, " \n", &save); word && count < 32;
		word = strtok_r(NULL, " \n", &save))
		snprintf(fields[count++], 24, "%s", word);
	return count;
}

/* 0000000000026dd4 rsp+24   c-24  c-16  u     u     u     u     c-8 */
static void compare_line(struct readelf *readelf, const struct unwind_rows *rows, char *line)
{
	char fields[32][24], text[32];
	size_t count = split(line, fields);
	uint64_t file_addr = strtoull(fields[0], NULL, 16);
	const struct unwind_rule *rule = unwind_rows_find(rows, file_addr);

	if (count != readelf->column_count || file_addr >= readelf->end || strlen(fields[0]) != 16)
		return;
	readelf_cfa(rule, text, sizeof(text));
	ck_assert_msg(strcmp(text, fields[1]) == 0, "at %lx the CFA is %s, readelf says %s",
		(unsigned long)file_addr, text, fields[1]);
	for (size_t i = 2; i < count; i++) {
		const char *shown = strcmp(fields[i], "s") == 0 ? "u" : fields[i];

		readelf_register(rule, readelf->columns[i], text, sizeof(text));
		ck_assert_msg(strcmp(text, shown) == 0, "at %lx %s is %s, readelf says %s",
			(unsigned long)file_addr, readelf->columns[i], text, fields[i]);
	}
	readelf->compared++;
}

START_TEST(test_rows_are_readelfs)
{
	static const char path[] = "/lib/x86_64-linux-gnu/libc.so.6";
	struct readelf readelf = {.end = 0};
	struct error err = {0};
	struct elf_file *file = elf_file_open(path, &err);
	struct unwind_rows *rows;
	char line[1024];
	const char *end;
	FILE *pipe;

	ck_assert_msg(file != NULL, "%s", err.text);
	rows = unwind_rows_compile(file, &err);
	ck_assert_uint_gt(rows->row_count, 10000);
	ck_assert_uint_eq(rows->damaged_count, 0);
	pipe = popen("LC_ALL=C readelf --debug-dump=frames-interp "
		     "/lib/x86_64-linux-gnu/libc.so.6 2>/dev/null",
		"r");
	while (pipe && fgets(line, sizeof(line), pipe)) {
		if ((end = strstr(line, " FDE ")) && (end = strstr(end, "..")))
			readelf.end = strtoull(end + 2, NULL, 16);
		else if (strstr(line, " CIE "))
			readelf.end = 0;
		else if (strncmp(line, "   LOC", 6) == 0)
			readelf.column_count = split(line, readelf.columns);
		else if (line[0] == '0')
			compare_line(&readelf, rows, line);
	}
	if (pipe)
		pclose(pipe);
	ck_assert_uint_gt(readelf.compared, 10000);
	unwind_rows_free(rows);
	elf_file_close(file);
}
END_TEST

/* --- damage --------------------------------------------------------------------------------------
 */

struct image {
	uint8_t *bytes;
	size_t size, cfi_offset, cfi_size;
};

static struct image read_image(const char *path)
{
	struct image image = {0};
	struct elf_section section;
	struct error err = {0};
	struct elf_file *file = elf_file_open(path, &err);
	FILE *stream = fopen(path, "r");

	ck_assert_msg(file && stream, "%s", err.text);
	fseek(stream, 0, SEEK_END);
	image.size = (size_t)ftell(stream);
	image.bytes = alloc_bytes(image.size);
	rewind(stream);
	ck_assert_uint_eq(fread(image.bytes, 1, image.size, stream), image.size);
	fclose(stream);
	ck_assert(elf_file_section(file, ".eh_frame", &section));
	for (size_t at = 0; at + section.size <= image.size; at++)
		if (memcmp(image.bytes + at, section.bytes, section.size) == 0) {
			image.cfi_offset = at;
			image.cfi_size = section.size;
			break;
		}
	elf_file_close(file);
	ck_assert_uint_gt(image.cfi_size, 1000);
	return image;
}

struct random_program {
	struct walk_module module;
	unsigned seed;
};

static const struct walk_module *random_find(void *context, uint64_t ip)
{
	const struct random_program *program = context;

	return ip >= program->module.low && ip < program->module.high ? &program->module : NULL;
}

static bool random_read(void *context, uint64_t address, uint64_t *value)
{
	struct random_program *program = context;

	*value = program->module.low + (uint64_t)rand_r(&program->seed) % 0x30000;
	return address % 3 != 0;
}

/* Words on the stack are mostly addresses of code and of the stack itself: walks get far. */
static void walk_randomly(const struct unwind_rows *rows, unsigned seed)
{
	struct random_program program = {
		.module = {.low = rows->low, .high = rows->high, .bias = 0, .rows = rows},
		.seed = seed};
	uint64_t words[256], ips[64];
	struct walk_registers registers = {.known = WALK_ALL_KNOWN};
	struct walk_result result = {0};

	for (size_t i = 0; i < 256; i++)
		words[i] = rand_r(&program.seed) % 4
				   ? rows->low + (uint64_t)rand_r(&program.seed) %
							 (rows->high - rows->low)
				   : 0x7ff000000000 + 8u * ((uint64_t)rand_r(&program.seed) % 256);
	for (size_t i = 0; i < 16; i++)
		registers.r[i] = words[i];
	registers.r[UNWIND_RSP] = 0x7ff000000000;
	registers.ip = words[16] & 0xffffffffffff;
	const struct walk_source source = {
		.find_module = random_find,
		.read_word = seed % 2 ? random_read : NULL,
		.context = &program,
		.stack = (const uint8_t *)words,
		.stack_address = registers.r[UNWIND_RSP],
		.stack_bytes = sizeof(words),
		.scan_words = seed % 3 * 16,
	};
	ck_assert_uint_le(unwinder_walk(&source, NULL, &registers, ips, 64, &result), 64);
	ck_assert_uint_ge(result.depth, 1);
	ck_assert_int_lt(result.end, WALK_ENDS);
}

START_TEST(test_damaged_cfi)
{
	struct image image = read_image("/lib64/ld-linux-x86-64.so.2");
	uint8_t *copy = alloc_bytes(image.size);
	unsigned seed = 1;
	struct error err;

	for (int round = 0; round < 1000; round++) {
		struct elf_file *file;
		struct unwind_rows *rows;

		memcpy(copy, image.bytes, image.size);
		for (int flips = rand_r(&seed) % 40; flips >= 0; flips--)
			copy[image.cfi_offset + (size_t)rand_r(&seed) % image.cfi_size] ^=
				(uint8_t)(1 << rand_r(&seed) % 8);
		file = elf_file_from_memory(copy, image.size, "damaged", &err);
		ck_assert_ptr_nonnull(file);
		rows = unwind_rows_compile(file, &err);
		ck_assert_ptr_nonnull(rows);
		for (unsigned i = 0; i < 50; i++)
			walk_randomly(rows, seed + i);
		unwind_rows_free(rows);
		elf_file_close(file);
	}
	free(copy);
	free(image.bytes);
}
END_TEST

Suite *unwind_suite(void);

Suite *unwind_suite(void)
{
	Suite *suite = suite_create("unwind");
	TCase *core = tcase_create("core"), *limits = tcase_create("limits");

	tcase_set_timeout(core, 300);
	tcase_add_test(core, test_recursion);
	tcase_add_test(core, test_variable_frames);
	tcase_add_test(core, test_callback_from_libc);
	tcase_add_test(core, test_thread);
	tcase_add_test(core, test_signal_handler);
	tcase_add_test(core, test_alternate_stack);
	tcase_add_test(core, test_fault_in_leaf);
	tcase_add_loop_test(
		core, test_agrees_with_libunwind, 0, sizeof(programs) / sizeof(programs[0]));
	tcase_add_test(core, test_rows_are_readelfs);
	suite_add_tcase(suite, core);
	tcase_set_timeout(limits, 300);
	tcase_add_test(limits, test_damaged_cfi);
	suite_add_tcase(suite, limits);
	return suite;
}
