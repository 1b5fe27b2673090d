# What `cprof run` records, and what the program that is recorded notices of it: nothing.
#
# Times are asserted only where they are the subject, with room for a busy machine.

busy='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'

# --- samples -------------------------------------------------------------------------------------

test_run_sleeper_sleeps_where_it_was_asked_to() {
  recorded out.prof "$SAMPLES/sleeper"
  within 5900000 6600000 "$(sum_of out.prof wall ';sleep_for_1s(;|$)')"
  within 4900000 5600000 "$(sum_of out.prof wall ';main;function1;sleep_for_1s(;|$)')"
  within 900000 1400000 "$(sum_of out.prof wall ';main;function2;sleep_for_1s(;|$)')"
  within 5900000 6600000 "$(sum_of out.prof blocked ';sleep_for_1s(;|$)')"
  within 0 500000 "$(sum_of out.prof cpu .)"
  lifetimes_add_up out.prof
  "$CPROF" report out.prof >rows
  grep -Eq ' 5\.9[0-9]* | 6\.[0-6][0-9]* .*sleeper\.c:[0-9]+\(sleep_for_1s\)$' rows
  is_whole out.prof
}

test_run_recursion_counts_a_function_once_per_stack() {
  recorded out.prof "$SAMPLES/recursion"
  has_stack out.prof ';main;fibonacci;fibonacci;fibonacci(;fibonacci)* [0-9]+$'
  has_stack out.prof ';main;count_even;count_odd;count_even;count_odd;.*;mix [0-9]+$'
  for metric in wall cpu samples; do
    "$CPROF" report -m "$metric" out.prof |
      awk '/filename:lineno/ { rows = 1; next } rows && NF > 4 {
          sub(/ ±[0-9]+/, ""); count++
          if ($5 > 100) { print "more than all: " $0; bad = 1 } }
        END { exit bad || count < 5 }'
  done
  whole=$(sum_of out.prof cpu .)
  main=$(sum_of out.prof cpu ';main(;|$)')
  [ "$main" -le "$whole" ]
  within "$((main * 98 / 100))" "$main" "$(sum_of out.prof cpu ';main;(fibonacci|count_even)(;|$)')"
}

test_run_stacks_without_frame_pointers_reach_main() {
  local deep='' level total
  for level in $(seq 20); do deep="$deep;deep$level"; done
  recorded out.prof "$SAMPLES/nofp" 1
  has_stack out.prof ";main$deep;leaf_half "
  has_stack out.prof ";main$deep;leaf_third "
  has_stack out.prof ";main$deep;leaf_fifth "
  total=$(sum_of out.prof samples ';leaf_')
  [ "$total" -ge 500 ]
  # Shares are exact by construction; an honest sample of so many strays by less than this.
  within 42 58 "$(($(sum_of out.prof samples ';leaf_half(;|$)') * 100 / total))"
  within 22 38 "$(($(sum_of out.prof samples ';leaf_third(;|$)') * 100 / total))"
  within 12 28 "$(($(sum_of out.prof samples ';leaf_fifth(;|$)') * 100 / total))"
  within 99 100 "$("$CPROF" info out.prof | awk '$1 == "rooted" { print $2 }')"
  # The program stops after 1 s of CPU time by its own clock.
  within 900000 1200000 "$(sum_of out.prof cpu .)"
}

test_run_stacks_deeper_than_any_copy_reach_main() {
  # 3,000 frames of 512 bytes and more: 1.5 MB.
  cat >deep.c <<'END'
#include <time.h>
static __attribute__((noipa)) int work(double seconds)
{
	double end = clock() / (double)CLOCKS_PER_SEC + seconds;
	volatile int rounds = 0;

	while (clock() / (double)CLOCKS_PER_SEC < end)
		for (int i = 0; i < 100000; i++)
			rounds++;
	return rounds;
}
static __attribute__((noipa)) int descend(int depth)
{
	volatile char room[512];

	room[depth % 512] = (char)depth;
	return (depth ? descend(depth - 1) : work(0.7)) + room[depth % 512];
}
int main(void) { return descend(3000) == 0; }
END
  compile deep
  recorded out.prof ./deep
  # What lies beyond the copy is read a moment later: not for the last samples before the end.
  "$CPROF" flame --folded -m samples out.prof |
    awk '/;work[; ]/ { all += $NF } /;main(;descend)+;work[; ]/ && split($0, parts, ";descend") == 3002 {
        whole += $NF }
      END { print whole " of " all " stacks are whole"; exit !(all > 100 && whole >= 0.8 * all) }'
  within 80 100 "$("$CPROF" info out.prof | awk '$1 == "rooted" { print $2 }')"
}

test_run_cpu_total_is_exact_at_any_rate() {
  recorded out.prof -F 20 "$SAMPLES/nofp" 1
  # Other recordings that begin and end make the kernel's timer fire more often, now and then.
  within 5 400 "$(sum_of out.prof samples .)"
  within 900000 1200000 "$(sum_of out.prof cpu .)"
  lifetimes_add_up out.prof
}

test_run_threads_have_their_own_work() {
  local name
  recorded out.prof "$SAMPLES/threads"
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6 { print $NF, int($5 * 1000) }' >cpu
  [ "$(wc -l <cpu)" = 5 ]
  for name in threads adder multiplier sleeper worker; do grep -q "^$name " cpu; done
  # Two threads work by their own CPU clocks.
  within 380 500 "$(awk '$1 == "adder" { print $2 }' cpu)"
  within 760 950 "$(awk '$1 == "multiplier" { print $2 }' cpu)"
  within 320000 520000 "$(sum_of out.prof cpu ';adder;add_numbers(;|$)')"
  within 700000 900000 "$(sum_of out.prof cpu ';multiplier;multiply_numbers(;|$)')"
  within 1150000 1900000 "$(sum_of out.prof blocked ';sleeper;wait_for_nothing(;|$)')"
  # An ordinary user's recording sees long waits only.
  info_value out.prof event | grep -q 'user only' ||
    within 250000 2000000 "$(sum_of out.prof blocked ';worker;wait_some(;|$)')"
  within 1000000 60000000 "$(sum_of out.prof blocked ';main;wait_for_all;')"
  lifetimes_add_up out.prof
}

test_run_many_threads_of_each_kind_keep_their_lives() {
  recorded out.prof "$SAMPLES/threads" 3
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6 { print $NF }' | sort | uniq -c >names
  awk '{ print $1, $2 }' names >counts
  printf '%s\n' '3 adder' '3 multiplier' '3 sleeper' '1 threads' '3 worker' | cmp - counts
  lifetimes_add_up out.prof
}

test_run_children_have_their_own_work() {
  recorded out.prof "$SAMPLES/forks"
  # fork: named like the parent; exec: /proc/self/exe is called "exe", and the first process, which
  # execs itself, is "forks" until then. What a child does before its first exec is part of it.
  within 220000 420000 "$(sum_of out.prof cpu '^forks;.*;main;run_child;child_work(;|$)')"
  within 140000 320000 "$(sum_of out.prof cpu '^forks;.*;main;run_child;grandchild_work(;|$)')"
  within 220000 420000 "$(sum_of out.prof cpu '^exe;.*;main;image_work(;|$)')"
  within 220000 420000 "$(sum_of out.prof cpu '^exe;.*;main;second_life(;|$)')"
  "$CPROF" info out.prof | awk '$1 == "process" { print $5, $6 }' | sort >processes
  printf '%s\n' "exe $SAMPLES/forks" "exe $SAMPLES/forks" "forks $SAMPLES/forks" \
    "forks $SAMPLES/forks" "forks $SAMPLES/forks" | cmp - processes
  lifetimes_add_up out.prof
}

test_run_thread_that_execs_becomes_the_process() {
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
  recorded out.prof ./thread_execs "$SAMPLES/nofp" 0.5
  within 400000 700000 "$(sum_of out.prof cpu '^nofp;.*;main;deep1;.*;deep20(;|$)')"
  "$CPROF" info out.prof | grep -Eq '^  processes  *1$'
  "$CPROF" info out.prof | grep -q "^  process .* thread_execs  $PWD/thread_execs$"
  "$CPROF" info out.prof | grep -q "^  process .* nofp  $SAMPLES/nofp$"
  lifetimes_add_up out.prof
}

test_run_a_thousand_short_threads_are_counted() {
  cat >many.c <<'END'
#include <pthread.h>
#include <time.h>
static void *work(void *unused)
{
	struct timespec now;
	volatile int rounds = 0;

	do {
		rounds++;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while (now.tv_sec == 0 && now.tv_nsec < 500000);
	return unused;
}
int main(void)
{
	for (int i = 0; i < 1000; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, NULL) || pthread_join(thread, NULL))
			return 1;
	}
	return 0;
}
END
  compile many -pthread
  recorded out.prof ./many
  [ "$("$CPROF" info out.prof | grep -c '^    thread ')" = 1001 ]
  # 0.5 ms each by its own clock: whether or not a sample saw it.
  within 500000 900000 "$(sum_of out.prof cpu .)"
  lifetimes_add_up out.prof
}

test_run_short_children_are_all_there() {
  recorded out.prof sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done; exit 0'
  [ "$("$CPROF" info out.prof | grep -c '^  process .* true ')" = 10 ]
  [ "$("$CPROF" info out.prof | grep -c '^  process .* sh ')" = 1 ]
  lifetimes_add_up out.prof
}

test_run_inlined_functions_are_frames() {
  recorded out.prof "$SAMPLES/inlined"
  has_stack out.prof ';main;smooth_signal;smooth_row_\[i\];weighted_mean_\[i\](;weigh_\[i\])? [0-9]+$'
  "$CPROF" report out.prof >rows
  grep -q 'inlined.c:[0-9]*(weighted_mean)$' rows
  grep -q 'inlined.c:[0-9]*(smooth_signal)$' rows
}

test_run_crash_leaves_a_whole_profile() {
  cat >dies.c <<'END'
#include <sys/resource.h>
#include <time.h>
static __attribute__((noipa)) int burn_and_die(volatile int *nowhere)
{
	while (clock() < CLOCKS_PER_SEC / 5)
		;
	return *nowhere;
}
int main(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	return burn_and_die(0) + 1;
}
END
  compile dies
  can_record
  fails 139 "$CPROF" run -q -o crash.prof "$SAMPLES/crash"
  is_whole crash.prof
  [ "$(info_value crash.prof status)" = 139 ]
  has_stack crash.prof ';main;prepare[; ]'
  lifetimes_add_up crash.prof
  fails 139 "$CPROF" run -q -o dies.prof ./dies
  is_whole dies.prof
  has_stack dies.prof ';main;burn_and_die[; ]'
}

# --- what the caller sees -------------------------------------------------------------------------

test_run_exit_status_is_the_programs() {
  can_record
  "$CPROF" run -q true
  fails 1 "$CPROF" run -q false
  fails 7 "$CPROF" run -q sh -c 'exit 7'
  fails 125 "$CPROF" run -q sh -c 'exit 125' 2>err
  [ ! -s err ]
  fails 143 "$CPROF" run -q sh -c 'kill -TERM $$'
  fails 137 "$CPROF" run -q sh -c 'kill -KILL $$'
  [ "$(info_value out.prof status)" = 137 ]
  is_whole out.prof
}

test_run_says_what_cannot_be_run() {
  can_record
  rm -r probe.prof .cprof
  mkdir directory
  echo 'no program' >text
  fails 126 "$CPROF" run ./directory 2>err
  grep -q "^cprof: cannot run ./directory: Permission denied" err
  fails 126 "$CPROF" run ./text 2>err
  grep -q "^cprof: cannot run ./text: Permission denied" err
  chmod +x text
  fails 127 "$CPROF" run ./no-such-program 2>err
  grep -q "^cprof: cannot run ./no-such-program: No such file or directory" err
  # (Where a directory of PATH must not be searched it is 126, as with env(1).)
  PATH=/usr/bin:/bin fails 127 "$CPROF" run no-such-program-in-path 2>err
  [ "$(wc -l <err)" = 1 ]
  rm err probe.prof.part 2>/dev/null || true
  rm -f program.out run.err
  # Nothing is left behind.
  [ "$(ls -A | sort | tr '\n' ' ')" = 'directory text ' ]
}

test_run_own_failures_are_125_and_start_nothing() {
  can_record
  rm -rf probe.prof program.out run.err .cprof
  fails 125 "$CPROF" run -o no/such/directory/out.prof touch started 2>err
  grep -q '^cprof: .*no/such/directory/out.prof' err
  [ "$(wc -l <err)" = 1 ]
  mkdir taken
  fails 125 "$CPROF" run -o taken touch started 2>err
  [ "$(wc -l <err)" = 1 ]
  fails 125 "$CPROF" run --no-such-option touch started 2>err
  fails 125 "$CPROF" run -F none touch started 2>err
  fails 125 "$CPROF" run -F 0 touch started 2>err
  fails 125 "$CPROF" run -F 1000000 touch started 2>err
  fails 125 "$CPROF" run --duration=-1 touch started 2>err
  fails 125 "$CPROF" run --backend=crystal touch started 2>err
  grep -q "unknown backend 'crystal': known backends are auto, perf" err
  fails 125 "$CPROF" run -q 2>err
  grep -q 'no program to run' err
  rm err
  [ "$(ls -A)" = taken ]
}

test_run_failure_leaves_the_old_profile() {
  recorded out.prof sh -c "$busy"
  cp out.prof before
  fails 127 "$CPROF" run ./no-such-program 2>err
  cmp out.prof before
  fails 125 "$CPROF" run --backend=crystal true 2>err
  cmp out.prof before
  [ ! -e out.prof.part ]
  # While a recording runs, the old one is still there; then it is replaced.
  "$CPROF" run -q cmp out.prof before
  fails 1 cmp -s out.prof before
  [ "$(stat -c %a out.prof)" = 600 ]
}

test_run_second_recording_to_the_same_file_is_refused() {
  can_record
  "$CPROF" run -q sh -c 'touch ready; while [ ! -e go ]; do sleep 0.1; done' &
  local first=$!
  wait_until test -e ready
  fails 125 "$CPROF" run true 2>err
  grep -q '^cprof: .*out.prof' err
  [ "$(wc -l <err)" = 1 ]
  touch go
  wait "$first"
  is_whole out.prof
}

test_run_summary_is_one_line_on_stderr() {
  recorded out.prof true
  "$CPROF" run -o one.prof sh -c 'echo out; echo err >&2' >out 2>err
  [ "$(cat out)" = out ]
  [ "$(head -n 1 err)" = err ]
  [ "$(wc -l <err)" = 2 ]
  sed -n 2p err | grep -Eq \
    '^cprof: .* [0-9.]+ s, [0-9.]+ s CPU, [0-9.]+ MiB peak, [0-9]+ samples by perf .* 0 lost -> one.prof; next: cprof report one.prof$'
  "$CPROF" run -q sh -c 'echo err >&2' 2>err
  [ "$(cat err)" = err ]
}

test_run_print_shows_the_table_behind_the_programs_output() {
  recorded probe.prof true
  "$CPROF" run -q --print "$SAMPLES/recursion" >out
  "$CPROF" report >table
  tail -n +2 out >shown
  cmp shown table
  grep -q 'recursion.c:[0-9]*(fibonacci)$' out
}

test_run_label_and_rate_are_kept() {
  recorded out.prof --label 'my label' -F 100 "$SAMPLES/nofp" 1
  [ "$(info_value out.prof label)" = 'my label' ]
  [ "$(info_value out.prof 'rate asked')" = 100 ]
  within 50 500 "$(sum_of out.prof samples .)"
  [ "$(find .cprof -name '*.prof' | wc -l)" = 1 ]
  "$CPROF" list | grep -q '^my label '
  cmp out.prof "$(find .cprof -name '*.prof')"
  # By default the arguments are the label.
  recorded out.prof "$SAMPLES/nofp" 0.1
  [ "$(info_value out.prof label)" = 0.1 ]
  "$CPROF" report 0.1 >rows
  [ "$(stat -c %a .cprof)" = 700 ]
}

test_run_no_timeline_has_the_same_totals_in_less() {
  recorded with.prof "$SAMPLES/nofp" 1
  recorded without.prof --no-timeline "$SAMPLES/nofp" 1
  "$CPROF" info with.prof | grep -Eq 'timeline: [1-9][0-9]* bytes in [0-9]+ chunks, [1-9][0-9]* records'
  "$CPROF" info without.prof | grep -q 'timeline: 0 bytes in 0 chunks, 0 records'
  [ "$(stat -c %s without.prof)" -lt "$(stat -c %s with.prof)" ]
  lifetimes_add_up with.prof
  lifetimes_add_up without.prof
  within 900000 1200000 "$(sum_of without.prof cpu .)"
  within 99 100 "$("$CPROF" info without.prof | awk '$1 == "rooted" { print $2 }')"
}

test_run_options_end_at_the_program() {
  recorded out.prof echo -q --label none
  [ "$(cat program.out)" = '-q --label none' ]
  recorded out.prof -- echo -- -o
  [ "$(cat program.out)" = '-- -o' ]
}

# --- what the program sees ------------------------------------------------------------------------

test_run_standard_files_pass_through() {
  can_record
  seq 100000 >numbers
  "$CPROF" run -q cat <numbers | cmp - numbers
  "$CPROF" run -q sh -c 'cat >&2' <numbers 2>&1 >/dev/null | cmp - numbers
  # A reader that goes away ends the program by SIGPIPE as ever.
  { fails 141 "$CPROF" run -q seq 10000000 2>err || touch wrong; } | head -n 1 | grep -q '^1$'
  [ ! -e wrong ]
}

test_run_environment_is_unchanged() {
  can_record
  env -i PATH="$PATH" HOME=/nowhere 'A B=c d' LD_BIND_NOW=1 env | sort >plain
  env -i PATH="$PATH" HOME=/nowhere 'A B=c d' LD_BIND_NOW=1 "$CPROF" run -q env | sort >recorded
  cmp plain recorded
}

test_run_descriptors_limits_and_signals_are_unchanged() {
  local look='ls /proc/self/fd; cat /proc/self/limits; umask; pwd; nice
    grep -E "^(Sig(Pnd|Blk|Ign|Cgt)|ShdPnd|NoNewPrivs|Seccomp|Cap|Cpus_allowed)" /proc/self/status
    cut -d" " -f5-8 /proc/self/stat; cat /proc/self/oom_score_adj'
  can_record
  sh -c "$look" >plain
  "$CPROF" run -q sh -c "$look" >recorded
  diff plain recorded
  # A descriptor of the caller's own is the program's too.
  exec 7<plain
  "$CPROF" run -q cat /proc/self/fd/7 | cmp - plain
  "$CPROF" run -q sh -c 'cat <&7' | cmp - plain
  [ "$("$CPROF" run -q ls /proc/self/fd | tr '\n' ' ')" = "$(ls /proc/self/fd | tr '\n' ' ')" ]
}

test_run_closed_standard_files_stay_closed() {
  can_record
  "$CPROF" run -o a.prof sh -c '[ ! -e /proc/self/fd/0 ] && [ ! -e /proc/self/fd/1 ]' <&- >&-
  "$CPROF" run -o b.prof "$SAMPLES/nofp" 0.1 <&- >&- 2>&-
  is_whole a.prof
  is_whole b.prof
  has_stack b.prof ';main;deep1;'
}

test_run_nested_recordings_see_the_program() {
  recorded outer.prof "$CPROF" run -q -o inner.prof "$SAMPLES/nofp" 0.3
  is_whole outer.prof
  is_whole inner.prof
  has_stack inner.prof '^nofp;.*;main;deep1;.*;deep20;leaf_half[; ]'
  has_stack outer.prof '^nofp;.*;main;deep1;.*;deep20;leaf_half[; ]'
  "$CPROF" info outer.prof | grep -q '^  process .* cprof '
  [ "$("$CPROF" info outer.prof | grep -c '^  process .* nofp ')" = 1 ]
  [ "$("$CPROF" info inner.prof | grep -c '^  process ')" = 1 ]
}

test_run_deleted_program_has_its_names() {
  cp "$SAMPLES/nofp" gone
  recorded out.prof sh -c './gone 0.5 & sleep 0.2; rm gone; wait'
  has_stack out.prof '^gone;.*;main;deep1;.*;deep20;leaf_half[; ]'
}

test_run_is_found_through_path_and_name() {
  can_record
  mkdir bin
  cp "$SAMPLES/nofp" bin/some-program
  PATH=$PWD/bin:$PATH "$CPROF" run -q some-program 0.1 >out
  [ "$(info_value out.prof program)" = "$PWD/bin/some-program" ]
  has_stack out.prof '^some-program;.*;main;deep1;'
}

# --- signals --------------------------------------------------------------------------------------

test_run_sigterm_reaches_the_program() {
  can_record
  "$CPROF" run -q sh -c \
    'trap "echo got it; exit 3" TERM; touch ready; while :; do sleep 0.1; done' >out &
  local recorder=$!
  wait_until test -e ready
  kill -TERM "$recorder"
  fails 3 wait "$recorder"
  [ "$(cat out)" = 'got it' ]
  is_whole out.prof
  # One that does not catch it is ended by it, and cprof says so by its status.
  rm ready
  "$CPROF" run -q sh -c 'touch ready; exec sleep 60' &
  recorder=$!
  wait_until test -e ready
  kill -TERM "$recorder"
  fails 143 wait "$recorder"
  is_whole out.prof
  [ "$(info_value out.prof status)" = 143 ]
}

test_run_other_signals_reach_the_program_once() {
  local name
  can_record
  for name in HUP USR1 USR2; do
    rm -f ready count
    "$CPROF" run -q sh -c "trap 'echo x >>count' $name; touch ready
      while [ ! -e done ]; do sleep 0.05; done; sleep 0.3; exit 0" &
    local recorder=$!
    wait_until test -e ready
    kill -s "$name" "$recorder"
    wait_until test -s count
    touch done
    wait "$recorder"
    rm done
    [ "$(wc -l <count)" = 1 ]
  done
}

test_run_interrupt_and_quit_keys_end_the_program() {
  can_record
  fails 130 at_terminal ready $'\003' -- "$CPROF" run sh -c 'echo ready; exec sleep 60' >out
  is_whole out.prof
  [ "$(info_value out.prof status)" = 130 ]
  grep -q 'cprof: .* -> out.prof' out
  fails 131 at_terminal ready $'\034' -- "$CPROF" run sh -c 'ulimit -c 0; echo ready; exec sleep 60' >out
  is_whole out.prof
}

test_run_interrupt_key_is_the_programs_to_handle() {
  can_record
  # The terminal sends it to both; the program gets it once.
  at_terminal ready $'\003' -- "$CPROF" run -q sh -c '
    trap "n=\$((n+1))" INT; n=0; echo ready
    i=0; while [ $i -lt 15 ]; do sleep 0.1; i=$((i+1)); done; echo "interrupted $n times"' >out
  grep -q 'interrupted 1 times' out
  is_whole out.prof
  at_terminal ready $'\003' -- "$CPROF" run -q sh -c '
    trap "" INT; echo ready; sleep 1.2; echo went on' >out
  grep -q 'went on' out
  is_whole out.prof
  within 1.1 20 "$(info_value out.prof duration)"
}

test_run_ignored_interrupt_stays_ignored() {
  can_record
  (
    trap '' INT HUP
    exec "$CPROF" run -q sh -c 'kill -INT $$; kill -HUP $$; echo alive'
  ) >out
  [ "$(cat out)" = alive ]
}

test_run_stops_and_goes_on_with_its_job() {
  can_record
  cat >job.sh <<'END'
set -m
"$CPROF" run -q sh -c 'echo ready; i=0; while [ $i -lt 10 ]; do sleep 0.1; i=$((i+1)); done; echo went on'
echo "first $?"
fg >/dev/null
echo "then $?"
END
  at_terminal ready $'\032' -- bash job.sh >out
  grep -q 'first 148' out
  grep -q 'went on' out
  grep -q 'then 0' out
  is_whole out.prof
}

# --- beginning and end ----------------------------------------------------------------------------

test_run_duration_ends_the_recording_not_the_program() {
  can_record
  # The profile is there while the program still runs.
  fails 5 "$CPROF" run --duration 0.5 sh -c '
    i=0; while [ ! -e out.prof ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done
    [ -e out.prof ] && echo seen; exit 5' >out 2>err
  [ "$(cat out)" = seen ]
  is_whole out.prof
  within 0.5 10 "$(info_value out.prof duration)"
  "$CPROF" info out.prof | grep -q '^  process .* sh .*(still ran at the end)$'
  lifetimes_add_up out.prof
}

test_run_names_descendants_that_are_still_alive() {
  can_record
  "$CPROF" run -o out.prof sh -c 'sleep 15 >/dev/null 2>&1 & echo $! >pid; sleep 0.5; exit 0' 2>err
  local alive
  alive=$(cat pid)
  kill -0 "$alive"
  grep -q "^cprof: 1 descendant is still running, recorded up to here: sleep ($alive)$" err
  within 0.5 12 "$(info_value out.prof duration)"
  "$CPROF" info out.prof | grep -q "^  process $alive .* sleep .*(still ran at the end)$"
  # What it has done so far is recorded to that moment.
  within 100000 12000000 "$(sum_of out.prof blocked '^sleep;.*nanosleep')"
  lifetimes_add_up out.prof
  kill "$alive"
}

test_run_wait_records_to_the_last_descendant() {
  can_record
  fails 3 "$CPROF" run --wait sh -c '(sleep 0.3; sleep 1) & exit 3' 2>err
  fails 1 grep -q 'still running' err
  within 1.3 20 "$(info_value out.prof duration)"
  within 900000 2500000 "$(sum_of out.prof blocked '^sleep;.*nanosleep')"
  [ "$(info_value out.prof status)" = 3 ]
  lifetimes_add_up out.prof
}

test_run_wait_ends_when_it_is_told_to() {
  can_record
  # The program has ended, so the signal can only mean the recording.
  "$CPROF" run --wait sh -c 'sleep 60 >/dev/null 2>&1 & echo $! >pid; sleep 0.3; touch over' 2>err &
  local recorder=$! alive
  wait_until test -e over
  alive=$(cat pid)
  sleep 1
  kill -0 "$recorder"
  kill -TERM "$recorder"
  wait "$recorder"
  grep -q "still running, recorded up to here: sleep ($alive)$" err
  is_whole out.prof
  kill "$alive" # it was not: nobody asked the descendant to end
  # At a terminal, too; what the key ends itself is not named.
  at_terminal over $'\003' -- "$CPROF" run -q --wait sh -c '
    (trap "" INT; exec sleep 60) & echo $! >pid; sleep 0.3; (sleep 2; echo over) & exit 0' >out
  is_whole out.prof
  kill "$(cat pid)"
}

test_run_full_disk_ends_the_recording_not_the_program() {
  can_record
  mkdir small
  cat >on_small_disk.sh <<'END'
mount -t tmpfs -o size=32k none small || exit 77
head -c 20000 /dev/zero >small/full
"$CPROF" run -F 20000 -o small/out.prof "$SAMPLES/nofp" 1 >out 2>err
echo "$?" >status
ls -A small >left
END
  unshare -m bash on_small_disk.sh || skip "no disk can be mounted here"
  [ "$(cat status)" = 125 ]
  grep -Eq '^[0-9]+$' out # the program's own output: it came to its end
  head -n 1 err | grep -q '^cprof: cannot write small/out.prof.part: No space left on device'
  fails 1 grep -q '^out.prof$' left
}

test_run_file_size_limit_is_an_error() {
  can_record
  rm -rf .cprof program.out run.err probe.prof
  (
    ulimit -f 1
    fails 125 "$CPROF" run touch started 2>err
  )
  [ "$(wc -l <err)" = 1 ]
  grep -q '^cprof: .*File too large' err
  rm err
  [ -z "$(ls -A)" ]
}

test_run_killed_recorder_does_not_disturb_the_program() {
  can_record
  "$CPROF" run -q sh -c 'echo $$ >pid; '"$SAMPLES/nofp"' 6 >/dev/null; echo "$?" >ended' &
  local recorder=$! program
  # Two seconds of recording: the first is on the disk.
  wait_until test -s pid
  program=$(cat pid)
  sleep 2
  kill -KILL "$recorder"
  fails 137 wait "$recorder"
  wait_until test -s ended
  [ "$(cat ended)" = 0 ]
  rm -f "/dev/shm/cprof.$program" # what a killed recorder cannot take away
  [ ! -e out.prof ]
  "$CPROF" info out.prof.part >info
  grep -q 'make it whole with: cprof info --repair out.prof.part' info
  "$CPROF" info --repair out.prof.part 2>err
  [ ! -e out.prof.part ]
  [ "$(info_value out.prof 'is incomplete')" = 1 ]
  has_stack out.prof ';main;deep1;deep2;.*;deep20;leaf_half[; ]'
}

test_run_leaves_nothing_in_shared_memory() {
  can_record
  "$CPROF" run -q sh -c 'echo $$; stat -c "%a %u" /dev/shm/cprof.$$' >out
  [ "$(sed -n 2p out)" = "600 $(id -u)" ]
  [ ! -e "/dev/shm/cprof.$(sed -n 1p out)" ]
}

# --- marks ----------------------------------------------------------------------------------------

write_marked_program() { # FILE
  cat >"$1" <<'END'
#include <cprof.h>
#include <cprof.h>
#include <stdlib.h>
#include <time.h>
static __attribute__((noipa)) int burn(double seconds)
{
	double end = clock() / (double)CLOCKS_PER_SEC + seconds;
	int rounds = 0;

	while (clock() / (double)CLOCKS_PER_SEC < end)
		rounds++;
	return rounds;
}
static __attribute__((noipa)) int before_region(void) { return burn(0.2) + 1; }
static __attribute__((noipa)) int within_region(void) { return burn(0.2) + 1; }
static __attribute__((noipa)) int behind_region(void) { return burn(0.2) + 1; }
int main(void)
{
	int sum = before_region();

	errno = 7;
	cprof_start();
	sum += within_region();
	cprof_mark("half way");
	sum += within_region();
	cprof_stop();
	if (errno != 7)
		return 1;
	return behind_region() + sum < 3;
}
END
}

region_is_right() { # FILE (in C++ functions are called "burn(double)")
  within 300000 600000 "$(sum_of "$1" cpu ';within_region([(;]|$)')"
  within 130000 400000 "$(sum_of "$1" cpu ';before_region([(;]|$)')"
  "$CPROF" flame --folded -m cpu --region "$1" >region
  grep -Eq ';main;within_region([(][)])?;burn' region
  # A sample stands for the time before it: what surrounds the region is its last few milliseconds.
  awk '{ value = $NF } /within_region/ { inside += value } /(before|behind)_region/ { outside += value }
    END { exit !(inside >= 300000 && inside <= 600000 && outside <= 60000) }' region
  "$CPROF" info "$1" | grep -Eq '^  marks  *3$'
}

test_run_marks_work_in_every_kind_of_program() {
  local kind
  write_marked_program marked.c
  cp marked.c marked.cc
  can_record
  for kind in '-pie -fPIE' '-no-pie -fno-pie' '-static -fno-pie' '-static-pie -fPIE'; do
    # shellcheck disable=SC2086 # two flags
    compile marked $kind
    ./marked # nobody records: marks do nothing
    "$CPROF" run -o out.prof ./marked 2>err
    grep -Eq 'marked region 0\.[3-9][0-9]* s|marked region [1-9]' err
    region_is_right out.prof
  done
  g++ -std=c++11 -O2 -g -Wall -Wextra -Werror -I"$ROOT/profiler/agent" marked.cc -o marked
  recorded out.prof ./marked
  region_is_right out.prof
}

test_run_marks_of_a_descendant_are_its_own() {
  write_marked_program marked.c
  compile marked
  recorded out.prof sh -c './marked; exit 0'
  region_is_right out.prof
  "$CPROF" flame --folded -m wall --region out.prof >region
  fails 1 grep -q '^sh;' region
}

test_run_regions_of_segment_are_a_part() {
  [ -e "$ROOT/data/s/data.hdf5" ] || skip "there is no data/s: make data"
  recorded out.prof --label v3 "$SEGMENT" v3 --data "$ROOT/data/s"
  "$CPROF" flame --folded -m wall out.prof >whole
  "$CPROF" flame --folded -m wall --region out.prof >region
  [ "$(awk '{ sum += $NF } END { print sum }' region)" -gt 0 ]
  [ "$(awk '{ sum += $NF } END { print sum }' region)" -lt "$(awk '{ sum += $NF } END { print sum }' whole)" ]
  "$CPROF" report --region out.prof | grep -iq region
}

# --- ordinary users, and those who may not --------------------------------------------------------

test_run_ordinary_user_records_user_code() {
  local level
  level=$(cat /proc/sys/kernel/perf_event_paranoid)
  [ "$level" -ge 2 ] || skip "perf_event_paranoid is $level: an ordinary user sees the kernel, too"
  make_public_place
  cat >waits.c <<'END'
#include <unistd.h>
static __attribute__((noipa)) int wait_here(void) { return usleep(700000) + 1; }
int main(void) { return wait_here() - 1; }
END
  compile waits
  cp waits "$public"
  as_nobody "$public/cprof" run "$public/nofp" 1 >out 2>err ||
    skip "an ordinary user may not record: $(cat err)"
  cp "$public/home/out.prof" user.prof
  [ "$(stat -c '%u %a' "$public/home/out.prof")" = '65534 600' ]
  [ "$(stat -c '%u %a' "$public/home/.cprof")" = '65534 700' ]
  info_value user.prof event | grep -q 'user only'
  has_stack user.prof ';main;deep1;deep2;.*;deep20;leaf_half [0-9]+$'
  fails 1 grep -q '_\[k\]' stacks
  within 98 100 "$("$CPROF" info user.prof | awk '$1 == "rooted" { print $2 }')"
  within 800000 1200000 "$(sum_of user.prof cpu .)"
  lifetimes_add_up user.prof
  # A long wait has the stack that waits.
  as_nobody "$public/cprof" run -q "$public/waits"
  within 600000 2000000 "$(sum_of "$public/home/out.prof" blocked ';main;wait_here;')"
}

test_run_small_lock_limit_shrinks_the_rings() {
  make_public_place
  as_nobody "$public/cprof" run -q --backend=perf true 2>err ||
    grep -q 'ring buffer' err || skip "an ordinary user may not record: $(cat err)"
  # What the kernel lets every user lock per CPU, and 64 KiB: less than the rings would like.
  as_nobody bash -c 'ulimit -l 64; exec "$@"' bash "$public/cprof" run -q --backend=perf "$public/nofp" 1
  cp "$public/home/out.prof" user.prof
  has_stack user.prof ';main;deep1;deep2;.*;deep20;leaf_half [0-9]+$'
  within 800000 1200000 "$(sum_of user.prof cpu .)"
  # Rings so small may overflow while the machine is busy with something else.
  within 0 200 "$(info_value user.prof lost)"
}

# Runs a command to which the kernel refuses perf events, as in containers and at paranoid 3.
write_refusing() {
  cat >refusing.c <<'END'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 77;
	execvp(argv[1], argv + 1);
	return 77;
}
END
  compile refusing
  ./refusing true || skip "there is no seccomp here"
}

test_run_where_perf_is_refused_says_how_to_allow_it() {
  write_refusing
  rm refusing.c
  fails 125 ./refusing "$CPROF" run --backend=perf touch started 2>err
  [ "$(wc -l <err)" = 1 ]
  grep -q 'perf_event_paranoid is -\{0,1\}[0-9]' err
  grep -q 'sudo sysctl kernel.perf_event_paranoid=' err
  grep -q 'sudo cprof run' err
  rm err
  # Nothing was run, nothing is left.
  [ "$(ls -A)" = refusing ]
}
