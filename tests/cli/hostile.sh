#!/bin/bash
# shellcheck disable=SC2153,SC2154 # $CPROF and the others come from the harness
# Programs whose files are made to harm whoever looks at them, often root: nothing hangs, nothing dies,
# and the recording is whole.

# Records a program whose file is changed while it runs: $1 does it, in a shell, to the file `victim`.
recorded_while() { # COMMANDS
  cp "$SAMPLES/nofp" victim
  recorded out.prof sh -c "./victim & sleep 0.1; $1; wait"
  is_whole out.prof
  [ "$("$CPROF" flame --folded -m samples out.prof | wc -l)" -gt 0 ]
}

test_hostile_file_becomes_fifo() { recorded_while 'rm victim; mkfifo victim'; }
test_hostile_file_becomes_device() { recorded_while 'ln -sf /dev/full victim'; }
test_hostile_file_becomes_link() { recorded_while 'ln -sf /etc/shadow victim'; }
test_hostile_file_becomes_endless() { recorded_while 'rm victim; truncate -s 7E victim || :'; }
test_hostile_file_becomes_text() { recorded_while 'rm victim; echo nothing >victim'; }

# The same for those who may not look at the mapped file itself.
test_hostile_file_becomes_fifo_of_user() {
  make_public_place
  # shellcheck disable=SC2016 # the inner shell's
  as_nobody sh -c 'cp ../nofp victim
    ../cprof run -q sh -c "./victim & sleep 0.1; rm victim; mkfifo victim; wait" ||
      { [ $? = 125 ] && touch forbidden; }'
  [ ! -e "$public/home/forbidden" ] || skip "an ordinary user cannot record here"
  "$CPROF" info "$public/home/out.prof" | grep -q 'whole\|samples'
}

# A library that is cut off under the program, which may well die of it.
test_hostile_library_is_cut_off() {
  can_record
  echo 'int extra(int n) { return n + 1; }' >extra.c
  gcc -g -shared -fPIC extra.c -o extra.so
  chmod 755 extra.so
  cp extra.so whole.so
  "$CPROF" run -q -o out.prof sh -c "
    LD_PRELOAD=./extra.so '$SAMPLES/nofp' & sleep 0.1; : >extra.so; wait" >/dev/null 2>run.err
  is_whole out.prof
}

# In a mount namespace of its own, a path can lead anywhere; a link that is absolute there means its
# own root, not ours.
test_hostile_mount_namespace() {
  unshare -m true 2>/dev/null || skip "namespaces are not allowed here"
  mkdir inner
  cp "$SAMPLES/nofp" inner/victim
  recorded out.prof unshare -m sh -c "
    mount --bind inner /mnt && cd /mnt && { ./victim & sleep 0.1; rm victim; ln -s /etc/shadow victim; wait; }"
  is_whole out.prof
  "$CPROF" flame --folded out.prof | grep -q 'victim\|f[0-9]\|main'
}

test_hostile_sparse_program() {
  cp "$SAMPLES/nofp" large
  truncate -s 9G large 2>/dev/null || skip "no file of 9 GiB here"
  recorded out.prof ./large
  is_whole out.prof
}

test_hostile_build_ids() {
  local id
  for id in 0x01 0x"$(printf '%0400d' 7)" none; do
    gcc -O1 -g -Wl,--build-id="$id" "$ROOT/samples/nofp.c" -D_GNU_SOURCE -I"$ROOT/profiler/agent" \
      -o program -lm
    recorded out.prof ./program
    is_whole out.prof
    "$CPROF" report out.prof >/dev/null
  done
}

# The link's name is a path that leads out; the file there is no debug information.
test_hostile_debug_link() {
  cp "$SAMPLES/nofp" program
  strip --strip-debug program
  echo secret >./0123456789012345678
  objcopy --add-gnu-debuglink=./0123456789012345678 program
  sed -i 's,0123456789012345678,../../../etc/shadow,' program
  chmod 755 program
  recorded out.prof ./program
  is_whole out.prof
}

test_hostile_names() {
  local name=$'a\nb\e[31m<c>"'
  cp "$SAMPLES/nofp" "$name"
  recorded out.prof "./$name"
  is_whole out.prof
  "$CPROF" report --by=module out.prof >table
  fails 1 grep -q $'\e' table
  "$CPROF" flame out.prof >flame.svg
  fails 1 grep -q '<c>' flame.svg
}
