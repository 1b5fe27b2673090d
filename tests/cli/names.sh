#!/bin/bash
# shellcheck disable=SC2153 # $CPROF and the others come from the harness
# Names for what nobody prepared: stripped files, code made at run time, files that are gone.

# Functions and their samples: "NAME SAMPLES" per stack whose innermost frame is the function.
leaves() { # FILE
  "$CPROF" flame --folded -m samples "$1" | sed 's/\(.*;\)*//; s/_\[.\]\( [0-9]*\)$/\1/'
}

# Samples of a leaf function of exactly this name.
samples_of() { # FILE NAME
  leaves "$1" | awk -v name="$2" '{ n = $NF; sub(/ [0-9]+$/, "") } $0 == name { sum += n }
    END { print sum + 0 }'
}

has_leaf() { # FILE NAME
  [ "$(samples_of "$1" "$2")" -gt 20 ] || { leaves "$1" | sort | uniq -c; return 1; }
}

# --- code made at run time ---

test_names_perf_map() {
  recorded out.prof "$SAMPLES/jit" map
  has_leaf out.prof made_first
  has_leaf out.prof made_second
  has_leaf out.prof made_in_child
}

test_names_jitdump() {
  recorded out.prof "$SAMPLES/jit" dump
  has_leaf out.prof made_first
  has_leaf out.prof made_second
  has_leaf out.prof made_in_child
  "$CPROF" report --by=line out.prof | grep -q 'made.js:20(made_second)'
}

# A jitdump whose records arrive after the samples.
test_names_jitdump_late() {
  recorded out.prof "$SAMPLES/jit" late
  has_leaf out.prof made_first
  [ "$(samples_of out.prof '[jit]')" = 0 ]
}

test_names_jit_untold() {
  recorded out.prof "$SAMPLES/jit" none
  has_leaf out.prof '[jit]'
  fails 1 grep -q made_ <("$CPROF" report out.prof)
}

# The map that a shell leaves under its own pid for the program that it becomes.
leave_map_and_run() { # SHELL COMMANDS that make $map
  cat >become.sh <<END
map=/tmp/perf-\$\$.map
echo \$map >map
$1
exec "$SAMPLES/jit" none
END
  recorded out.prof sh become.sh
  rm -f "$(cat map)"
}

readonly LINE='210000000 1000 from_the_map'


test_names_map_of_own_file() {
  leave_map_and_run "echo '$LINE' >\$map"
  has_leaf out.prof from_the_map
}

test_names_map_is_link() {
  echo "$LINE" >real
  leave_map_and_run "ln -s '$PWD/real' \$map"
  has_leaf out.prof '[jit]'
}

test_names_map_is_fifo() {
  leave_map_and_run "mkfifo \$map"
  has_leaf out.prof '[jit]'
}

test_names_map_of_another_user() {
  [ "$(id -u)" = 0 ] || skip "needs root to give a file away"
  leave_map_and_run "echo '$LINE' >\$map; chown nobody \$map"
  has_leaf out.prof '[jit]'
}

test_names_map_with_control_characters() {
  leave_map_and_run "printf '210000000 1000 ev\\033[31mil\\n' >\$map"
  "$CPROF" report out.prof >text
  grep -qF 'ev\x1b[31mil' text
  fails 1 grep -q "$(printf '\033')" text
}

test_names_map_with_damage() {
  leave_map_and_run "{ head -c 300000 /dev/urandom; echo; echo '210000000 1 a'; echo 'zz 1 x'
    echo 'ffffffffffffffff ffffffffffffffff wraps'; echo '$LINE'; } >\$map"
  has_leaf out.prof from_the_map
}

# The map lies in the /tmp of a mount namespace, under the pid of a pid namespace.
test_names_map_in_namespaces() {
  unshare -pmf true 2>/dev/null || skip "namespaces are not allowed here"
  mkdir inner
  cp "$SAMPLES/jit" inner
  recorded out.prof unshare -pmf --mount-proc sh -c \
    "mount --bind '$PWD/inner' /tmp && exec /tmp/jit map"
  has_leaf out.prof made_first
  has_leaf out.prof made_second
  [ "$(samples_of out.prof '[jit]')" = 0 ]
}

test_names_node() {
  [ -x "$(command -v node)" ] || skip "node is not installed"
  cat >fib.js <<'END'
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
const start = Date.now()
let sum = 0
while (Date.now() - start < 1000) sum += fib(20)
END
  node --perf-basic-prof -e 0 || skip "this node has no --perf-basic-prof"
  rm -f isolate*.log
  recorded out.prof node --perf-basic-prof fib.js
  "$CPROF" report out.prof | grep -Eq '(JS|LazyCompile):\*fib .*fib.js:1:'
}
