# shellcheck disable=SC2016 # scripts for inner shells
# The backend for where perf events are forbidden: `cprof run --backend=ptrace`. The program is
# stopped for each sample, and must not notice.

public='' # see make_public_place
busy='i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'

# Records with ptrace, or skips the test where that is forbidden too.
traced() { recorded "$1" --backend=ptrace "${@:2}"; }

# CPU time over all stacks is what wait4(2) says, to 2 % and a little for what lies before the exec.
cpu_is_rusage() { # FILE
  awk -v cpu="$(sum_of "$1" cpu .)" -v user="$(info_value "$1" user)" \
    -v kernel="$(info_value "$1" system)" 'BEGIN {
      usage = (user + kernel) * 1e6; off = cpu - usage; if (off < 0) off = -off
      if (off > usage * 0.02 + 15000) { print "CPU " cpu " us, rusage " usage " us"; exit 1 } }'
}

test_ptrace_sleeper_sleeps_where_it_was_asked_to() {
  traced out.prof "$SAMPLES/sleeper"
  within 5800000 6700000 "$(sum_of out.prof wall ';sleep_for_1s(;|$)')"
  within 4850000 5650000 "$(sum_of out.prof wall ';main;function1;sleep_for_1s(;|$)')"
  within 900000 1400000 "$(sum_of out.prof wall ';main;function2;sleep_for_1s(;|$)')"
  within 5800000 6700000 "$(sum_of out.prof blocked ';sleep_for_1s(;|$)')"
  lifetimes_add_up out.prof
  is_whole out.prof
}

test_ptrace_stacks_are_whole_and_times_add_up() {
  traced out.prof --max-overhead 50 "$SAMPLES/complicated"
  within 99 100 "$("$CPROF" info out.prof | awk '$1 == "rooted" { print $2 }')"
  has_stack out.prof ';main;myfunc;mymethod;prep_y'
  cpu_is_rusage out.prof
  lifetimes_add_up out.prof
  traced out.prof --max-overhead 50 "$SAMPLES/recursion"
  has_stack out.prof ';main;fibonacci;fibonacci;fibonacci(;fibonacci)* [0-9]+$'
  has_stack out.prof ';main;count_even;count_odd;count_even;count_odd;.*;mix [0-9]+$'
  cpu_is_rusage out.prof
}

test_ptrace_threads_have_their_own_work() {
  local name
  traced out.prof --max-overhead 50 "$SAMPLES/threads"
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6 { print $NF, int($5 * 1000) }' >cpu
  [ "$(wc -l <cpu)" = 5 ]
  for name in threads adder multiplier sleeper worker; do grep -q "^$name " cpu; done
  within 380 500 "$(awk '$1 == "adder" { print $2 }' cpu)"
  within 760 950 "$(awk '$1 == "multiplier" { print $2 }' cpu)"
  within 1150000 1900000 "$(sum_of out.prof blocked ';sleeper;wait_for_nothing(;|$)')"
  within 1000000 60000000 "$(sum_of out.prof blocked ';main;wait_for_all;')"
  cpu_is_rusage out.prof
  lifetimes_add_up out.prof
}

test_ptrace_children_have_their_own_work() {
  traced out.prof --max-overhead 50 "$SAMPLES/forks"
  within 220000 420000 "$(sum_of out.prof cpu '^forks;.*;main;run_child;child_work(;|$)')"
  within 140000 320000 "$(sum_of out.prof cpu '^forks;.*;main;run_child;grandchild_work(;|$)')"
  within 220000 420000 "$(sum_of out.prof cpu '^exe;.*;main;image_work(;|$)')"
  within 220000 420000 "$(sum_of out.prof cpu '^exe;.*;main;second_life(;|$)')"
  cpu_is_rusage out.prof
  lifetimes_add_up out.prof
}

test_ptrace_thread_that_execs_becomes_the_process() {
  cat >thread_execs.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static char **arguments;
static void *become(void *unused)
{
	execv(arguments[1], arguments + 1);
	exit(99);
	return unused;
}
int main(int argc, char **argv)
{
	pthread_t thread;

	arguments = argv;
	if (argc < 2 || pthread_create(&thread, NULL, become, NULL))
		return 98;
	pthread_join(thread, NULL);
	return 97;
}
END
  compile thread_execs -pthread
  traced out.prof ./thread_execs "$SAMPLES/nofp" 0.5
  within 400000 700000 "$(sum_of out.prof cpu '^nofp;.*;main;deep1;.*;deep20(;|$)')"
  lifetimes_add_up out.prof
}

test_ptrace_many_short_processes_are_all_there() {
  traced out.prof sh -c 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done; exit 0'
  [ "$("$CPROF" info out.prof | grep -c '^  process .* true ')" = 200 ]
  cpu_is_rusage out.prof
  lifetimes_add_up out.prof
}

test_ptrace_calls_are_not_interrupted() {
  traced out.prof -F 5000 --max-overhead 100 "$SAMPLES/interrupted"
  grep -qx 'never interrupted' program.out
  has_stack out.prof ';repeat;work '
  for call in epoll_wait sigtimedwait poll semtimedop recv; do
    within 200000 1700000 "$(sum_of out.prof blocked ";repeat;wait_in_$call(;|\$)")"
  done
  within 350000 5000000 "$(sum_of out.prof blocked ';wait_for_the_end;wait_without_limit(;|$)')"
}

test_ptrace_stopped_program_goes_on() {
  traced probe.prof true
  # It stops itself, as by SIGTSTP from a terminal, and is woken by another.
  cat >stops.sh <<END
(sleep 1; kill -CONT \$\$) &
kill -STOP \$\$
$busy
wait
exit 7
END
  fails 7 "$CPROF" run -q --backend=ptrace sh stops.sh
  is_whole out.prof
  lifetimes_add_up out.prof
}

test_ptrace_exit_status_is_the_programs_own() {
  traced probe.prof true
  fails 3 "$CPROF" run -q --backend=ptrace sh -c 'exit 3'
  fails 137 "$CPROF" run -q --backend=ptrace sh -c 'kill -9 $$'
  fails 143 "$CPROF" run -q --backend=ptrace sh -c 'kill $$'
  fails 139 "$CPROF" run -q --backend=ptrace "$SAMPLES/crash"
  is_whole out.prof
  fails 127 "$CPROF" run -q --backend=ptrace ./nothing
  echo x >plain
  fails 126 "$CPROF" run -q --backend=ptrace ./plain
}

test_ptrace_signals_reach_the_program() {
  traced probe.prof true
  "$CPROF" run -q --backend=ptrace bash -c 'got=0; trap "got=\$((got+1))" USR1
    for i in 1 2 3 4 5 6 7 8 9 10; do kill -USR1 $$; done; echo "$got"' >out
  [ "$(cat out)" = 10 ]
}

test_ptrace_killed_recorder_leaves_the_program_running() {
  local recorder
  traced probe.prof true
  "$CPROF" run -q --backend=ptrace sh -c "sleep 0.2; touch begun; $busy; $busy; sleep 1; echo end >ended" &
  recorder=$!
  wait_until [ -e begun ]
  kill -9 "$recorder"
  wait "$recorder" || true
  wait_until [ -s ended ]
}

test_ptrace_recording_may_end_before_the_program() {
  traced probe.prof true
  "$CPROF" run -q --backend=ptrace --duration 0.5 sh -c "(sleep 1.5; echo end >ended) & $busy; wait; exit 0"
  [ -s ended ]
  within 400000 900000 "$(info_value out.prof duration | awk '{ print int($1 * 1e6) }')"
}

test_ptrace_rate_and_cost_are_told() {
  "$CPROF" run --backend=ptrace --max-overhead 2 "$SAMPLES/nofp" 1 >out 2>err || skip "$(cat err)"
  grep -Eq ' [0-9]+ looks a second that cost about [0-9.]+ % of its time' err
  "$CPROF" report out.prof | tr '\n' ' ' | tr -s ' ' |
    grep -Eq 'stops [0-9]+, [0-9.]+ s in all; [0-9]+ looks? a second, which has cost the program about [0-9.]+ %'
  # Less is looked where that would cost more; the pacer's own test has the figures.
  within 1 999 "$(info_value out.prof 'look rate')"
  fails 125 "$CPROF" run --max-overhead 0 true 2>err
  fails 125 "$CPROF" run --max-overhead much true 2>err
  grep -q '^cprof run: --max-overhead needs a number' err
}

test_ptrace_marks_and_dlopen_are_seen() {
  cat >plugin.c <<'END'
int spin(int rounds);
__attribute__((noipa)) int spin(int rounds)
{
	volatile int done = 0;

	while (done < rounds)
		done++;
	return done;
}
END
  cat >host.c <<'END'
#include <cprof.h>
#include <dlfcn.h>
#include <unistd.h>
int main(void)
{
	int (*spin)(int), done;

	usleep(100000);
	spin = (int (*)(int))dlsym(dlopen("./plugin.so", RTLD_NOW), "spin");
	cprof_start();
	done = spin(400000000);
	cprof_stop();
	return done == 0;
}
END
  compile plugin -shared -fPIC
  mv plugin plugin.so
  compile host -ldl
  traced out.prof ./host
  within 90 100 "$(($(sum_of out.prof cpu ';main;spin(;|$)') * 100 / $(sum_of out.prof cpu .)))"
  "$CPROF" flame --folded -m cpu --region out.prof >region
  grep -q ';main;spin ' region
}

# Runs a command to which the kernel refuses system calls: perf_event_open, and ptrace with "both".
write_refusing() {
  cat >refusing.c <<'END'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	int both = argc > 1 && strcmp(argv[1], "both") == 0;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, both ? SYS_ptrace : SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 77;
	execvp(argv[2], argv + 2);
	return 77;
}
END
  compile refusing
  ./refusing perf true || skip "there is no seccomp here"
}

test_ptrace_is_taken_where_perf_is_refused() {
  write_refusing
  traced probe.prof true
  ./refusing perf "$CPROF" run "$SAMPLES/nofp" 0.5 >out 2>err
  grep -q 'samples by ptrace' err
  grep -q 'recorded with ptrace: .*perf_event_paranoid is' err
  has_stack out.prof ';main;deep1;.*;deep20;leaf_'
  [ "$(info_value out.prof backend)" = ptrace ]
  "$CPROF" report out.prof | tr '\n' ' ' | grep -q 'ptrace: stops'
}

test_ptrace_and_perf_refused_is_one_sentence() {
  write_refusing
  # A sanitizer that looks for leaks traces, too.
  export ASAN_OPTIONS=detect_leaks=0
  fails 125 ./refusing both "$CPROF" run touch started 2>err
  [ "$(wc -l <err)" = 1 ]
  grep -q 'sudo sysctl kernel.perf_event_paranoid=' err
  grep -q 'sudo cprof run' err
  grep -q 'not allowed to trace' err
  [ ! -e started ]
  fails 125 ./refusing both "$CPROF" run --backend=ptrace touch started 2>err
  [ "$(wc -l <err)" = 1 ]
}

test_ptrace_ordinary_user_records() {
  make_public_place
  as_nobody "$public/cprof" run -q --backend=ptrace "$public/nofp" 1 >out 2>err ||
    skip "an ordinary user may not trace: $(cat err)"
  cp "$public/home/out.prof" user.prof
  has_stack user.prof ';main;deep1;deep2;.*;deep20;leaf_half [0-9]+$'
  within 98 100 "$("$CPROF" info user.prof | awk '$1 == "rooted" { print $2 }')"
  cpu_is_rusage user.prof
}
