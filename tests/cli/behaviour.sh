# Programs that behave in every way that programs do: many threads, many processes, chains of
# programs, daemons, seccomp, stops, terminals, debuggers, rights. Each runs as it would without
# cprof, to its own exit status, and its profile is right.
#
# Times are asserted only where they are the subject, with room for a busy machine. That nothing is
# lost is asserted of quiet programs only: elsewhere the machine may keep the recorder from its work.

# --- helpers -------------------------------------------------------------------------------------

# What part of the program's user and system time its threads' CPU time is, in percent. (One that
# spends most of its life in the kernel's own bookkeeping is charged by other clocks.)
share_of_rusage() { # FILE
  local user system
  user=$(info_value "$1" user)
  system=$(info_value "$1" system)
  awk -v cpu="$(sum_of "$1" cpu .)" -v usage="$user $system" 'BEGIN {
    split(usage, part, " "); printf "%d\n", cpu / 10000 / (part[1] + part[2]) }'
}

sees_all_cpus() { # FILE: recorded with events per CPU
  [ "$(info_value "$1" event)" = cpu-clock ]
}

# For tests that count what there was: skips those that the machine kept the recorder from seeing.
nothing_lost() { # FILE
  [ "$(info_value "$1" lost)" = 0 ] || skip "the machine was too busy: $(info_value "$1" lost) records lost"
}

# Highest resident size, in KiB, of a command and those that it waits for.
peak_kib() { # COMMAND...
  python3 -c 'import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)' "$@"
}

# The program's output, status and standard error with and without cprof are the same.
same_as_without() { # COMMAND...
  local plain=0 recorded=0
  "$@" <stdin.data >plain.out 2>plain.err || plain=$?
  "$CPROF" run -q "$@" <stdin.data >recorded.out 2>recorded.err || recorded=$?
  cmp plain.out recorded.out
  cmp plain.err recorded.err
  [ "$plain" = "$recorded" ] || { echo "status $recorded instead of $plain: $*"; return 1; }
  is_whole out.prof
}

# --- many threads, many processes ----------------------------------------------------------------

test_behaviour_a_thousand_short_threads_are_sampled() {
  recorded out.prof "$SAMPLES/storm" threads 1000
  [ "$(cat program.out)" = '1000 threads, 0 failed' ]
  nothing_lost out.prof
  "$CPROF" info out.prof | grep -q '; 1001 threads in 1 process$'
  [ "$("$CPROF" info out.prof | grep -c '^    thread ')" = 1001 ]
  lifetimes_add_up out.prof
  # 1 ms of work each, whether or not a sample saw it; nothing goes to a stack where none was.
  within 1000000 2000000 "$(sum_of out.prof cpu ';short_life(;|$)|;[[]not sampled]')"
  sees_all_cpus out.prof || skip 'no events per CPU here: short threads are not sampled'
  within 70 100 "$(($(sum_of out.prof cpu ';short_life(;|$)') * 100 / $(sum_of out.prof cpu .)))"
  within 80 105 "$(share_of_rusage out.prof)"
}

test_behaviour_what_no_sample_saw_is_shown() {
  make_public_place
  cp "$SAMPLES/storm" "$public"
  as_nobody "$public/cprof" run -q "$public/storm" threads 300 >out 2>err ||
    skip "an ordinary user may not record: $(cat err)"
  cp "$public/home/out.prof" out.prof
  lifetimes_add_up out.prof
  within 300000 700000 "$(sum_of out.prof cpu .)"
  # Each thread's first period is never sampled: its time is as unknown as before.
  within 10000 700000 "$(sum_of out.prof cpu '^storm;[[]not sampled]$')"
  "$CPROF" report out.prof | grep -Eq '^ *missing +[0-9.]+ % of the CPU time was not sampled: 0\.[0-9]+ s in [0-9]+ threads$'
}

test_behaviour_a_storm_of_processes_is_all_there() {
  local few many
  can_record
  few=$(ASAN_OPTIONS=quarantine_size_mb=1 peak_kib "$CPROF" run -q -o few.prof "$SAMPLES/storm" processes 200)
  many=$(ASAN_OPTIONS=quarantine_size_mb=1 peak_kib "$CPROF" run -q -o out.prof "$SAMPLES/storm" processes 2000)
  nothing_lost out.prof
  [ "$("$CPROF" info out.prof | grep -c '^  process .* storm ')" = 2001 ]
  fails 1 grep -q 'still ran' <("$CPROF" info out.prof)
  lifetimes_add_up out.prof
  has_stack out.prof ';main;storm_processes;'
  # A process that has ended takes its mappings with it (each has 32 KiB of them and more).
  [ $((many - few)) -lt 40000 ] || { echo "$few KiB for 200 processes, $many KiB for 2000"; return 1; }
  # A row for each process and thread, and a stack or two.
  [ "$(stat -c %s out.prof)" -lt 400000 ]
  "$CPROF" report --by=process out.prof >rows
  sees_all_cpus out.prof || skip 'no events per CPU here: the end of a process is not seen'
  within 80 105 "$(share_of_rusage out.prof)"
}

test_behaviour_sixty_four_busy_threads_share_the_cpus() {
  recorded out.prof "$SAMPLES/storm" busy 64
  nothing_lost out.prof
  # The kernel charges a thread for being switched to: much of it, where all are busy.
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6 && $5 >= 0.008 { full++ }
    END { if (full < 64) { print full " threads with 20 ms of work"; exit 1 } }'
  within 1000000 2000000 "$(sum_of out.prof cpu ';busy_life(;|$)')"
  within 80 105 "$(share_of_rusage out.prof)"
  lifetimes_add_up out.prof
}

# --- programs one after the other -----------------------------------------------------------------

test_behaviour_exec_chain_has_each_programs_name() {
  local i
  # 20 programs of one process, each with work of its own.
  cat >link.c <<'SOURCE'
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static __attribute__((noipa)) int WORK(void)
{
	volatile int rounds = 0;

	while (clock() < CLOCKS_PER_SEC / 1000 * 20 * (MINE + 1))
		rounds++;
	return rounds;
}
int main(int argc, char **argv)
{
	WORK();
	if (argc > 1)
		execv(argv[1], argv + 1);
	return argc > 1 ? 99 : MINE;
}
SOURCE
  for i in 0 1 2 3 4 5 6; do
    cp link.c "link$i.c"
    compile "link$i" -DMINE="$i" -DWORK="work$i"
  done
  can_record
  fails 6 "$CPROF" run -q ./link0 ./link1 ./link2 ./link3 ./link4 ./link5 ./link6
  for i in 0 1 2 3 4 5 6; do
    has_stack out.prof "^link$i;.*;main;work${i}[; ]"
    # None of the others' work: its own alone.
    [ "$(sum_of out.prof samples "^link$i;.*;work")" = "$(sum_of out.prof samples "^link$i;.*;work${i}(;|$)")" ]
    "$CPROF" info out.prof | grep -q "^  process .* link$i  $PWD/link$i$"
  done
  # It is one process all the same, and what ran last is the program.
  "$CPROF" info out.prof | grep -Eq '^  processes  *1$'
  [ "$(info_value out.prof program)" = "$PWD/link6" ]
  "$CPROF" report out.prof | grep -q 'are wall-clock seconds'
  lifetimes_add_up out.prof
  fails 3 "$CPROF" run -q sh -c 'exec env A=1 sh -c "exec env B=1 nice sh -c \"exec env sh -c \\\"exit 3\\\"\""'
  "$CPROF" info out.prof | awk '$1 == "process" && NF >= 5 { print $5 }' | tr '\n' ' ' >names
  [ "$(cat names)" = 'sh env sh env nice sh env sh ' ]
}

test_behaviour_spawned_children_have_their_own_stacks() {
  cat >spawns.c <<'SOURCE'
#include <spawn.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 0; !failed && i < 10; i++) {
		int status;
		pid_t child;

		failed = posix_spawnp(&child, argv[1], 0, 0, argv + 1, environ) ||
			 waitpid(child, &status, 0) != child || status;
	}
	return failed;
}
SOURCE
  compile spawns
  recorded out.prof ./spawns "$SAMPLES/nofp" 0.05
  [ "$("$CPROF" info out.prof | grep -c "^  process .* nofp  $SAMPLES/nofp$")" = 10 ]
  has_stack out.prof '^nofp;.*;main;deep1;.*;deep20;leaf_half[; ]'
  fails 1 grep -q '^spawns;.*;deep1' stacks
  fails 1 grep -q '^nofp;.*posix_spawn' stacks
  within 450000 900000 "$(sum_of out.prof cpu '^nofp;.*;main;deep1;')"
  lifetimes_add_up out.prof
}

test_behaviour_threads_outlive_main() {
  cat >outlives.c <<'SOURCE'
#include <pthread.h>
#include <stdio.h>
#include <time.h>
static __attribute__((noipa)) void *live_on(void *result)
{
	while (clock() < CLOCKS_PER_SEC / 2)
		++*(volatile int *)result;
	puts("went on");
	return result;
}
int main(void)
{
	static int rounds;
	pthread_t thread;

	if (pthread_create(&thread, NULL, live_on, &rounds))
		return 1;
	pthread_exit(NULL);
}
SOURCE
  compile outlives -pthread
  recorded out.prof ./outlives
  [ "$(cat program.out)" = 'went on' ]
  within 400000 700000 "$(sum_of out.prof cpu ';live_on(;|$)')"
  fails 1 grep -F '[[vdso]+0x' <("$CPROF" flame --folded out.prof)
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6 { life[++count] = $4 - $3 }
    END { exit !(count == 2 && life[1] < life[2]) }'
  lifetimes_add_up out.prof
}

test_behaviour_used_again_ids_are_new_processes() {
  local pids
  can_record
  # In a pid namespace of its own the last pid can be set: two children, one after the other, are 9.
  cat >again.sh <<'SCRIPT'
echo 8 >/proc/sys/kernel/ns_last_pid || exit 77
"$SAMPLES/nofp" 0.1
echo 8 >/proc/sys/kernel/ns_last_pid
"$SAMPLES/recursion"
SCRIPT
  unshare --pid --fork --mount-proc sh -c 'exit 0' || skip 'no pid namespace can be made here'
  unshare --pid --fork --mount-proc "$CPROF" run -q sh again.sh >out 2>err || skip "$(cat err)"
  pids=$("$CPROF" info out.prof | awk '$1 == "process" && $5 ~ /nofp|recursion/ { print $2 }' | sort -u)
  [ "$pids" = 9 ]
  has_stack out.prof '^nofp;.*;main;deep1;'
  has_stack out.prof '^recursion;.*;main;fibonacci;'
  fails 1 grep -Eq '^(nofp;.*fibonacci|recursion;.*deep1)' stacks
  lifetimes_add_up out.prof
}

# --- programs that leave, stop, or shut themselves in ----------------------------------------------

write_daemon() {
  cat >daemon.c <<'SOURCE'
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static __attribute__((noipa)) int serve(double seconds)
{
	double end = clock() / (double)CLOCKS_PER_SEC + seconds;
	volatile int rounds = 0;

	while (clock() / (double)CLOCKS_PER_SEC < end)
		rounds++;
	return rounds;
}
int main(int argc, char **argv)
{
	if (fork())
		_exit(7);
	setsid();
	if (fork())
		_exit(0);
	for (int fd = 0; fd < 65536; fd++)
		close(fd);
	return argc < 2 || chdir("/") || serve(atof(argv[1])) == 0;
}
SOURCE
  compile daemon
}

test_behaviour_daemon_is_recorded_to_its_end() {
  write_daemon
  can_record
  fails 7 "$CPROF" run --wait ./daemon 0.5 2>err
  fails 1 grep -q 'still running' err
  within 400000 800000 "$(sum_of out.prof cpu '^daemon;.*;main;serve(;|$)')"
  [ "$(info_value out.prof status)" = 7 ]
  "$CPROF" info out.prof | grep -Eq '^  processes  *3$'
  lifetimes_add_up out.prof
}

test_behaviour_lost_exits_are_not_waited_for() {
  local recorder
  can_record
  # The recorder sleeps while descendants fill its rings and end.
  "$CPROF" run --wait -F 4000 sh -c \
    'for i in 1 2 3; do (sleep 0.5; echo >>begun; "$SAMPLES/nofp" 1 >out; echo >>ended) & done; exit 3' 2>err &
  recorder=$!
  wait_until test -e begun
  kill -STOP "$recorder"
  wait_until three_have_ended
  kill -CONT "$recorder"
  fails 3 wait "$recorder"
  is_whole out.prof
  [ "$(info_value out.prof lost)" -gt 0 ]
  grep -q '^cprof: [0-9]* records were lost' err
}

three_have_ended() { [ "$(cat ended 2>/dev/null | wc -l)" = 3 ]; }

test_behaviour_daemon_that_goes_on_is_named() {
  local alive
  write_daemon
  can_record
  fails 7 timeout 60 "$CPROF" run ./daemon 20 2>err
  grep -Eq '^cprof: 1 descendant is still running, recorded up to here: daemon \([0-9]+\)$' err
  alive=$(sed -n 's/.*: daemon (\([0-9]*\))$/\1/p' err)
  kill -0 "$alive"
  kill "$alive"
  is_whole out.prof
}

test_behaviour_strict_seccomp_is_obeyed() {
  cat >strict.c <<'SOURCE'
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
static __attribute__((noipa)) unsigned work_alone(void)
{
	volatile unsigned sum = 1;

	for (int i = 0; i < 300000000; i++)
		sum = sum * 3 + 1;
	return sum;
}
int main(void)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		return 77;
	if (work_alone() == 0 || write(1, "done\n", 5) != 5)
		syscall(SYS_exit, 1);
	syscall(SYS_exit, 6); /* exit_group is forbidden */
}
SOURCE
  compile strict
  touch stdin.data
  can_record
  same_as_without ./strict
  [ "$(cat recorded.out)" = 'done' ]
  has_stack out.prof ';main;work_alone[; ]'
  # A filter that kills whoever opens anything.
  cat >filtered.c <<'SOURCE'
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static __attribute__((noipa)) int work_filtered(void)
{
	volatile int rounds = 0;

	while (clock() < CLOCKS_PER_SEC / 4)
		rounds++;
	return rounds;
}
int main(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 77;
	return work_filtered() == 0 || open("/dev/null", O_RDONLY);
}
SOURCE
  compile filtered
  fails 159 "$CPROF" run -q ./filtered # SIGSYS
  is_whole out.prof
  has_stack out.prof ';main;work_filtered[; ]'
}

test_behaviour_time_stopped_is_time_blocked() {
  cat >stops.c <<'SOURCE'
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static __attribute__((noipa)) int stop_here(void) { return raise(SIGSTOP) + 1; }
int main(void)
{
	pid_t self = getpid(), child = fork();

	if (child == 0) {
		usleep(700000);
		_exit(kill(self, SIGCONT));
	}
	stop_here();
	waitpid(child, NULL, 0);
	puts("went on");
	return 3;
}
SOURCE
  compile stops
  can_record
  fails 3 "$CPROF" run -q ./stops >out
  [ "$(cat out)" = 'went on' ]
  within 600000 5000000 "$(sum_of out.prof blocked ';main;stop_here(;|$)')"
  within 0 100000 "$(sum_of out.prof cpu .)"
  lifetimes_add_up out.prof
}

# --- pipes and terminals ---------------------------------------------------------------------------

test_behaviour_pipes_and_output_are_the_programs() {
  seq 300000 >stdin.data
  can_record
  same_as_without wc
  same_as_without sort -rn
  same_as_without sh -c 'cat; echo to stderr >&2; exit 9'
  # shellcheck disable=SC2002 # a pipe is the point
  [ "$(cat stdin.data | "$CPROF" run -q wc -l)" = 300000 ]
  # What is not read stays for the next one.
  { "$CPROF" run -q sh -c 'read -r line; echo "$line"'; cat; } <stdin.data | cmp - stdin.data
}

test_behaviour_terminal_is_the_programs() {
  local look='tty; stty -a; ps -o pgid=,tpgid= -p $$ | awk "{ print \$1 == \$2 }"; read -r answer; echo "got $answer"'
  can_record
  at_terminal '1' $'yes\n' -- sh -c "$look" | sed 1d >plain
  at_terminal '1' $'yes\n' -- "$CPROF" run -q sh -c "$look" | sed 1d >recorded
  grep -q 'got yes' plain
  cmp plain recorded
  # A program that takes the whole screen.
  command -v less >less.path || skip 'there is no less'
  seq 500 >numbers
  TERM=vt100 at_terminal '23' 'G' '500' 'q' -- less numbers >plain
  TERM=vt100 at_terminal '23' 'G' '500' 'q' -- "$CPROF" run -q less numbers >recorded
  cmp plain recorded
}

# A job of a shell: it stops when its program does, in whatever way, and goes on with it.
test_behaviour_stopped_program_is_a_stopped_job() {
  can_record
  cat >job.sh <<'SCRIPT'
set -m
"$@" sh -c 'echo before; kill -STOP $$; echo behind; exit 4'
echo "first $?"
fg >fg.out
echo "then $?"
SCRIPT
  at_terminal -- bash job.sh env >plain
  at_terminal -- bash job.sh "$CPROF" run -q >recorded
  grep -q 'first 147' plain
  grep -q 'then 4' plain
  cmp plain recorded
  is_whole out.prof
  # Where no shell looks after jobs nobody would wake cprof: it stays awake.
  at_terminal -- sh -c '"$CPROF" run -q sh -c "(sleep 0.5; kill -CONT \$\$) & kill -STOP \$\$; wait; exit 4"; echo "then $?"' >out
  grep -q 'then 4' out
}

test_behaviour_full_screen_program_can_be_left_for_the_shell() {
  command -v less >less.path || skip 'there is no less'
  can_record
  seq 500 >numbers
  cat >job.sh <<'SCRIPT'
set -m
"$@" less numbers
echo "first $?"
fg >fg.out
echo "then $?"
SCRIPT
  TERM=vt100 at_terminal '23' $'\032' 'first 148' '' '23' 'q' -- bash job.sh env >plain
  TERM=vt100 at_terminal '23' $'\032' 'first 148' '' '23' 'q' -- bash job.sh "$CPROF" run -q >recorded
  grep -q 'then 0' recorded
  cmp plain recorded
}

# --- those who watch others ------------------------------------------------------------------------

test_behaviour_strace_and_gdb_work() {
  command -v strace >path || skip 'there is no strace'
  command -v gdb >path || skip 'there is no gdb'
  can_record
  fails 3 "$CPROF" run -q strace -f -o log sh -c '"$SAMPLES/nofp" 0.2; exit 3'
  tail -n 1 log | grep -q 'exited with 3'
  grep -q 'nofp' log
  "$CPROF" info out.prof | grep -q '^  process .* strace '
  has_stack out.prof '^nofp;.*;main;deep1;.*;deep20;leaf_half[; ]'
  lifetimes_add_up out.prof
  "$CPROF" run -q -o gdb.prof gdb -nx -q -batch -ex 'break leaf_fifth' -ex run -ex 'delete' -ex continue \
    -ex 'print 6 * 7' --args "$SAMPLES/nofp" 0.2 >out 2>err
  grep -q '^Breakpoint 1, .*leaf_fifth' out
  grep -q 'exited normally' out
  grep -q '= 42$' out
  is_whole gdb.prof
  has_stack gdb.prof '^nofp;.*;main;deep1;.*;deep20;leaf_half[; ]'
  has_stack gdb.prof '^gdb;'
  # The other way round: cprof under strace.
  ASAN_OPTIONS=detect_leaks=0 fails 4 strace -f -o log2 "$CPROF" run -q -o third.prof sh -c 'exit 4'
  is_whole third.prof
}

# --- rights ----------------------------------------------------------------------------------------

write_privileged() {
  cat >privileged.c <<'SOURCE'
#include <stdio.h>
#include <time.h>
#include <unistd.h>
static __attribute__((noipa)) int work_with_rights(void)
{
	volatile int rounds = 0;

	while (clock() < CLOCKS_PER_SEC / 4)
		rounds++;
	return rounds;
}
int main(void)
{
	printf("%d\n", (int)geteuid());
	return work_with_rights() == 0 || usleep(300000) ? 1 : 5;
}
SOURCE
  compile privileged
  cp privileged "$public/privileged"
}

test_behaviour_setuid_program_keeps_its_rights() {
  make_public_place
  write_privileged
  chown 0:0 "$public/privileged"
  chmod 4755 "$public/privileged"
  as_nobody "$public/privileged" >plain || true
  [ "$(cat plain)" = 0 ] || skip 'programs in /tmp gain no rights here (nosuid)'
  as_nobody "$public/cprof" run -q --backend=perf true 2>err || skip "an ordinary user may not record: $(cat err)"
  fails 5 as_nobody "$public/cprof" run -q "$public/privileged" >out
  [ "$(cat out)" = 0 ]
  cp "$public/home/out.prof" one.prof
  is_whole one.prof
  # All its time but for the exec, on the CPU and off it.
  within 500000 9000000 "$(sum_of one.prof wall '^privileged;[[]not permitted: setuid]$')"
  within 200000 500000 "$(sum_of one.prof cpu '^privileged;[[]not permitted: setuid]$')"
  within 0 50000 "$(sum_of one.prof wall '^privileged;[[]not sampled]$')"
  lifetimes_add_up one.prof
  # A part of the run only; what comes behind is seen.
  fails 4 as_nobody "$public/cprof" run -q sh -c '../privileged >/dev/null; ../nofp 0.2 >/dev/null; exit 4'
  cp "$public/home/out.prof" two.prof
  within 200000 500000 "$(sum_of two.prof cpu '^privileged;[[]not permitted: setuid]$')"
  has_stack two.prof '^nofp;.*;main;deep1;.*;deep20;leaf_half[; ]'
  lifetimes_add_up two.prof
  # Waited for, too, though no event tells of its end.
  fails 6 as_nobody "$public/cprof" run -q --wait sh -c '../privileged >/dev/null & exit 6'
  cp "$public/home/out.prof" three.prof
  within 500000 9000000 "$(sum_of three.prof wall '^privileged;[[]not permitted: setuid]$')"
  # Not setuid, but nobody may read it.
  cp "$SAMPLES/nofp" "$public/unreadable"
  chmod 711 "$public/unreadable"
  as_nobody "$public/cprof" run -q "$public/unreadable" 0.2 >out
  within 150000 400000 "$(sum_of "$public/home/out.prof" cpu '^unreadable;[[]not permitted: capabilities or')"
}

test_behaviour_setuid_program_is_seen_by_root() {
  make_public_place
  write_privileged
  chown 65534:65534 "$public/privileged"
  chmod 4755 "$public/privileged"
  can_record
  fails 5 "$CPROF" run -q "$public/privileged" >out
  [ "$(cat out)" = 65534 ] || skip 'programs in /tmp gain no rights here (nosuid)'
  sees_all_cpus out.prof || skip 'no events per CPU here'
  within 200000 500000 "$(sum_of out.prof cpu ';main;work_with_rights(;|$)')"
  within 250000 9000000 "$(sum_of out.prof blocked ';main;usleep(;|$)')"
  lifetimes_add_up out.prof
}

# --- keeping up ------------------------------------------------------------------------------------

test_behaviour_too_high_a_rate_is_counted() {
  recorded out.prof "$SAMPLES/threads"
  [ "$(info_value out.prof lost)" = 0 ]
  recorded fast.prof -F 20000 "$SAMPLES/nofp" 1
  local samples lost
  samples=$(sum_of fast.prof samples .)
  lost=$(info_value fast.prof lost)
  # The kernel may ask for less (perf_cpu_time_max_percent), and says so.
  [ "$(info_value fast.prof throttled)" -gt 0 ] || within 10000 40000 $((samples + lost))
  [ "$samples" -gt 1000 ]
  "$CPROF" report fast.prof | grep -Eq "^ *samples +$samples, [0-9]+ a CPU second \(asked: 20000\), $lost lost, [0-9]+ times? throttled;"
  within 900000 1300000 "$(sum_of fast.prof cpu .)"
}
