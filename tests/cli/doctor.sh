# cprof doctor: what the machine allows, and what is known of a program.

# The state of a check.
state_of() { # FILE NAME
  sed -nE "s/^(yes|no|limited) +$2  .*/\1/p" "$1"
}

test_doctor_tells_of_each_thing() {
  "$CPROF" doctor >out 2>err || [ "$?" = 1 ]
  [ ! -s err ]
  head -n 1 out | grep -qE '^cprof can(not)? record here, '
  for name in 'perf events' cycles cpu-clock task-clock 'user only' 'kernel frames' 'kernel names' \
    'stacks of waits' 'sampling rate' 'ring buffers' ptrace 'other processes' 'process memory' \
    'system calls' debuginfod; do
    state_of out "$name" | grep -qE '^(yes|no|limited)$' || { echo "nothing of $name"; cat out; return 1; }
  done
  # Whatever does not work says so in a second line.
  awk '/^(no|limited) / { missing = $0; next } missing != "" && !/^   / { exit 1 } { missing = "" }' out
  # Children of its own are gone.
  fails 1 pgrep -P $$ -x cprof
}

test_doctor_agrees_with_run() {
  local status=0
  "$CPROF" doctor >out || status=$?
  "$CPROF" run -q true 2>err || { [ "$status" = 1 ]; return; }
  [ "$status" = 0 ]
  head -n 1 out | grep -qF "$(info_value out.prof event)"
  [ ! -e out.prof.part ]
}

test_doctor_ordinary_user() {
  local level
  make_public_place
  level=$(cat /proc/sys/kernel/perf_event_paranoid)
  as_nobody "$public/cprof" doctor >out 2>err || [ "$?" = 1 ]
  [ ! -s err ]
  if [ "$level" -ge 2 ]; then
    [ "$(state_of out 'kernel frames')" = no ]
    grep -qF 'sudo sysctl kernel.perf_event_paranoid=1' out
    grep -qF 'sudo cprof attach PID' out
  fi
  [ "$(state_of out 'other processes')" = limited ]
  [ -z "$(ls -A "$public/home")" ]
}

# Runs a command whose system call NAME fails with EPERM, as in containers.
write_refusing() { # NAME
  cat >refusing.c <<END_C
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_$1, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 77;
	execvp(argv[1], argv + 1);
	return 77;
}
END_C
  compile refusing
  ./refusing true || skip "there is no seccomp here"
}

test_doctor_where_perf_is_refused() {
  write_refusing perf_event_open
  ./refusing "$CPROF" doctor >out || [ "$?" = 1 ]
  for name in 'perf events' cycles cpu-clock task-clock 'user only' 'kernel frames' 'ring buffers'; do
    [ "$(state_of out "$name")" = no ]
  done
  [ "$(state_of out 'system calls')" = limited ]
  [ "$(state_of out ptrace)" = yes ]
  grep -q 'a seccomp filter is in force' out
  grep -q 'security-opt seccomp=unconfined' out
}

test_doctor_where_ptrace_is_refused() {
  write_refusing ptrace
  ./refusing "$CPROF" doctor >out || [ "$?" = 1 ]
  [ "$(state_of out ptrace)" = no ]
  grep -q -- '--cap-add=SYS_PTRACE' out
}

# What is said of the first module.
first_module() { sed '/^$/,$d' "$1"; }

write_program() {
  cat >program.c <<'END_C'
#include <math.h>
#include <stdio.h>
static __attribute__((noipa)) double work(double x) { return sqrt(x) + 1; }
int main(int argc, char **argv)
{
	FILE *mark = fopen("was-run", "w"); /* doctor must not */

	(void)argv;
	if (mark)
		fclose(mark);
	return work(argc) > 9;
}
END_C
  compile program -lm
}

test_doctor_of_a_program() {
  write_program
  "$CPROF" doctor ./program >out
  [ ! -e was-run ]
  [ "$(head -n 1 out)" = "$TMP/program" ]
  first_module out >first
  grep -qE '^  names +of all functions \([0-9]+\)$' first
  grep -qE '^  lines +and inlined functions, of 1 source files: debug information in the file itself$' first
  grep -qE '^  stacks +exact: unwind tables for [0-9]+ functions, [0-9.]+ % of the code$' first
  grep -qE '^  build-id  [0-9a-f]{40}$' first
  grep -q '/libc.so.6$' out
  grep -q '/ld-linux-x86-64.so.2$' out
  # By its name in PATH, and as a process.
  PATH=$TMP:$PATH "$CPROF" doctor program | cmp - out
  "$CPROF" doctor $$ >process
  grep -qE '^/.*bash$' process
  grep -q '/libc.so.6$' process
}

test_doctor_of_a_stripped_program() {
  write_program
  strip -o stripped program
  "$CPROF" doctor ./stripped >out
  first_module out >first
  grep -qF '  names     none (it is stripped): functions are shown as [stripped+0x1234]' first
  grep -qF '  lines     none; to get them: compile it with -g' first
  grep -q '^  stacks    exact' first
  # Its debug information beside it.
  objcopy --only-keep-debug program stripped.debug
  objcopy --add-gnu-debuglink=stripped.debug stripped
  "$CPROF" doctor ./stripped >out
  first_module out | grep -qE '^  lines .*: debug information in .*stripped.debug$'
  first_module out | grep -qE '^  names +of all functions'
}

test_doctor_of_debians_programs() {
  [ -e /var/lib/dpkg/info ] || skip "this is no Debian"
  "$CPROF" doctor /usr/bin/dpkg >out
  first_module out >first
  grep -q 'apt install dpkg-dbgsym' first || grep -q 'debug information in' first
  DEBUGINFOD_URLS=http://127.0.0.1:1 "$CPROF" doctor /usr/bin/dpkg >out
  first_module out | grep -q 'a recording asks debuginfod for them' || grep -q 'debug information in' first
}

test_doctor_of_special_programs() {
  write_program
  gcc -O2 -static program.c -o static -lm || skip "there is no static libc"
  "$CPROF" doctor ./static >out
  grep -qx '  static    it needs no libraries' out
  [ "$(grep -c '^/' out)" = 1 ]
  cp program rights
  chmod u+s rights
  "$CPROF" doctor ./rights | grep -q '^  rights    it is set-user-ID'
  gcc -shared -fPIC -o libgone.so -x c - <<<'int gone(void) { return 1; }'
  gcc -o needs -x c - -L. -Wl,--no-as-needed -lgone <<<'int main(void) { return 0; }'
  rm libgone.so
  "$CPROF" doctor ./needs | grep -A 1 -x libgone.so | grep -q 'the loader does not find it'
  [ ! -e was-run ]
}

test_doctor_of_another_users_program() {
  write_program
  make_public_place
  cp program "$public/foreign"
  chown 65533 "$public/foreign"
  as_nobody "$public/cprof" doctor "$public/foreign" >out
  grep -q "were not looked for: the file is another user's" out
  [ "$(grep -c '^/' out)" = 1 ]
}

test_doctor_of_what_is_no_program() {
  echo 'just text' >text
  : >empty
  printf '#!/bin/sh\nexit 0\n' >script
  for name in ./text ./empty ./script ./nowhere . /dev/null 99999999; do
    fails 1 "$CPROF" doctor "$name" >out 2>err
    [ ! -s out ]
    [ "$(wc -l <err)" = 1 ]
  done
  fails 1 "$CPROF" doctor ./script 2>err
  grep -qF 'cprof doctor /bin/sh' err
  fails 2 "$CPROF" doctor a b 2>err
  head -c 2000 /usr/bin/env >beginning
  "$CPROF" doctor ./beginning >out 2>err || [ "$?" = 1 ]
}
