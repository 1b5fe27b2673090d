#include "base/file_fault.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Keeps no state: the address says all. mmap() is a bare system call, and leaves errno alone. */
static void replace_page(int number, siginfo_t *info, void *context)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *address = (void *)((uintptr_t)info->si_addr & ~(page - 1));
	int error = errno;

	(void)context;
	if (info->si_code != BUS_ADRERR ||
		mmap(address, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			-1, 0) == MAP_FAILED)
		signal(number, SIG_DFL); /* the instruction runs again, and ends the process */
	errno = error;
}

void file_faults_read_zeros(void)
{
	struct sigaction action = {.sa_sigaction = replace_page, .sa_flags = SA_SIGINFO};

	sigaction(SIGBUS, &action, NULL);
}
