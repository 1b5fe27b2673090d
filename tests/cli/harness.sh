#!/bin/bash
# harness.sh [PATTERN]: runs the whole-command tests, or those whose name matches PATTERN (a glob such
# as 'diff_*' or '*label*', or a part of the name).
#
# A test is a function test_NAME in tests/cli/*.sh. It runs in a shell and an empty directory of its
# own, with -e and -u: the first command that fails ends the test, and the line is shown. (Mind that
# bash lets `! COMMAND` pass in any case: write `fails 1 COMMAND`.) It may use
#
#     $CPROF $SEGMENT     the programs           $SAMPLES    directory of the sample programs
#     $BUILD $ROOT        build directory, source tree        $TMP   the empty directory
#     skip REASON         ends the test: this machine does not allow what it needs (status 77)
#     fails STATUS COMMAND...     runs it; good when its exit status is STATUS
#     recorded FILE [OPTION...] PROGRAM...    records it, or skips the test where that is forbidden
#     can_record                skips the test where nothing can be recorded
#     wait_until COMMAND...     until it succeeds, 30 s at most
#     info_value FILE FIELD     of `cprof info`, e.g. "duration": the number without its unit
#     is_whole FILE             whether it is a profile with an end
#     sum_of FILE METRIC PATTERN     microseconds (or samples) of the stacks that match, root first
#     within LOWEST HIGHEST NUMBER
#     has_stack FILE PATTERN         of samples, root first; leaves them in the file `stacks`
#     lifetimes_add_up FILE          each thread's wall time over its stacks is its life, to 1 % (the
#                                    table shows milliseconds); a number may be of several threads
#     compile PROGRAM FLAGS...       from PROGRAM.c
#     at_terminal [TEXT KEYS]... -- COMMAND...     see terminal.py
#     make_public_place         $public: a directory that everybody can reach, with $public/cprof,
#                               nofp and a home; removed when the test ends
#     as_nobody COMMAND...      as an ordinary user, in $public/home
#
# Each test has 120 s. The last line is "N passed, N failed, N skipped"; the exit status is 1 when
# any failed, or none was found. BUILD (default "build") says which programs are tested.

ROOT=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=${BUILD:-build}
case $build in
  /*) BUILD=$build ;;
  *) BUILD=$ROOT/$build ;;
esac
if [ "$BUILD" = "$ROOT/build" ]; then programs=$ROOT; else programs=$BUILD; fi
CPROF=$programs/cprof
SEGMENT=$programs/segment
SAMPLES=$BUILD/samples
export ROOT BUILD CPROF SEGMENT SAMPLES

# Tests see neither the user's settings nor the kept runs of another place.
unset CPROF_DIR NO_COLOR COLUMNS DEBUGINFOD_URLS
export LC_ALL=C.UTF-8 TZ=UTC

readonly TIME_LIMIT=120 SKIPPED=77 TIMED_OUT=124
pattern=${1:-}
passed=0 failed=0 skipped=0
work=$(mktemp -d "${TMPDIR:-/tmp}/cprof-cli.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

if [ ! -x "$CPROF" ]; then
  echo "there is no $CPROF: build it first" >&2
  exit 1
fi

# What runs one test: $1 is its file, $2 its name.
read -r -d '' run_one <<'RUN_ONE'
skip() { echo "$*"; exit 77; }
fails() {
  local wanted=$1 status=0
  shift
  "$@" || status=$?
  [ "$status" = "$wanted" ] || { echo "exit status $status instead of $wanted: $*"; return 1; }
}
recorded() {
  local file=$1 status=0
  shift
  "$CPROF" run -q -o "$file" "$@" >program.out 2>run.err || status=$?
  [ "$status" != 125 ] || skip "cannot record here: $(cat run.err)"
  [ "$status" = 0 ]
}
can_record() { recorded probe.prof true; }
wait_until() {
  for _ in $(seq 300); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  echo "waited in vain for: $*"
  return 1
}
info_value() {
  "$CPROF" info "$1" | sed -n "/^recording/,/^holds/s/^  $2  *//p" | head -n 1 | sed -E 's/ (s|Hz|[KMG]iB)$//'
}
is_whole() {
  [ ! -e "$1.part" ]
  "$CPROF" info "$1" >whole.info
  fails 1 grep -q 'make it whole' whole.info
  [ "$(info_value "$1" 'is incomplete')" = 0 ]
}
sum_of() {
  "$CPROF" flame --folded -m "$2" "$1" |
    awk -v pattern="$3" '{ value = $NF; sub(/ [0-9]+$/, "") } $0 ~ pattern { sum += value }
      END { printf "%d\n", sum }'
}
within() {
  awk -v low="$1" -v high="$2" -v number="$3" 'BEGIN { exit !(number >= low && number <= high) }' ||
    { echo "$3 is not within $1 and $2"; return 1; }
}
has_stack() {
  "$CPROF" flame --folded -m samples "$1" >stacks
  grep -Eq -- "$2" stacks || { echo "no stack matches $2"; cat stacks; return 1; }
}
lifetimes_add_up() {
  "$CPROF" info "$1" | awk '$1 == "thread" && NF >= 6 { life[$2] += $4 - $3 }
    END { for (tid in life) print tid, life[tid] }' | sort >lives
  "$CPROF" report --by=thread -m wall "$1" | awk '/\/[0-9]+\)$/ {
      tid = $NF; sub(/.*\//, "", tid); sub(/\)/, "", tid)
      sub(/ ±[0-9]+/, ""); wall[tid] += $2; rows[tid]++ }
    END { for (tid in wall) print tid, wall[tid], rows[tid] }' | sort >walls
  [ "$(wc -l <lives)" -gt 0 ]
  join -a 1 -e 0 -o 0,1.2,2.2,2.3 lives walls | awk '
    { off = $2 - $3; if (off < 0) off = -off }
    off > $2 / 100 + 0.001 * ($4 + 1) {
      print "thread " $1 " lived " $2 " s, its stacks have " $3; bad = 1 }
    END { exit bad }'
}
compile() {
  local program=$1
  shift
  gcc -std=gnu11 -O2 -g -Wall -Wextra -Werror -I"$ROOT/profiler/agent" "$program.c" -o "$program" "$@"
}
at_terminal() { python3 "$ROOT/tests/cli/terminal.py" "$@"; }
make_public_place() {
  [ "$(id -u)" = 0 ] || skip "only root can become an ordinary user"
  public=$(mktemp -d /tmp/cprof-public.XXXXXX)
  trap 'rm -rf "$public"' EXIT
  cp "$CPROF" "$SAMPLES/nofp" "$public"
  chmod 755 "$public"
  mkdir "$public/home"
  chown 65534:65534 "$public/home"
  chmod 700 "$public/home"
}
as_nobody() {
  (cd "$public/home" && setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@")
}
set -E
trap 'echo "failed: ${BASH_SOURCE[0]-}:$LINENO: $BASH_COMMAND"' ERR
source "$1"
set -eu
"$2"
RUN_ONE

selected() { # NAME
  # shellcheck disable=SC2053 # a glob on purpose
  [ -z "$pattern" ] || [[ $1 == $pattern || $1 == test_$pattern || $1 == *"$pattern"* ]]
}

run_test() { # FILE NAME
  local file=$1 name=$2 status=0 TMP=$work/tmp log=$work/log
  export TMP

  mkdir -p "$TMP" && cd "$TMP" || exit 1
  timeout -k 5 "$TIME_LIMIT" bash -c "$run_one" bash "$file" "$name" >"$log" 2>&1 </dev/null ||
    status=$?
  cd / && rm -rf "$TMP"
  case $status in
    0) passed=$((passed + 1)); echo "ok $name" ;;
    "$SKIPPED") skipped=$((skipped + 1)); echo "skip $name: $(tail -n 1 "$log")" ;;
    *)
      failed=$((failed + 1))
      echo "FAIL $name"
      sed 's/^/    /' "$log"
      [ "$status" != "$TIMED_OUT" ] || echo "    took longer than $TIME_LIMIT s"
      ;;
  esac
}

for file in "$ROOT"/tests/cli/*.sh; do
  [ "$file" != "$ROOT/tests/cli/harness.sh" ] || continue
  for name in $(grep -oE '^test_[A-Za-z0-9_]+ *\(\)' "$file" | tr -d ' ()'); do
    if selected "$name"; then run_test "$file" "$name"; fi
  done
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
