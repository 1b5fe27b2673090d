# shellcheck shell=bash disable=SC2154
# Stacks of programs that nobody prepared: stripped, without frame pointers, as Debian ships them.

# The return addresses of core dumps, walked by our rows and by gdb.
agrees() { # CORES PROGRAM...
  local cores=$1 status=0
  shift
  [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" = 0 ] || [ "$(id -u)" = 0 ] ||
    skip "gdb may not attach to a process: ptrace_scope"
  python3 "$ROOT/tests/cores/agreement.py" "$BUILD" "$cores" "$@" || status=$?
  [ "$status" != 77 ] || skip "gdb could take no core dump here"
  [ "$status" = 0 ]
}

test_stacks_agree_with_gdb() { agrees 4 xz sqlite3 python3 gawk; }
test_stacks_of_git_and_cc1_agree_with_gdb() { agrees 4 git cc1; }
test_stacks_without_cfi_agree_with_gdb() { agrees 4 busybox "openssl aes"; }

# 200 stacks and more, in pieces that fit into a busy machine's minutes.
agrees_long() {
  [ "${CPROF_LONG-}" = 1 ] || skip "takes a minute: make check-long"
  agrees "$@"
}

test_long_stacks_of_compressors() { agrees_long 10 xz zstd; }
test_long_stacks_of_git_and_sqlite3() { agrees_long 12 sqlite3 git; }
test_long_stacks_of_perl_and_gawk() { agrees_long 12 perl gawk; }
test_long_stacks_of_python3_and_cc1() { agrees_long 12 python3 cc1; }
test_long_stacks_of_openssl() { agrees_long 8 "openssl aes" "openssl sha"; }
test_long_stacks_of_busybox() { agrees_long 12 busybox; }
test_long_stacks_of_servers() { agrees_long 6 redis-server nginx; }
test_long_stacks_of_node() { agrees_long 6 node; }
