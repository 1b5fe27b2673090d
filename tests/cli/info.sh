# What `cprof info` says of a profile, and how it repairs one.

busy='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'

test_info_says_everything() {
  recorded out.prof --label loop sh -c "$busy"
  "$CPROF" info >info
  for word in recording holds stacks processes modules file; do grep -q "^$word" info; done
  grep -q '^  label  *loop$' info
  grep -q '^  rooted ' info
  grep -q 'build-id [0-9a-f]\{16,\}' info
  grep -q "^    thread [0-9]" info
  grep -q 'bytes a record' info
  fails 1 grep -q 'make it whole' info
}

test_info_repairs_a_cut_recording() {
  "$CPROF" run -q -o out.prof "$SAMPLES/sleeper" >program.out 2>run.err &
  local recorder=$!
  sleep 3
  if [ ! -e out.prof.part ]; then skip "cannot record here: $(cat run.err)"; fi
  fails 1 "$CPROF" report 2>err
  grep -q 'cprof info --repair out.prof.part' err
  # While it is written, it is shown, but not repaired.
  "$CPROF" info out.prof.part >info
  grep -q 'make it whole with: cprof info --repair out.prof.part' info
  fails 1 "$CPROF" info --repair out.prof.part 2>err
  grep -q 'still writing' err
  kill -KILL "$recorder"
  wait "$recorder" || true
  cp out.prof.part copy.part
  "$CPROF" info --repair out.prof.part 2>err
  grep -q 'wrote out.prof' err
  [ ! -e out.prof.part ]
  [ "$(stat -c %a out.prof)" = 600 ]
  "$CPROF" report >rows
  grep -q 'sleeper.c:[0-9]*(sleep_for_1s)' rows
  "$CPROF" info >info
  grep -q '^  is incomplete  *1$' info
  fails 1 grep -q 'make it whole' info
  # Another recording is never replaced unasked.
  cp copy.part out.prof.part
  fails 1 "$CPROF" info --repair out.prof.part 2>err
  grep -q 'out.prof is there already' err
  "$CPROF" info --repair out.prof.part -o other.prof 2>err
  [ -e out.prof.part ]
  "$CPROF" report other.prof >rows
  grep -q 'sleep_for_1s' rows
  # What is whole stays as it is.
  cp other.prof before
  "$CPROF" info --repair other.prof -o more.prof 2>err
  grep -q 'there is nothing to repair' err
  [ ! -e more.prof ]
  "$CPROF" info --repair other.prof 2>err
  grep -q 'there is nothing to repair' err
  cmp before other.prof
}

test_info_repairs_a_damaged_profile() {
  recorded out.prof sh -c "$busy"
  head -c "$(($(stat -c %s out.prof) - 40))" out.prof >cut.prof
  fails 1 "$CPROF" info --repair cut.prof 2>err
  grep -q 'say with -o where the whole file goes' err
  "$CPROF" info --repair cut.prof -o whole.prof 2>err
  "$CPROF" report whole.prof >rows
  [ -s rows ]
}
