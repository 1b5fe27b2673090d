/*
 * program_exec: becomes a program, found as execvp(3) finds it.
 *
 * The difference: what the kernel does not know how to run is given to /bin/sh only where it can be
 * a script, i.e. is not empty and has no zero byte in its first line. A program for another
 * machine, or half of one, would have the shell complain about its bytes.
 */
#pragma once

/* Returns only when that fails: errno, e.g. ENOENT, EACCES, ENOEXEC. */
int program_exec(char *const argv[]);
