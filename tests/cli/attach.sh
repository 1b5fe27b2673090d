# cprof attach: processes that run already, as root and as their owner, left as they were.

# Starts samples/server; its pid is in $server. It ends by itself after a minute at the latest.
start_server() {
  "$SAMPLES/server" >server.out &
  wait_until test -s server.out
  server=$(head -n 1 server.out)
}

# Ends it; nothing may have interrupted its waits.
end_server() {
  kill -TERM "$server"
  wait_until grep -q interruptions server.out
  grep -qx '0 interruptions' server.out
}

# What it says is in attach.err; skips the test where recording is forbidden.
attached() { # OPTION... PID
  "$CPROF" attach "$@" 2>attach.err || skip "cannot record here: $(cat attach.err)"
}

tid_of() { # PID NAME
  grep -lx "$2" "/proc/$1/task"/*/comm | cut -d/ -f5
}

test_attach_sees_all_threads_and_later_ones() {
  start_server
  (sleep 0.5; kill -USR1 "$server") &
  attached --duration 2 "$server"
  is_whole out.prof
  has_stack out.prof 'start_thread;spinner.*;spin [0-9]+$'
  has_stack out.prof 'start_thread;late_work.*;spin [0-9]+$'
  has_stack out.prof ';main;start_more.*;child_work.*;spin [0-9]+$'
  # Long waits were under way when recording began.
  within 1500000 2300000 "$(sum_of out.prof blocked 'start_thread;waiter;wait_for_events;epoll_wait')"
  "$CPROF" report --by=thread -m wall out.prof >threads
  for name in "spinner ($server/" "late ($server/" "waiter ($server/" "server ($server/$server)"; do
    grep -qF "$name" threads
  done
  lifetimes_add_up out.prof
  end_server
}

test_attach_says_what_it_knows() {
  start_server
  attached --duration 0.3 -F 500 --label calm "$server"
  grep -qE '^cprof: calm: 0\.[0-9]+ s, .* lost -> out.prof; next: cprof report$' attach.err
  fails 1 grep -q peak attach.err
  "$CPROF" report out.prof | grep -qF "server (attached to process $server)"
  [ "$(info_value out.prof 'attached pid')" = "$server" ]
  [ "$(info_value out.prof status)" = - ]
  [ "$(info_value out.prof user)" = - ]
  [ "$(info_value out.prof 'peak rss')" = - ]
  [ "$(info_value out.prof command)" = "$SAMPLES/server" ]
  [ "$(info_value out.prof directory)" = "$TMP" ]
  "$CPROF" report calm | grep -q spin
  attached -q --duration 0.2 "$server"
  [ ! -s attach.err ]
  "$CPROF" list | grep -q "server@$server"
  end_server
}

test_attach_one_thread() {
  local tid
  start_server
  tid=$(tid_of "$server" spinner)
  (sleep 0.3; kill -USR1 "$server") &
  attached --duration 1 "$server:$tid"
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6' >threads
  [ "$(wc -l <threads)" = 1 ]
  grep -q "^ *thread  *$tid" threads
  has_stack out.prof 'start_thread;spinner;spin [0-9]+$'
  fails 1 grep -q 'late_work\|child_work' stacks
  # A thread that waits all the time is nothing but its wait.
  tid=$(tid_of "$server" waiter)
  attached --duration 0.5 "$server:$tid"
  within 400000 700000 "$(sum_of out.prof blocked 'waiter;wait_for_events;epoll_wait')"
  end_server
}

test_attach_ends_with_its_thread() {
  start_server
  kill -USR1 "$server"
  wait_until test -n "$(tid_of "$server" late)"
  attached "$server:$(tid_of "$server" late)"
  is_whole out.prof
  has_stack out.prof 'late_work.*;spin [0-9]+$'
  end_server
}

test_attach_ends_with_the_process() {
  start_server
  (sleep 0.5; kill -TERM "$server") &
  attached --print "$server" >table
  is_whole out.prof
  grep -q 'server.c.*spin' table
  grep -qx '0 interruptions' server.out
}

test_attach_interrupt_ends_the_recording_only() {
  local signal recorder
  can_record
  start_server
  for signal in INT TERM HUP QUIT; do
    # A shell lets its background jobs ignore SIGINT and SIGQUIT, and cannot undo it.
    python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$CPROF" attach -o "$signal.prof" "$server" 2>"$signal.err" &
    recorder=$!
    wait_until test -e "$signal.prof.part"
    sleep 0.5
    kill "-$signal" "$recorder"
    wait "$recorder"
    is_whole "$signal.prof"
    has_stack "$signal.prof" 'spinner;spin [0-9]+$'
    kill -0 "$server"
  done
  end_server
}

test_attach_killed_recorder_leaves_the_process_running() {
  local recorder
  can_record
  start_server
  "$CPROF" attach "$server" 2>/dev/null &
  recorder=$!
  wait_until test -e out.prof.part
  sleep 1.5
  kill -KILL "$recorder"
  fails 137 wait "$recorder"
  kill -0 "$server"
  "$CPROF" info --repair -o repaired.prof out.prof.part
  has_stack repaired.prof 'spinner;spin [0-9]+$'
  # It can be attached to again.
  attached -o again.prof --duration 0.3 "$server"
  has_stack again.prof 'spinner;spin [0-9]+$'
  end_server
}

test_attach_to_what_is_recorded_already() {
  local recorder
  can_record
  "$CPROF" run -q -o run.prof "$SAMPLES/server" >server.out &
  recorder=$!
  wait_until test -s server.out
  server=$(head -n 1 server.out)
  attached --duration 0.3 "$server"
  kill -TERM "$server"
  wait "$recorder"
  has_stack run.prof 'spinner;spin [0-9]+$'
  has_stack out.prof 'spinner;spin [0-9]+$'
}

test_attach_follows_an_exec() {
  can_record
  cat >chain.sh <<'END_CHAIN'
sleep 1
exec "$SAMPLES/nofp" 1
END_CHAIN
  bash chain.sh &
  attached $!
  has_stack out.prof ';main;deep1;deep2;.*;leaf_half [0-9]+$'
  is_whole out.prof
}

test_attach_stopped_process() {
  start_server
  kill -STOP "$server"
  attached --duration 0.5 "$server"
  grep -q '^State:.T' "/proc/$server/status"
  kill -CONT "$server"
  [ "$(sum_of out.prof cpu .)" = 0 ]
  kill -TERM "$server"
}

test_attach_says_why_not() {
  start_server
  fails 1 "$CPROF" attach 4194305 2>err
  grep -qx 'cprof: there is no process 4194305' err
  fails 1 "$CPROF" attach "$server:1" 2>err
  grep -q "process $server has no thread 1: " err
  fails 1 "$CPROF" attach "$(tid_of "$server" spinner)" 2>err
  grep -q "is a thread of process $server: record it with .cprof attach $server:" err
  fails 1 "$CPROF" attach --backend=magic "$server" 2>err
  grep -q "unknown backend 'magic'" err
  fails 1 "$CPROF" attach -o /nowhere/out.prof "$server" 2>err
  [ "$(wc -l <err)" = 1 ]
  for wrong in '' 0 -1 12x 1: 1:x 1:2:3 99999999999; do
    fails 2 "$CPROF" attach -- "$wrong" 2>err
    grep -q 'neither a process' err
  done
  fails 2 "$CPROF" attach 2>err
  fails 2 "$CPROF" attach 1 2 2>err
  [ ! -e out.prof ] && [ ! -e out.prof.part ]
  end_server
}

test_attach_kernel_threads_and_zombies_are_refused() {
  local kernel zombie
  kernel=$(ps -e -o pid=,ppid= | awk '$2 == 2 { print $1; exit }')
  if [ -n "$kernel" ]; then
    fails 1 "$CPROF" attach "$kernel" 2>err
    grep -q 'is a thread of the kernel' err
  fi
  python3 -c '
import os, sys, time
pid = os.fork()
if pid == 0:
    os._exit(0)
print(pid, flush=True)
time.sleep(30)' >zombie.pid &
  wait_until test -s zombie.pid
  zombie=$(cat zombie.pid)
  wait_until grep -q '^State:.Z' "/proc/$zombie/status"
  fails 1 "$CPROF" attach "$zombie" 2>err
  kill %1
  grep -q "process $zombie has ended" err
}

test_attach_ordinary_user() {
  local foreign
  make_public_place
  cp "$SAMPLES/server" "$public"
  start_server
  foreign=$server
  fails 1 as_nobody "$public/cprof" attach "$foreign" 2>err
  grep -qx "cprof: process $foreign (server) belongs to $(id -un): record it with \`sudo cprof attach $foreign\`" err
  end_server
  as_nobody "$public/server" >server.out &
  wait_until test -s server.out
  server=$(head -n 1 server.out)
  (sleep 0.5; kill -USR1 "$server") &
  as_nobody "$public/cprof" attach --duration 2 "$server" 2>err || {
    kill "$server"
    skip "an ordinary user may not record: $(cat err)"
  }
  cp "$public/home/out.prof" .
  has_stack out.prof 'start_thread;spinner;spin [0-9]+$'
  has_stack out.prof 'start_thread;late_work.*;spin [0-9]+$'
  has_stack out.prof 'child_work.*;spin [0-9]+$'
  lifetimes_add_up out.prof
  as_nobody "$public/cprof" attach --duration 0.5 "$server:$(tid_of "$server" spinner)" 2>err
  cp "$public/home/out.prof" one.prof
  [ "$("$CPROF" info one.prof | awk '$1 == "thread" && NF >= 6' | wc -l)" = 1 ]
  # Root sees another user's process, too.
  attached --duration 0.3 "$server"
  has_stack out.prof 'start_thread;spinner;spin [0-9]+$'
  end_server
}

# --- the same where perf events are forbidden -----------------------------------------------------

test_attach_ptrace_sees_all_threads_and_later_ones() {
  start_server
  (sleep 0.5; kill -USR1 "$server") &
  attached --backend=ptrace --duration 3 "$server"
  [ "$(info_value out.prof backend)" = ptrace ]
  has_stack out.prof 'start_thread;spinner.*;spin [0-9]+$'
  has_stack out.prof 'start_thread;late_work.*;'
  has_stack out.prof 'child_work.*;'
  within 2000000 3600000 "$(sum_of out.prof blocked 'start_thread;waiter;wait_for_events;epoll_wait')"
  lifetimes_add_up out.prof
  grep -qx 'TracerPid:.0' "/proc/$server/status"
  end_server
}

test_attach_ptrace_one_thread() {
  local tid
  start_server
  tid=$(tid_of "$server" spinner)
  attached --backend=ptrace --duration 1 "$server:$tid"
  "$CPROF" info out.prof | awk '$1 == "thread" && NF >= 6' >threads
  [ "$(wc -l <threads)" = 1 ]
  has_stack out.prof 'start_thread;spinner.*;spin [0-9]+$'
  end_server
}

test_attach_ptrace_killed_recorder_leaves_the_process_running() {
  local recorder
  start_server
  attached --backend=ptrace --duration 0.2 "$server"
  rm out.prof
  "$CPROF" attach --backend=ptrace "$server" 2>/dev/null &
  recorder=$!
  wait_until test -e out.prof.part
  sleep 1
  kill -KILL "$recorder"
  fails 137 wait "$recorder"
  grep -qx 'TracerPid:.0' "/proc/$server/status"
  grep -q '^State:.[RS]' "/proc/$server/status"
  end_server
}

test_attach_ptrace_ends_with_the_process() {
  start_server
  (sleep 0.7; kill -TERM "$server") &
  attached --backend=ptrace "$server"
  is_whole out.prof
  has_stack out.prof 'spinner.*;spin [0-9]+$'
  wait_until grep -qx '0 interruptions' server.out
}

# --- other people's programs ----------------------------------------------------------------------

test_attach_deleted_program() {
  can_record
  cp "$SAMPLES/server" gone
  ./gone >server.out &
  wait_until test -s server.out
  server=$(head -n 1 server.out)
  rm gone
  attached --duration 0.5 "$server"
  has_stack out.prof 'spinner.*;spin [0-9]+$'
  end_server
}

test_attach_pythons_own_program() {
  [ -x /usr/bin/python3 ] || skip "Debian's python3 is not installed"
  local python
  /usr/bin/python3 -c '
import time
end = time.time() + 20
while time.time() < end:
    sum(range(100000))' &
  python=$!
  sleep 0.5
  attached --duration 1 "$python"
  kill -0 "$python"
  kill "$python"
  has_stack out.prof 'main.*PyEval'
  within 95 100 "$("$CPROF" info out.prof | awk '$1 == "rooted" { print $2 }')"
}

test_attach_redis_server() {
  command -v redis-server >/dev/null || skip "redis-server is not installed"
  command -v redis-cli >/dev/null || skip "redis-cli is not installed"
  local redis
  redis-server --port 0 --unixsocket "$TMP/redis.sock" --save '' --daemonize no >redis.log 2>&1 &
  redis=$!
  wait_until test -S "$TMP/redis.sock"
  (sleep 0.3; redis-cli -s "$TMP/redis.sock" eval 'for i = 1, 20000000 do end return 1' 0 >eval.out) &
  attached --duration 1.5 "$redis"
  redis-cli -s "$TMP/redis.sock" ping | grep -qx PONG
  redis-cli -s "$TMP/redis.sock" shutdown nosave || true
  has_stack out.prof 'lua'
  "$CPROF" report --by=thread -m wall out.prof | grep -q bio_
}
