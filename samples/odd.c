/*
 * Programs that do odd things with their stacks, one at a time: `odd WHAT [SECONDS of CPU time]`.
 *
 *     handler     signals interrupt work:       main -> interrupted -> (trampoline) -> on_signal ->
 * burn altstack    the same on a stack of the handler's own coroutine   makecontext and
 * swapcontext:  coroutine -> in_coroutine -> burn, without main longjmp     out of 50 frames, then:
 * main -> jumped -> burn noreturn    a call that is the last instruction of its function: main ->
 * gives_up -> last_words assembly    functions without CFI:        main -> through_assembly ->
 * by_frame -> by_pushes -> burn library     functions in libraries:       main -> many_lengths ->
 * strlen vdso        main -> many_clocks -> clock_gettime switched    a stack changed by hand:
 * switch_stacks -> on_other_stack -> burn cloned      a thread by clone(2) alone:   clone ->
 * thread_body -> burn
 *
 * See each stack as it is written here, and those that cannot be known end where they do.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#define NOIPA __attribute__((noipa))

enum { STACK_BYTES = 256 << 10 };

static double seconds = 0.4;
static _Alignas(16) char other_stack[STACK_BYTES];

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The work: dependent multiplications, about 5 ms. */
NOIPA uint64_t burn(uint64_t value)
{
	for (int i = 0; i < 4000000; i++)
		value = value * 6364136223846793005 + 1442695040888963407;
	return value;
}

static NOIPA uint64_t burn_for(double wanted)
{
	double end = cpu_seconds() + wanted;
	uint64_t value = 1;

	while (cpu_seconds() < end)
		value = burn(value);
	return value;
}

/* --- signals ------------------------------------------------------------------------------------
 */

static volatile uint64_t sink;

static NOIPA void on_signal(int number)
{
	sink = burn(sink) + (uint64_t)number;
}

static NOIPA uint64_t interrupted(double end)
{
	uint64_t value = 1;

	while (value != 0 && (value % 4096 || cpu_seconds() < end))
		value = value * 5 + 3;
	return value;
}

static int run_with_handler(int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | flags};
	struct itimerval every = {{0, 10000}, {0, 10000}}, never = {0};
	uint64_t value;

	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
	value = interrupted(cpu_seconds() + seconds);
	setitimer(ITIMER_PROF, &never, NULL);
	return value == 0;
}

static int handler(void)
{
	return run_with_handler(0);
}

static int altstack(void)
{
	stack_t stack = {.ss_sp = other_stack, .ss_size = STACK_BYTES};

	return sigaltstack(&stack, NULL) < 0 || run_with_handler(SA_ONSTACK);
}

/* --- other stacks -------------------------------------------------------------------------------
 */

static ucontext_t outside, inside;

static NOIPA uint64_t in_coroutine(uint64_t value)
{
	value = burn(value);
	swapcontext(&inside, &outside);
	return value;
}

static NOIPA void coroutine_body(void)
{
	for (uint64_t value = 1; value != 0;)
		value = in_coroutine(value);
}

static int coroutine(void)
{
	double end = cpu_seconds() + seconds;

	getcontext(&inside);
	inside.uc_stack.ss_sp = other_stack;
	inside.uc_stack.ss_size = STACK_BYTES;
	inside.uc_link = &outside;
	makecontext(&inside, coroutine_body, 0);
	while (cpu_seconds() < end)
		swapcontext(&outside, &inside);
	return 0;
}

static NOIPA void on_other_stack(void)
{
	sink = burn_for(seconds);
}

/* No debug information can say where the old stack is. */
static NOIPA int switch_stacks(void)
{
	char *top = other_stack + STACK_BYTES - 256;

	memset(top, 0x5a, 256);
	__asm__ volatile("mov %%rsp, %%rbx\n\t"
			 "mov %0, %%rsp\n\t"
			 "call *%1\n\t"
			 "mov %%rbx, %%rsp"
			 :
			 : "r"(top), "r"(on_other_stack)
			 : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			 "memory", "cc");
	return 0;
}

static int switched(void)
{
	return switch_stacks();
}

static int thread_body(void *unused)
{
	sink = burn_for(seconds) + (unused != NULL);
	return 0;
}

static int cloned(void)
{
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM, pid;

	pid = clone(thread_body, other_stack + STACK_BYTES, flags | SIGCHLD, NULL);
	return pid < 0 || waitpid(pid, NULL, 0) != pid;
}

/* --- odd calls -----------------------------------------------------------------------------------
 */

static jmp_buf place;

static NOIPA int descend_and_jump(int level)
{
	if (level == 0)
		longjmp(place, 1);
	return descend_and_jump(level - 1) + 1;
}

static NOIPA int jumped(void)
{
	if (setjmp(place) == 0)
		return descend_and_jump(50);
	sink = burn_for(seconds);
	return 0;
}

static NOIPA __attribute__((noreturn)) void last_words(void)
{
	sink = burn_for(seconds);
	exit(0);
}

/* Ends with the call: its return address is the next function's first instruction. */
int gives_up(void);
__asm__(".text\n"
	".globl gives_up, after_the_end\n"
	".type gives_up, @function\n"
	"gives_up:\n"
	".cfi_startproc\n"
	"	sub $24, %rsp\n"
	"	.cfi_def_cfa_offset 32\n"
	"	call say_last_words\n"
	".cfi_endproc\n"
	".size gives_up, . - gives_up\n"
	".type after_the_end, @function\n"
	"after_the_end:\n"
	".cfi_startproc\n"
	"	sub $104, %rsp\n"
	"	.cfi_def_cfa_offset 112\n"
	"	add $104, %rsp\n"
	"	.cfi_def_cfa_offset 8\n"
	"	ret\n"
	".cfi_endproc\n"
	".size after_the_end, . - after_the_end\n");

__attribute__((noreturn, used)) void say_last_words(void);
void say_last_words(void)
{
	last_words();
}

/* --- assembly ------------------------------------------------------------------------------------
 */

/*
 * by_room only makes room, as _init does. by_frame keeps a frame pointer and calls by_pushes, which
 * pushes what it needs (as compiled code does) and calls C; spin_bare is a leaf. None has CFI.
 */
uint64_t by_room(uint64_t (*function)(uint64_t), uint64_t value);
uint64_t by_frame(uint64_t (*function)(uint64_t), uint64_t value);
uint64_t by_pushes(uint64_t (*function)(uint64_t), uint64_t value);
uint64_t spin_bare(uint64_t rounds);
__asm__(".text\n"
	".globl by_room, by_frame, by_pushes, spin_bare\n"
	".type by_room, @function\n"
	"by_room:\n"
	"	sub $24, %rsp\n"
	"	call by_frame\n"
	"	add $24, %rsp\n"
	"	ret\n"
	".size by_room, . - by_room\n"
	".type by_frame, @function\n"
	"by_frame:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	sub $32, %rsp\n"
	"	call by_pushes\n"
	"	leave\n"
	"	ret\n"
	".size by_frame, . - by_frame\n"
	".type by_pushes, @function\n"
	"by_pushes:\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	sub $8, %rsp\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	call *%rax\n"
	"	mov %rax, %r12\n"
	"	mov $2000000, %edi\n"
	"	call spin_bare\n"
	"	mov $2000000, %ebx\n"
	"1:	imul %rbx, %r12\n"
	"	dec %rbx\n"
	"	jnz 1b\n"
	"	mov %r12, %rax\n"
	"	add $8, %rsp\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	ret\n"
	".size by_pushes, . - by_pushes\n"
	".type spin_bare, @function\n"
	"spin_bare:\n"
	"	mov %rdi, %rax\n"
	"1:	imul %rdi, %rax\n"
	"	dec %rdi\n"
	"	jnz 1b\n"
	"	ret\n"
	".size spin_bare, . - spin_bare\n");

static NOIPA uint64_t through_assembly(uint64_t value)
{
	uint64_t (*volatile function)(uint64_t(*)(uint64_t), uint64_t) = by_room;

	return function(burn, value) + 1;
}

static int assembly(void)
{
	double end = cpu_seconds() + seconds;
	uint64_t value = 1;

	while (cpu_seconds() < end)
		value = through_assembly(value);
	return value == 0;
}

/* --- libraries -----------------------------------------------------------------------------------
 */

static NOIPA size_t many_lengths(const char *text)
{
	size_t (*volatile length)(const char *) = strlen;
	size_t sum = 0;

	for (int i = 0; i < 100; i++)
		sum += length(text);
	return sum;
}

static int library(void)
{
	double end = cpu_seconds() + seconds;
	size_t sum = 0;

	memset(other_stack, 'x', STACK_BYTES - 1);
	while (cpu_seconds() < end)
		sum += many_lengths(other_stack);
	return sum == 0;
}

static NOIPA uint64_t many_clocks(void)
{
	struct timespec now;
	uint64_t sum = 0;

	for (int i = 0; i < 10000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		sum += (uint64_t)now.tv_nsec;
	}
	return sum;
}

static int vdso(void)
{
	double end = cpu_seconds() + seconds;
	uint64_t sum = 0;

	while (cpu_seconds() < end)
		sum += many_clocks();
	return sum == 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} oddities[] = {
	{"handler", handler},
	{"altstack", altstack},
	{"coroutine", coroutine},
	{"longjmp", jumped},
	{"noreturn", gives_up},
	{"assembly", assembly},
	{"library", library},
	{"vdso", vdso},
	{"switched", switched},
	{"cloned", cloned},
};

int main(int argc, char **argv)
{
	size_t i = 0, count = sizeof(oddities) / sizeof(oddities[0]);

	if (argc > 2)
		seconds = atof(argv[2]);
	while (i < count && (argc < 2 || strcmp(argv[1], oddities[i].name) != 0))
		i++;
	if (i == count || !(seconds > 0 && seconds <= 3600)) {
		fprintf(stderr, "usage: odd WHAT [SECONDS of CPU time]; see the source\n");
		return 2;
	}
	i = (size_t)oddities[i].run();
	return (int)i + (sink == 1);
}
