#!/bin/bash
# shellcheck disable=SC2153,SC2154 # $SAMPLES and the others come from the harness
# Stacks that are deeper than what is copied of them with a sample.

rooted() { "$CPROF" info "$1" | awk '$1 == "rooted" { print $2 }'; }

# The stacks of samples/deep are one chain: all are main, descend again and again, and then where it
# works; the deepest has so many levels.
is_one_chain() { # FILE LEVELS
  "$CPROF" flame --folded -m samples "$1" | sed 's/ [0-9]*$//' | grep ';main;descend' |
    awk -v levels="$2" '{
        sub(/^.*;main/, ""); depth = gsub(/;descend/, ""); if (depth > deepest) deepest = depth
        sub(/;[^;]*_\[k\].*/, "")
        if ($0 !~ /^(;bottom)?(;work|;[a-z0-9_]*memset[a-z0-9_]*)?$/ ||
            (/bottom/ && depth != levels)) {
          print "a branch: " $0; bad = 1 } }
      END { if (deepest != levels) print deepest " levels instead of " levels
            exit bad || deepest != levels }'
}

# How many stacks "completed" or "restored" says.
counts_are() { # FILE FIELD LOWEST
  within "$3" 100000 "$("$CPROF" info "$1" | awk -v field="$2" '$1 == field { print $3 }')"
}

test_deep_ten_thousand_frames_reach_main() {
  recorded out.prof "$SAMPLES/deep"
  within 99 100 "$(rooted out.prof)"
  is_one_chain out.prof 10000
  counts_are out.prof completed 200
  "$CPROF" tree out.prof >tree.txt
  fails 1 grep -q 'truncated' tree.txt
}

test_deep_frames_larger_than_the_copy_reach_main() {
  recorded alloca.prof "$SAMPLES/deep" 10 0.5 102400
  within 97 100 "$(rooted alloca.prof)"
  is_one_chain alloca.prof 10
  recorded large.prof "$SAMPLES/deep" 5 0.5 204800
  within 97 100 "$(rooted large.prof)"
  is_one_chain large.prof 5
}

# A local array that the function itself fills all the time: nothing of the copy stays as it was.
test_deep_frame_that_changes_all_the_time_reaches_main() {
  cat >array.c <<'CODE'
#include <time.h>
static __attribute__((noipa)) unsigned fill(void)
{
	volatile unsigned numbers[51200];

	numbers[0] = 1;
	while (clock() < CLOCKS_PER_SEC / 2)
		for (int round = 0; round < 10; round++)
			for (unsigned i = 0; i < 51200; i++)
				numbers[i] = i + numbers[0];
	return numbers[100];
}
static __attribute__((noipa)) unsigned between(void) { return fill() + 1; }
int main(void) { return between() == 0; }
CODE
  compile array
  recorded out.prof ./array
  # Not the last ones before the end, which have nothing that could be compared.
  within 90 100 "$(rooted out.prof)"
  has_stack out.prof ';main;between;fill [0-9]+$'
  "$CPROF" flame --folded -m samples out.prof | awk '/;fill/ && !/;main;between;fill/ && !/\[truncated\];fill/ {
      print; bad = 1 } END { exit bad }'
}

test_deep_as_ordinary_user() {
  make_public_place
  cp "$SAMPLES/deep" "$public"
  as_nobody "$public/cprof" run -q "$public/deep" >out 2>err ||
    skip "an ordinary user may not record: $(cat err)"
  within 99 100 "$(rooted "$public/home/out.prof")"
  is_one_chain "$public/home/out.prof" 10000
}

# A process that must not be read: what is known of its stacks is what was copied before.
test_deep_without_reading_the_process() {
  cat >hidden.c <<CODE
#include <sys/prctl.h>
#include "$ROOT/samples/deep.c"
__attribute__((constructor)) static void hide(void) { prctl(PR_SET_DUMPABLE, 0); }
CODE
  compile hidden -lm
  make_public_place
  cp hidden "$public"
  as_nobody "$public/cprof" run -q "$public/hidden" 10000 0.9 >out 2>err ||
    skip "an ordinary user may not record: $(cat err)"
  cp "$public/home/out.prof" .
  counts_are out.prof restored 200
  [ "$("$CPROF" info out.prof | awk '$1 == "completed" { print $3 }')" = 0 ]
  is_one_chain out.prof 10000
  # A gap between two samples that is longer than the copy ends it, on a machine that is busy.
  within 50 100 "$(rooted out.prof)"
}

# The same frames at the same place, called by one function and then by another.
test_deep_callers_that_take_turns_are_not_mixed_up() {
  cat >turns.c <<'CODE'
#include <time.h>
static __attribute__((noipa)) unsigned burn(double until)
{
	volatile unsigned rounds = 0;

	while (clock() / (double)CLOCKS_PER_SEC < until)
		for (int i = 0; i < 10000; i++)
			rounds++;
	return rounds;
}
static __attribute__((noipa)) unsigned down(int level, double until)
{
	volatile char room[100];

	room[level % 100] = 1;
	return (level ? down(level - 1, until) : burn(until)) + room[level % 100];
}
static __attribute__((noipa)) unsigned first(double until) { return down(2000, until) + 1; }
static __attribute__((noipa)) unsigned second(double until) { return down(2000, until) + 2; }
int main(void)
{
	unsigned sum = 0;

	for (int turn = 0; turn < 5; turn++) {
		sum += first((2 * turn + 1) / 10.0);
		sum += second((2 * turn + 2) / 10.0);
	}
	return sum == 0;
}
CODE
  compile turns
  recorded out.prof ./turns
  # What was read and what was known differ a few times after each turn, and neither is used.
  within 80 100 "$(rooted out.prof)"
  # Half a second each by the program's own clock, which a busy machine stretches.
  within 300000 650000 "$(sum_of out.prof cpu ';main;first;down;')"
  within 300000 650000 "$(sum_of out.prof cpu ';main;second;down;')"
}
