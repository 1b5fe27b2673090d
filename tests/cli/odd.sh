#!/bin/bash
# shellcheck disable=SC2153 # $SAMPLES and the others come from the harness
# Programs that do odd things with their stacks: samples/odd, and libraries that come and go.

odd() { recorded out.prof "$SAMPLES/odd" "$1"; }

rooted() { "$CPROF" info out.prof | awk '$1 == "rooted" { print $2 }'; }

# User stacks below the C library's start, with their samples: "main;vdso;many_clocks 12".
user_stacks() {
  "$CPROF" flame --folded -m samples out.prof | sed -E 's/;[^;]*_\[k\].*( [0-9]+)$/\1/;
    s/^odd;_start;__libc_start_main[^;]*;(__libc_start_call_main;)?/odd;/; s/^odd;//'
}

# Of the samples of stacks that match the first pattern, 99 % match the second and none, but for ends
# that are marked as such, is otherwise.
reads() { # OF PATTERN [LEAST]
  user_stacks >stacks
  awk -v of="$1" -v pattern="$2" -v least="${3:-99}" '
    $0 ~ of { all += $NF; if ($0 ~ pattern) good += $NF
              else if ($0 !~ /^\[(truncated|broken|no rule)\]/) { bad = 1; print "wrong: " $0 } }
    END { print good + 0 " of " all + 0 " read as they should"
          exit bad || all < 50 || good * 100 < all * least }' stacks || { cat stacks; return 1; }
}

test_odd_signal_handlers_lead_to_what_they_interrupted() {
  odd handler
  reads ';on_signal[; ]' '^main;(handler;)?run_with_handler;interrupted;.*__restore_rt;on_signal(;burn)? [0-9]+$'
  within 98 100 "$(rooted)"
}

test_odd_signal_stacks_lead_to_what_they_interrupted() {
  odd altstack
  # When the handler has returned before its interrupted stack is read, the stack may end there.
  reads ';on_signal[; ]' \
    '^main;(altstack;)?run_with_handler;interrupted;.*__restore_rt;on_signal(;burn)? [0-9]+$' 60
}

test_odd_coroutines_begin_where_they_were_made() {
  odd coroutine
  reads ';in_coroutine[; ]' '^__start_context;coroutine_body;in_coroutine(;burn|;swapcontext)? [0-9]+$'
  within 98 100 "$(rooted)"
}

test_odd_longjmp_leaves_no_frames() {
  odd longjmp
  reads ';burn[; ]' '^main;jumped;burn_for;burn [0-9]+$'
}

test_odd_call_that_ends_a_function_belongs_to_it() {
  odd noreturn
  reads ';burn[; ]' '^main;gives_up;say_last_words;last_words;burn_for;burn [0-9]+$'
  "$CPROF" flame --folded out.prof >stacks
  fails 1 grep -q after_the_end stacks
}

test_odd_assembly_without_cfi_is_seen_through() {
  odd assembly
  reads '(;burn|;by_pushes|;spin_bare)[; ]' \
    '^main;assembly;through_assembly;by_room;by_frame;by_pushes(;burn|;spin_bare)? [0-9]+$'
  [ "$(sum_of out.prof samples ';by_pushes;spin_bare')" -gt 20 ]
  [ "$(sum_of out.prof samples ';by_pushes;burn')" -gt 20 ]
}

test_odd_library_functions_have_their_callers() {
  odd library
  reads 'strlen' '^main;library;many_lengths;[a-z0-9_]*strlen[a-z0-9_]* [0-9]+$'
}

test_odd_clocks_of_the_vdso_have_their_callers() {
  odd vdso
  reads ';many_clocks;' '^main;vdso;many_clocks;.*clock_gettime'
  [ "$(sum_of out.prof samples ';many_clocks;.*(vdso|\[vdso\])')" -gt 50 ]
  within 98 100 "$(rooted)"
}

# Nothing tells where the old stack is: the stack ends, and nothing is made up.
test_odd_stack_that_was_changed_by_hand_ends_there() {
  odd switched
  user_stacks | grep ';burn' >burning
  fails 1 grep -vE '^\[(broken|no rule|truncated)\];switch_stacks;on_other_stack;burn_for[; ]' burning
  [ "$(sum_of out.prof samples ';switch_stacks;on_other_stack;burn_for;burn')" -gt 50 ]
}

test_odd_bare_clone_is_a_thread_of_its_own() {
  odd cloned
  reads ';burn[; ]' '^(__)?clone[0-9]*;thread_body;burn_for;burn [0-9]+$'
}

# gdb, stopped at the work's first instruction within FUNCTION, sees the stack that was sampled most.
gdb_agrees() { # WHAT FUNCTION
  odd "$1"
  user_stacks | awk -v function_name="$2" '{ n = $NF; sub(/ [0-9]+$/, "") }
    $0 ~ ";" function_name ";burn$" { sum[$0] += n }
    END { for (stack in sum) print sum[stack], stack }' | sort -rn | head -n 1 |
    sed 's/^[0-9]* //; s/__restore_rt/<signal handler called>/' >ours
  gdb -q -batch -ex 'set debuginfod enabled off' -ex 'handle SIGPROF nostop noprint pass' \
    -ex "break $2" -ex run -ex 'break burn' -ex continue -ex backtrace \
    --args "$SAMPLES/odd" "$1" >gdb.out 2>&1
  sed -nE 's/^#[0-9]+ +(0x[0-9a-f]+ in )?(<signal handler called>|[A-Za-z0-9_]+).*/\2/p' gdb.out |
    awk '{ all = $0 (all ? ";" all : "") } END { print all }' >theirs
  # A signal comes when it likes, also within what `interrupted` calls.
  sed -i 's/;interrupted;.*<signal/;interrupted;<signal/' ours theirs
  diff ours theirs || { cat gdb.out; return 1; }
}

test_odd_stacks_are_those_that_gdb_sees() {
  gdb_agrees handler on_signal
  gdb_agrees altstack on_signal
  gdb_agrees longjmp burn_for
  gdb_agrees noreturn burn_for
}

# Two libraries, one after the other at the same place: each sample has the name of its own.
test_odd_libraries_that_come_and_go_keep_their_names() {
  local name
  for name in first second; do
    cat >$name.c <<CODE
unsigned long ${name}_work(unsigned long value);
unsigned long ${name}_work(unsigned long value)
{
	for (int i = 0; i < 4000000; i++)
		value = value * 6364136223846793005u + 1442695040888963407u;
	return value;
}
unsigned long enter(unsigned long value);
unsigned long enter(unsigned long value) { return ${name}_work(value) + 1; }
CODE
    gcc -O2 -g -shared -fPIC -fno-inline "$name.c" -o "$name.so"
  done
  cat >loads.c <<'CODE'
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>
typedef unsigned long function(unsigned long);
static void *place;
static __attribute__((noipa)) unsigned long use(const char *path, double seconds)
{
	void *library = dlopen(path, RTLD_NOW);
	function *enter = library ? (function *)dlsym(library, "enter") : 0;
	unsigned long value = 1;
	clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	if (!enter || (place && place != (void *)enter))
		return 0;
	place = (void *)enter;
	while (clock() < end)
		value = enter(value);
	dlclose(library);
	return value;
}
static __attribute__((noipa)) int use_first(void) { return use("./first.so", 0.1) != 0; }
static __attribute__((noipa)) int use_second(void) { return use("./second.so", 0.1) != 0; }
int main(void)
{
	int good = 0;

	for (int turn = 0; turn < 3; turn++) {
		good += use_first();
		good += use_second();
	}
	return good == 6 ? 0 : 99;
}
CODE
  compile loads
  ./loads || skip "the libraries do not come to the same place here"
  recorded out.prof ./loads
  "$CPROF" flame --folded -m samples out.prof | sed -E 's/;[^;]*_\[k\].*( [0-9]+)$/\1/' | grep 'enter' >stacks
  fails 1 grep -vE ';main;(use_first;use;enter(;first_work)?|use_second;use;enter(;second_work)?) [0-9]+$' stacks
  [ "$(sum_of out.prof samples ';use_first;use;enter;first_work')" -gt 50 ]
  [ "$(sum_of out.prof samples ';use_second;use;enter;second_work')" -gt 50 ]
}
