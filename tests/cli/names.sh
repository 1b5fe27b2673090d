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

# --- stripped programs ---

test_names_stripped() {
  strip -o stripped "$SAMPLES/nofp"
  recorded out.prof ./stripped 0.5
  "$CPROF" flame --folded -m samples out.prof >folded
  # main -> deep1 -> ... -> deep20 -> three leaves: 24 functions, and each is one row.
  sed 's/ [0-9]*$//' folded | tr ';' '\n' | grep -E '^\[stripped\+0x' | sort -u >rows
  [ "$(nm "$SAMPLES/nofp" | grep -Ec ' [tT] (main|deep[0-9]+|leaf_[a-z]+)$')" = 24 ]
  sed 's/.*+0x\(.*\)]/\1/' rows >addresses
  nm "$SAMPLES/nofp" | sed -n 's/^0*\([0-9a-f]*\) [tT] \(main\|deep[0-9]*\|leaf_[a-z]*\|_start\)$/\1/p' |
    sort >starts
  [ "$(grep -cxF -f starts addresses)" -ge 24 ]
  fails 1 grep -vxF -f starts addresses
}

test_names_debugdata() {
  objcopy --only-keep-debug -g "$SAMPLES/nofp" inner
  xz inner
  strip -o stripped "$SAMPLES/nofp"
  objcopy --add-section .gnu_debugdata=inner.xz stripped mini
  recorded out.prof ./mini 0.5
  "$CPROF" flame --folded -m samples out.prof | grep -q ';main;deep1;.*;deep20;leaf_half'
}

test_names_debuglink() {
  objcopy --only-keep-debug "$SAMPLES/nofp" program.debug
  strip -o program "$SAMPLES/nofp"
  objcopy --add-gnu-debuglink=program.debug program
  mkdir .debug
  mv program.debug .debug
  recorded out.prof ./program 0.5
  "$CPROF" flame --folded -m samples out.prof | grep -q ';main;deep1;.*;deep20;leaf_half'
  "$CPROF" report out.prof | grep -q 'nofp.c:[0-9]*(leaf_half)'
}

# debuginfod on a free port of this machine alone: sets $port, $server.
start_debuginfod() { # DIRECTORY
  for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    debuginfod -d "$PWD/index.sqlite" -p "$port" -F "$1" >server.log 2>&1 &
    server=$!
    for _ in $(seq 100); do
      kill -0 "$server" 2>/dev/null || break
      # It listens before it has looked at all files.
      if grep -q 'started http server' server.log && served; then return 0; fi
      sleep 0.2
    done
    kill "$server" 2>/dev/null || true
    wait "$server" || true
  done
  cat server.log
  return 1
}

served() {
  DEBUGINFOD_URLS=http://127.0.0.1:$port DEBUGINFOD_CACHE_PATH=$PWD/probe$RANDOM \
    debuginfod-find debuginfo "$build_id" >/dev/null 2>&1
}

test_names_debuginfod() {
  [ -x "$(command -v debuginfod)" ] || skip "debuginfod is not installed"
  [ -x "$(command -v debuginfod-find)" ] || skip "debuginfod-find is not installed"
  mkdir files
  objcopy --only-keep-debug "$SAMPLES/nofp" files/nofp.debug
  strip -o program "$SAMPLES/nofp"
  build_id=$(readelf -n program | awk '/Build ID/ { print $3 }')
  start_debuginfod "$PWD/files"
  export DEBUGINFOD_CACHE_PATH=$PWD/cache
  recorded out.prof ./program 0.5
  fails 1 grep -q leaf_half <("$CPROF" report out.prof)
  DEBUGINFOD_URLS=http://127.0.0.1:$port recorded out.prof ./program 0.5
  kill "$server"
  "$CPROF" flame --folded -m samples out.prof | grep -q ';main;deep1;.*;deep20;leaf_half'
  "$CPROF" report out.prof | grep -q 'nofp.c:[0-9]*(leaf_half)'
}

# A server that takes every question and never answers: it is asked about one module only.
test_names_debuginfod_that_hangs() {
  strip -o program "$SAMPLES/nofp"
  python3 -c '
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(64)
print(s.getsockname()[1], flush=True)
held = []
while True:
    held.append(s.accept())
    print("asked", flush=True)' >server.out &
  server=$!
  until [ -s server.out ]; do sleep 0.1; done
  export DEBUGINFOD_CACHE_PATH=$PWD/cache
  DEBUGINFOD_URLS=http://127.0.0.1:$(head -n 1 server.out) DEBUGINFOD_TIMEOUT=1 \
    recorded out.prof ./program 0.3
  kill "$server"
  [ "$(grep -c asked server.out)" = 1 ]
  "$CPROF" report out.prof | grep -qF '[program+0x'
}

# What an IFUNC resolves to has its own name; where that is gone, it is not called by the IFUNC's.
test_names_ifunc() {
  cat >lib.c <<'END'
static int fast_variant(int n)
{
  for (volatile int i = 0; i < n; i++)
    ;
  return n;
}
static int (*resolve(void))(int) { return fast_variant; }
int work(int) __attribute__((ifunc("resolve")));
END
  gcc -O1 -shared -fPIC lib.c -o whole.so 2>err || skip "no IFUNC here: $(cat err)"
  strip -o stripped.so whole.so
  recorded out.prof "$SAMPLES/reload" gone 0.3 ./whole.so
  has_leaf out.prof fast_variant
  recorded out.prof "$SAMPLES/reload" gone 0.3 ./stripped.so
  leaves out.prof | grep -qF '[loaded.so+0x'
  [ "$(samples_of out.prof work)" = 0 ]
}

# --- files that are gone ---

# Two libraries alike but for a name: ./a.so has spin_a, ./b.so has spin_b. No longer than they are.
make_libraries() { # FLAGS...
  local name
  for name in a b; do
    cat >lib.c <<END
__attribute__((noinline)) int spin_$name(int n)
{
  for (volatile int i = 0; i < n; i++)
    ;
  return n + $(printf %d "'$name");
}
int work(int n) { return spin_$name(n) - 1; }
END
    gcc -O1 -shared -fPIC "$@" -o "$name.so" lib.c
  done
}

both_spin() { # FILE
  has_leaf "$1" spin_a
  has_leaf "$1" spin_b
  "$CPROF" flame --folded -m samples "$1" | grep -q ';main;work;spin_a'
  "$CPROF" flame --folded -m samples "$1" | grep -q ';main;work;spin_b'
}

test_names_library_after_another() {
  make_libraries
  recorded out.prof "$SAMPLES/reload" file 0.4 ./a.so ./b.so
  both_spin out.prof
}

test_names_library_without_build_id_after_another() {
  make_libraries -Wl,--build-id=none
  recorded out.prof "$SAMPLES/reload" file 0.4 ./a.so ./b.so
  both_spin out.prof
}

test_names_deleted_library() {
  make_libraries
  recorded out.prof "$SAMPLES/reload" gone 0.4 ./a.so ./b.so
  both_spin out.prof
}

test_names_library_in_memory() {
  make_libraries
  recorded out.prof "$SAMPLES/reload" memory 0.4 ./a.so ./b.so
  both_spin out.prof
}

# What an ordinary user may not open is read from the process.
test_names_deleted_library_of_an_ordinary_user() {
  [ "$(id -u)" = 0 ] || skip "needs root to become another user"
  make_libraries
  make_libraries -Wl,--build-id=none -s
  chmod 777 .
  setpriv --reuid 65534 --clear-groups "$CPROF" --version >/dev/null ||
    skip "another user cannot run $CPROF"
  setpriv --reuid 65534 --clear-groups "$CPROF" run -q -o out.prof \
    "$SAMPLES/reload" gone 0.4 ./a.so ./b.so 2>err || skip "$(cat err)"
  both_spin out.prof
  setpriv --reuid 65534 --clear-groups "$CPROF" run -q -o memory.prof \
    "$SAMPLES/reload" memory 0.4 ./a.so ./b.so
  both_spin memory.prof
}

# The program's file is another one by the time that its mapping is looked at.
test_names_replaced_program() {
  cp "$SAMPLES/nofp" program
  cp "$SAMPLES/sleeper" other
  recorded out.prof sh -c './program 0.6 & sleep 0.02; mv other program; wait'
  "$CPROF" flame --folded -m samples out.prof | grep -q ';main;deep1;.*;deep20;leaf_half'
}

test_names_compiled_kernel_of_v5() {
  [ -e "$ROOT/data/s/data.hdf5" ] || "$SEGMENT" generate s >/dev/null
  [ -e data ] || ln -s "$ROOT/data" data
  recorded out.prof "$SEGMENT" v5 --repeat 5
  "$CPROF" report out.prof | grep -q 'fake.so:colorcode_compiled'
}

# --- programs of 32 bits ---

test_names_32_bit_program() {
  cat >narrow.c <<'END'
#include <time.h>
#include <unistd.h>
__attribute__((noinline)) void spin(void)
{
  for (volatile int i = 0; i < 100000; i++)
    ;
}
int main(void)
{
  for (clock_t end = clock() + CLOCKS_PER_SEC / 2; clock() < end;)
    spin();
  usleep(100000);
  return 7;
}
END
  gcc -m32 -g -O1 narrow.c -o narrow 2>/dev/null || skip "gcc cannot make programs of 32 bits"
  ./narrow || [ $? = 7 ] || skip "this machine runs no programs of 32 bits"
  local status=0
  "$CPROF" run -q -o out.prof ./narrow 2>err || status=$?
  [ "$status" != 125 ] || skip "cannot record here: $(cat err)"
  [ "$status" = 7 ]
  has_leaf out.prof spin
  "$CPROF" flame --folded -m samples out.prof | grep -q '^narrow;\[32-bit code\];spin'
  "$CPROF" report out.prof | grep -q '% in 32-bit code, without its callers'
}
