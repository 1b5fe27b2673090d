# What is no profile, given to every command that reads one; what is no program, given to run.
#
# One sentence on stderr, exit status 1, nothing on stdout, nothing changed, no hang.

busy='i=0; while [ $i -lt 5000 ]; do i=$((i+1)); done'

# Every command that reads profiles, with FILE where it belongs.
each_reader() { # COMMAND FILE [FILE]: runs "COMMAND reader-command-line..."
  local reader
  for reader in 'report FILE' 'tree FILE' 'dot FILE' 'flame FILE' 'flame --folded FILE' 'info FILE' \
    'info --repair FILE -o repaired' 'diff FILE good.prof' 'diff good.prof FILE'; do
    # shellcheck disable=SC2086 # words on purpose
    "$1" ${reader//FILE/$2}
  done
}

# One sentence, and nothing else. 10 s are much more than any of these needs.
refuses() { # COMMAND-LINE OF CPROF...
  fails 1 timeout 10 "$CPROF" "$@" >out 2>err
  [ "$(wc -l <err)" = 1 ] || { echo "not one sentence: $*"; cat err; return 1; }
  grep -q '^cprof: ' err
  [ ! -s out ] || { echo "$* wrote something"; return 1; }
  [ ! -e repaired ]
}

# Damaged files may still be good for `info` and `--repair`, which take what is there: no crash.
refuses_or_saves() { # COMMAND-LINE OF CPROF...
  local status=0
  rm -f repaired
  timeout 20 "$CPROF" "$@" >out 2>err || status=$?
  [ "$status" -le 1 ] || { echo "exit status $status: $*"; cat err; return 1; }
  [ "$status" = 0 ] || [ "$(wc -l <err)" = 1 ] || { echo "not one sentence: $*"; cat err; return 1; }
  case $1 in
    info) ;;
    *) [ "$status" = 1 ] || { echo "$* takes a damaged file"; return 1; } ;;
  esac
}

test_bad_input_is_refused_by_every_reader() {
  recorded good.prof sh -c "$busy"
  cp good.prof before
  : >empty.prof
  printf '\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR' >picture.prof
  cp /usr/bin/true elf.prof
  { printf 'PERFILE2'; head -c 1000 /dev/zero; } >perf.prof
  echo 'main;work 10' >text.prof
  head -c 3 good.prof >three.prof
  head -c 15 good.prof >fifteen.prof
  truncate -s 1T sparse.prof
  mkdir folder.prof
  mkfifo fifo.prof
  ln -s loop.prof loop.prof
  ln -s no-such-file dangling.prof
  ln -s /dev/zero zero.prof
  ln -s /dev/null null.prof
  for file in empty picture elf perf text three fifteen sparse folder fifo loop dangling zero null \
    missing; do
    each_reader refuses "$file.prof"
  done
  [ ! -s empty.prof ]
  [ -p fifo.prof ]
  cmp good.prof before
}

test_bad_input_without_permission() {
  [ "$(id -u)" = 0 ] || skip "only root can become somebody else"
  recorded good.prof true
  public=$(mktemp -d /tmp/cprof-public.XXXXXX)
  trap 'rm -rf "$public"' EXIT
  cp "$CPROF" good.prof "$public"
  chmod 755 "$public"
  cd "$public" || return
  for command in report tree dot flame info; do
    fails 1 setpriv --reuid=65534 --regid=65534 --clear-groups -- ./cprof "$command" good.prof >out 2>err
    grep -q '^cprof: cannot open good.prof: Permission denied' err
    [ "$(wc -l <err)" = 1 ]
    [ ! -s out ]
  done
}

test_bad_input_cut_anywhere() {
  local size at
  recorded good.prof sh -c "$busy"
  size=$(stat -c %s good.prof)
  for part in 1 2 3 4 5 6 7 8 9; do
    at=$((16 + (size - 16) * part / 10))
    head -c "$at" good.prof >cut.prof
    each_reader refuses_or_saves cut.prof
    fails 1 "$CPROF" report cut.prof 2>err
    grep -q 'cprof info --repair' err
    # What is there can be saved, as often as one likes.
    "$CPROF" info --repair cut.prof -o saved.prof 2>err
    "$CPROF" info saved.prof >info
    fails 1 grep -q 'make it whole' info
    [ "$(stat -c %s cut.prof)" = "$at" ]
    rm saved.prof
  done
}

test_bad_input_flipped_bits() {
  recorded good.prof sh -c "$busy"
  python3 - <<'END'
profile = open("good.prof", "rb").read()
step = max(1, len(profile) // 24)
for number, at in enumerate(range(0, len(profile), step)):
    flipped = bytearray(profile)
    flipped[at] ^= 1 << number % 8
    open("flipped%d.prof" % number, "wb").write(flipped)
END
  # The checksums find every single bit; `info` may show what lies before it.
  for file in flipped*.prof; do
    each_reader refuses_or_saves "$file"
    refuses report "$file"
    refuses diff good.prof "$file"
  done
}

test_bad_input_kept_runs_of_another_kind() {
  recorded good.prof --label loop sh -c "$busy"
  mkdir .cprof/odd
  echo text >.cprof/odd/text.prof
  mkfifo .cprof/odd/fifo.prof
  mkdir .cprof/odd/folder.prof
  : >.cprof/loop/empty.prof
  ln -s loop .cprof/loop/loop.prof
  timeout 10 "$CPROF" list >list 2>err
  grep -q '^loop ' list
  timeout 10 "$CPROF" report loop >rows
  [ -s rows ]
}

# --- run ------------------------------------------------------------------------------------------

test_bad_input_run_of_what_is_no_program() {
  can_record
  : >empty
  printf '\001\002\000\004' >noise
  cp /usr/bin/true foreign # for a machine of another kind: e_machine is AArch64's
  printf '\xb7\x00' | dd of=foreign bs=1 seek=18 conv=notrunc status=none
  head -c 70 /usr/bin/true >cut.elf
  printf '#!/no/such/interpreter\n' >orphan
  chmod +x empty noise foreign cut.elf orphan
  mkdir folder
  mkfifo pipe
  ln -s loop loop
  for file in folder pipe loop foreign cut.elf noise empty; do
    fails 126 timeout 10 "$CPROF" run -q "./$file" 2>err </dev/null
    [ "$(wc -l <err)" = 1 ] || { cat err; return 1; }
    grep -q "^cprof: cannot run ./$file: " err
  done
  # As env(1) has it: what is not there, its interpreter included, is 127.
  for file in orphan missing; do
    fails 127 "$CPROF" run -q "./$file" 2>err
    [ "$(wc -l <err)" = 1 ]
    grep -q "^cprof: cannot run ./$file: No such file" err
  done
  # A script without a first line #! is the shell's, as everywhere.
  printf 'echo "script $*"\nexit 7\n' >script
  chmod +x script
  fails 7 "$CPROF" run -q ./script one 'two  three' >out
  [ "$(cat out)" = 'script one two  three' ]
  PATH=$PWD/folder:$PWD:$PATH fails 7 "$CPROF" run -q script one >out
  [ "$(cat out)" = 'script one' ]
  PATH=$PWD:$PATH fails 126 "$CPROF" run -q foreign 2>err
  grep -q '^cprof: cannot run foreign: Exec format error' err
  fails 127 "$CPROF" run -q '' 2>err
  [ "$(wc -l <err)" = 1 ]
}
