# What goes wrong while a program is recorded: the program goes on, nothing earlier is destroyed, and
# one sentence says what happened.

# --- where the profile is to be written -----------------------------------------------------------

# Skips where nothing can be recorded, and leaves the directory empty.
start_empty() {
  can_record
  rm -rf probe.prof program.out run.err .cprof
}

one_sentence() { # FILE PATTERN
  [ "$(wc -l <"$1")" = 1 ] || { cat "$1"; return 1; }
  grep -q "^cprof: .*$2" "$1" || { cat "$1"; return 1; }
}

test_faults_output_that_is_no_file() {
  start_empty
  mkdir folder
  mkfifo pipe
  echo precious >file
  ln -s file link
  ln -s nowhere dangling
  ln -s loop loop
  for name in folder pipe link dangling loop; do
    fails 125 timeout 20 "$CPROF" run -o "$name" touch started 2>err
    one_sentence err "$name: .*choose another file"
  done
  for name in file/out.prof /proc/out.prof no/such/out.prof; do
    fails 125 timeout 20 "$CPROF" run -o "$name" touch started 2>err
    one_sentence err "$name"
  done
  # What stands where the unfinished recording goes is not touched, either.
  ln -s file trap.prof.part
  mkdir dir.prof.part
  mkfifo fifo.prof.part
  for name in trap dir fifo; do
    fails 125 timeout 20 "$CPROF" run -o "$name.prof" touch started 2>err
    one_sentence err "$name.prof.part"
    [ ! -e "$name.prof" ]
  done
  fails 125 timeout 20 "$CPROF" run -o "$(printf '%0300d' 1)" touch started 2>err
  one_sentence err 'File name too long'
  [ ! -e started ]
  [ "$(cat file)" = precious ]
  [ -L link ] && [ -L trap.prof.part ] && [ ! -e nowhere ]
}

test_faults_output_without_permission() {
  [ "$(id -u)" = 0 ] || skip "only root can become somebody else"
  start_empty
  public=$(mktemp -d /tmp/cprof-public.XXXXXX)
  trap 'rm -rf "$public"' EXIT
  cp "$CPROF" "$public"
  chmod 755 "$public"
  cd "$public" || return
  mkdir mine readable sticky
  chmod 700 mine
  chmod 1777 sticky
  echo precious >readable/out.prof
  echo precious >sticky/out.prof
  as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
  for name in mine/out.prof readable/out.prof; do
    fails 125 as_nobody ./cprof run -o "$name" touch sticky/started 2>err
    one_sentence err "$name.*: Permission denied"
  done
  [ ! -e sticky/started ]
  # In a directory like /tmp another's file can be seen, but not replaced.
  as_nobody ./cprof run -q -o sticky/mine.prof true 2>err || skip "an ordinary user may not record: $(cat err)"
  status=0
  as_nobody ./cprof run -q -o sticky/out.prof sh -c 'touch sticky/ran; exit 3' 2>err || status=$?
  [ "$status" = 125 ]
  one_sentence err 'sticky/out.prof'
  [ "$(cat sticky/out.prof)" = precious ]
  [ ! -e sticky/ran ]
  # Another's unfinished recording is his.
  rm sticky/out.prof
  echo precious >sticky/out.prof.part
  chmod 600 sticky/out.prof.part
  fails 125 as_nobody ./cprof run -q -o sticky/out.prof true 2>err
  one_sentence err 'sticky/out.prof.part'
  [ "$(cat sticky/out.prof.part)" = precious ]
}

test_faults_output_is_the_callers_under_sudo() {
  [ "$(id -u)" = 0 ] || skip "only root can give files away"
  start_empty
  SUDO_UID=65534 SUDO_GID=65533 "$CPROF" run -q --label v1 sh -c 'stat -c "%u %g %a" out.prof.part >part'
  [ "$(cat part)" = '65534 65533 600' ]
  [ "$(stat -c '%u %g %a' out.prof)" = '65534 65533 600' ]
  [ "$(stat -c '%u %g %a' .cprof)" = '65534 65533 700' ]
  [ "$(stat -c '%u %g %a' .cprof/v1/*.prof)" = '65534 65533 600' ]
  # Nonsense there is nobody.
  SUDO_UID=-1 SUDO_GID=x "$CPROF" run -q -o other.prof true
  [ "$(stat -c '%u %g' other.prof)" = '0 0' ]
}

# --- while it is written --------------------------------------------------------------------------

test_faults_disk_fills_during_the_recording() {
  start_empty
  mkdir small
  cat >on_small_disk.sh <<'END'
mount -t tmpfs -o size=600k none small || exit 77
cd small
"$CPROF" run -q -o out.prof true || exit 77
cp out.prof ../before
(sleep 1.2; head -c 1000000 /dev/zero >full 2>/dev/null) &
"$CPROF" run -F 5000 -o out.prof "$SAMPLES/nofp" 3 >../out 2>../err
echo "$?" >../status
wait
cp out.prof ../after
rm full
"$CPROF" info out.prof.part >../info
"$CPROF" info --repair out.prof.part -o ../repaired.prof 2>../repair.err
END
  unshare -m bash on_small_disk.sh || skip "no disk can be mounted here"
  [ "$(cat status)" = 125 ]
  grep -Eq '^[0-9]+$' out # the program came to its end
  grep -v interrupted err >sentences
  one_sentence sentences 'cannot write out.prof.*No space left on device'
  cmp before after
  grep -q 'make it whole' info
  "$CPROF" report repaired.prof >rows
  grep -q leaf_half rows
}

test_faults_directory_removed_during_the_recording() {
  start_empty
  mkdir -p away/deeper
  status=0
  "$CPROF" run -o away/deeper/out.prof sh -c 'rm -r away; sleep 1.5; echo ran >ran; exit 5' 2>err || status=$?
  [ "$status" = 125 ]
  [ "$(cat ran)" = ran ]
  one_sentence err 'away/deeper/out.prof'
  [ ! -e away ]
}

test_faults_part_file_removed_or_replaced() {
  start_empty
  # The recording is in memory, too: it is written whole all the same.
  "$CPROF" run -q sh -c 'rm out.prof.part; sleep 1.3'
  is_whole out.prof
  rm out.prof
  "$CPROF" run -q sh -c 'rm out.prof.part; echo mine >out.prof.part'
  "$CPROF" report >rows
  [ "$(cat out.prof.part)" = mine ]
  # A profile that others turn into a directory meanwhile is not written over.
  rm -f out.prof out.prof.part
  fails 125 "$CPROF" run -q sh -c 'mkdir out.prof' 2>err
  one_sentence err 'out.prof'
  [ -d out.prof ]
  "$CPROF" report out.prof.part >rows # whole but for its name
}

test_faults_suspended_machine() {
  start_empty
  cat >suspend.sh <<'END'
"$CPROF" run -o out.prof "$SAMPLES/nofp" 1 >out 2>err &
recorder=$!
sleep 0.5
program=$(cat /proc/$recorder/task/$recorder/children)
kill -STOP $recorder $program
sleep 1.5
kill -CONT $program $recorder
wait $recorder
END
  bash suspend.sh
  is_whole out.prof
  # (Records that were lost, if any, were those of other processes on the same CPUs.)
  "$CPROF" flame --folded -m samples >stacks
  awk '/leaf_/ { sum += $NF } END { exit !(sum > 400) }' stacks
  # What passed while it stood still is time that passed.
  info_value out.prof elapsed | awk '{ exit !($1 >= 2.2) }'
  "$CPROF" report -m wall --by=thread >rows
}

test_faults_clock_set_while_recording() {
  start_empty
  # Time is CLOCK_MONOTONIC's; the machine's clock is for dates, and for the names of kept runs.
  grep -rln 'CLOCK_REALTIME\|gettimeofday\|time(NULL)' "$ROOT/profiler" --include=*.[ch] >readers || true
  sed "s|$ROOT/||" readers | sort >named
  printf '%s\n' profiler/cli/recording_info.c profiler/cli/repair.c profiler/cli/runs.c | cmp - named
  # A program of another time: half a second of it is half a second.
  cat >skewed.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
/* Each look at the machine's clock is a day earlier than the one before. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	static long days;
	int result;

	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	result = real(clock, now);
	if (clock == CLOCK_REALTIME)
		now->tv_sec -= 86400 * ++days;
	return result;
}
END
  gcc -shared -fPIC -O2 skewed.c -o skewed.so -ldl
  ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$PWD/skewed.so "$CPROF" run -q sh -c 'sleep 0.5'
  is_whole out.prof
  info_value out.prof elapsed | awk '{ exit !($1 >= 0.45 && $1 < 20) }'
  "$CPROF" list >list
  "$CPROF" report -m wall >rows
}

# --- killed ---------------------------------------------------------------------------------------

# Every call of cprof (not of the program) that changes a file is counted; the process is killed
# right before the one that KILL_AT names.
write_killer() {
  cat >killer.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static pid_t ours;
static int left;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("KILL_AT");

	if (strcmp(program_invocation_short_name, "cprof") == 0 && at) {
		ours = getpid();
		left = atoi(at);
	}
}

static void step(void)
{
	if (ours && getpid() == ours && __atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) == 0)
		kill(ours, SIGKILL);
}

#define WRAP(type, name, parameters, arguments)                      \
	type name parameters                                         \
	{                                                            \
		type(*real) parameters = dlsym(RTLD_NEXT, #name);    \
		step();                                              \
		return real arguments;                               \
	}
WRAP(ssize_t, pwrite, (int fd, const void *from, size_t count, off_t at), (fd, from, count, at))
WRAP(int, rename, (const char *from, const char *to), (from, to))
WRAP(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, link, (const char *from, const char *to), (from, to))
WRAP(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t length), (fd, length))
WRAP(int, mkostemp, (char *name, int flags), (name, flags))
WRAP(int, mkdir, (const char *name, mode_t mode), (name, mode))
WRAP(ssize_t, write, (int fd, const void *from, size_t count), (fd, from, count))
END
  gcc -shared -fPIC -O2 killer.c -o killer.so -ldl
}

# Either profile is whole: the old one, or that of this run; and what .part has can be saved.
check_after_kill() { # STEP
  cmp -s out.prof before || "$CPROF" info out.prof >info
  if ! cmp -s out.prof before; then
    fails 1 grep -q 'make it whole' info
    [ "$(info_value out.prof label)" = new ]
  fi
  "$CPROF" report out.prof >rows
  [ -e out.prof.part ] || return 0
  if [ "$(stat -c %s out.prof.part)" -gt 16 ]; then
    "$CPROF" info out.prof.part >info
    "$CPROF" info --repair out.prof.part -o saved.prof 2>repair.err
    if grep -q 'nothing to repair' repair.err; then cp out.prof.part saved.prof; fi
    "$CPROF" report saved.prof >rows
    rm saved.prof
  fi
}

test_faults_killed_before_any_step() {
  local step status=137 left=0
  start_empty
  exec 2>/dev/null # where the shell tells who was killed
  write_killer
  "$CPROF" run -q --label old true
  cp out.prof before
  for step in $(seq 1 100); do
    rm -f out.prof.*
    status=0
    KILL_AT=$step ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 LD_PRELOAD=$PWD/killer.so \
      "$CPROF" run -q --label new sh -c 'sleep 0.01' 2>err || status=$?
    [ "$status" = 137 ] || break
    check_after_kill || { echo "killed before step $step"; return 1; }
    left=$((left + $(find . -name 'out.prof.??????' | wc -l)))
    cp before out.prof
  done
  [ "$status" = 0 ]
  [ "$step" -gt 8 ]
  # Files that never got their name are gone with cprof, but for the one about to be renamed.
  if python3 -c 'import os; os.open(".", os.O_TMPFILE | os.O_RDWR)'; then [ "$left" -le 1 ]; fi
  # Then a next run says what is left, and works.
  status=0
  KILL_AT=$((step / 2)) ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 LD_PRELOAD=$PWD/killer.so \
    "$CPROF" run -q --label new true || status=$?
  [ "$status" = 137 ]
  if [ -e out.prof.part ]; then
    "$CPROF" run -q true 2>err
    grep -q 'an earlier recording was cut off: .*interrupted.*cprof info --repair' err
  fi
  "$CPROF" run -q true
  is_whole out.prof
}

test_faults_killed_at_any_moment() {
  local moment recorder
  start_empty
  "$CPROF" run -q --label old true
  cp out.prof before
  for moment in 0.005 0.02 0.05 0.1 0.3 1.1 1.15 1.2 1.3 1.5; do
    rm -f began ended out.prof.*
    "$CPROF" run -q --label new sh -c 'echo >began; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo $i >ended' 2>err &
    recorder=$!
    sleep "$moment"
    kill -KILL "$recorder" 2>/dev/null || true
    wait "$recorder" || true
    check_after_kill
    # The program, when it had begun, comes to its end.
    if [ -e began ]; then wait_until test -s ended; fi
    cp before out.prof
  done
  [ -e began ]
}
