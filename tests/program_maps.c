#include "program_maps.h"

#include "elf/elf_file.h"

#include <stdio.h>
#include <sys/uio.h>
#include <ucontext.h>

static struct elf_file *open_vdso(const struct program_maps *maps, uint64_t low, uint64_t high)
{
	size_t size = (size_t)(high - low);
	void *image = alloc_bytes(size);
	struct elf_file *file = NULL;
	struct error err;

	if (program_maps_copy(maps, low, image, size) == size)
		file = elf_file_from_memory(image, size, "[vdso]", &err);
	free(image);
	return file;
}

static struct program_file *find_file(struct program_maps *maps, const char *path)
{
	for (size_t i = 0; i < maps->files.count; i++)
		if (strcmp(maps->files.items[i].path, path) == 0)
			return &maps->files.items[i];
	return NULL;
}

static struct program_file *file_of(
	struct program_maps *maps, uint64_t low, uint64_t high, const char *path)
{
	struct program_file *known = find_file(maps, path);
	struct elf_file *file = NULL;
	struct error err;

	if (known)
		return known;
	if (strcmp(path, "[vdso]") == 0)
		file = open_vdso(maps, low, high);
	else if (path[0] == '/')
		file = elf_file_open(path, &err);
	if (!file)
		return NULL;
	known = array_add(&maps->files);
	*known = (struct program_file){
		.path = alloc_string(path), .elf = file, .rows = unwind_rows_compile(file, &err)};
	return known;
}

static void add_module(
	struct program_maps *maps, uint64_t low, uint64_t high, uint64_t offset, const char *path)
{
	struct walk_module *module = array_add(&maps->modules);
	const struct program_file *file = file_of(maps, low, high, path);
	uint64_t addr, half = (high - low) / 2;

	*module = (struct walk_module){.low = low, .high = high};
	/* lld lets two segments share a page of the file: the mapping's middle is surely in the
	 * code */
	if (!file || !elf_file_addr(file->elf, offset + half, &addr))
		return;
	module->bias = low + half - addr;
	module->rows = file->rows;
}

/* 7f64b1a26000-7f64b1b7b000 r-xp 00026000 08:01 1234  /usr/lib/x86_64-linux-gnu/libc.so.6 */
void program_maps_read(struct program_maps *maps, pid_t pid)
{
	char line[8192], name[64], path[4096], permissions[8];
	unsigned long low, high, offset;
	FILE *file;

	maps->pid = pid;
	maps->modules.count = 0;
	snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	file = fopen(name, "r");
	while (file && fgets(line, sizeof(line), file)) {
		path[0] = '\0';
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %4095[^\n]", &low, &high, permissions,
			    &offset, path) < 4)
			continue;
		if (strcmp(path, "[stack]") == 0) {
			maps->stack_low = low;
			maps->stack_high = high;
		}
		if (permissions[2] == 'x')
			add_module(maps, low, high, offset, path);
	}
	if (file)
		fclose(file);
}

void program_maps_release(struct program_maps *maps)
{
	for (size_t i = 0; i < maps->files.count; i++) {
		free(maps->files.items[i].path);
		unwind_rows_free(maps->files.items[i].rows);
		elf_file_close(maps->files.items[i].elf);
	}
	array_release(&maps->files);
	array_release(&maps->modules);
}

const struct walk_module *program_maps_find(void *context, uint64_t ip)
{
	const struct program_maps *maps = context;
	size_t low = 0, high = maps->modules.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (maps->modules.items[middle].high <= ip)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == maps->modules.count || maps->modules.items[low].low > ip)
		return NULL;
	return &maps->modules.items[low];
}

size_t program_maps_copy(const struct program_maps *maps, uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};
	ssize_t got = process_vm_readv(maps->pid, &local, 1, &remote, 1, 0);

	return got < 0 ? 0 : (size_t)got;
}

bool program_maps_read_word(void *context, uint64_t address, uint64_t *value)
{
	return program_maps_copy(context, address, value, sizeof(*value)) == sizeof(*value);
}

void program_registers_from_ptrace(struct walk_registers *to, const struct user_regs_struct *from)
{
	*to = (struct walk_registers){
		.r = {from->rax, from->rdx, from->rcx, from->rbx, from->rsi, from->rdi, from->rbp,
			from->rsp, from->r8, from->r9, from->r10, from->r11, from->r12, from->r13,
			from->r14, from->r15},
		.ip = from->rip,
		.known = WALK_ALL_KNOWN,
	};
}

void program_registers_from_context(struct walk_registers *to, const void *ucontext)
{
	static const int order[16] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP,
		REG_RSP, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
	const ucontext_t *from = ucontext;

	for (size_t i = 0; i < 16; i++)
		to->r[i] = (uint64_t)from->uc_mcontext.gregs[order[i]];
	to->ip = (uint64_t)from->uc_mcontext.gregs[REG_RIP];
	to->known = WALK_ALL_KNOWN;
}
