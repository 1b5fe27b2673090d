# The reading commands on real recordings: profile arguments, outputs, failures.

busy='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'

test_reading_default_is_out_prof() {
  fails 1 "$CPROF" report 2>err
  grep -q 'there is no out.prof here: record one with: cprof run PROGRAM' err
  recorded out.prof sh -c "$busy"
  for command in report tree dot flame info; do
    "$CPROF" "$command" >default
    "$CPROF" "$command" out.prof >named
    "$CPROF" "$command" out >short
    [ -s default ]
    cmp default named
    cmp default short
  done
}

test_reading_label_is_newest_run() {
  recorded one.prof --label loop sh -c "$busy"
  recorded two.prof --label loop sh -c "$busy"
  "$CPROF" flame --folded loop >label
  "$CPROF" flame --folded two.prof >two
  cmp label two
  fails 1 "$CPROF" report lop.prof 2>err
  fails 1 "$CPROF" tree lop 2>err
  grep -q "no profile 'lop': record it with: cprof run" err
}

test_reading_label_default_is_the_arguments() {
  recorded a.prof sh -c "$busy"
  "$CPROF" list >list
  "$CPROF" tree -- "-c $busy" >tree
  [ -s tree ]
  recorded b.prof "$SAMPLES/recursion"
  "$CPROF" tree recursion >tree
  [ -s tree ]
}

test_reading_report_patterns() {
  recorded out.prof "$SAMPLES/recursion"
  recorded other.prof --label v4 "$SAMPLES/recursion"
  "$CPROF" report 3 >rows
  grep -q 'List reduced from [0-9]* to 3 due to restriction <3>' rows
  "$CPROF" report main >rows
  grep -q "due to restriction <'main'>" rows
  grep -q 'recursion.c:[0-9]*(main)' rows
  "$CPROF" report 0.5 3 v4 >rows
  grep -q "restriction <0.5>" rows
  grep -q "to 3 due to restriction <3>" rows
  grep -q '/v4/.*[.]prof$' rows
  fails 1 "$CPROF" report no-such.prof 2>err
  grep -q 'cannot open no-such.prof' err
}

test_reading_a_program_does_not_hide_its_label() {
  cp "$SAMPLES/recursion" .
  recorded out.prof ./recursion
  "$CPROF" report recursion >rows
  grep -q 'recursion/.*[.]prof$' rows
  rm -r .cprof out.prof
  fails 1 "$CPROF" tree recursion 2>err
  grep -q 'recursion' err
}

test_reading_output_file_is_whole_or_absent() {
  recorded out.prof sh -c "$busy"
  "$CPROF" flame -o out.svg
  "$CPROF" flame | cmp - out.svg
  fails 1 "$CPROF" flame -o no/such/out.svg 2>err
  grep -q 'cannot write no/such/out.svg: No such file or directory' err
  fails 1 "$CPROF" report --region -o region.txt 2>err
  [ ! -e region.txt ]
  [ "$(wc -l <err)" = 1 ]
  "$CPROF" tree -o /dev/null
  [ -c /dev/null ]
}

test_reading_full_disk_is_a_failure() {
  recorded out.prof sh -c "$busy"
  for command in 'report' 'tree' 'dot' 'flame' 'flame --folded' 'info' 'list' 'report --help' \
    'diff out out' '--help' '--version'; do
    # shellcheck disable=SC2086 # words on purpose
    fails 1 "$CPROF" $command >/dev/full 2>err
    grep -q 'cannot write standard output: No space left on device' err
  done
}

test_reading_closed_descriptors() {
  recorded out.prof sh -c "$busy"
  fails 1 "$CPROF" report >&- 2>err
  grep -q 'cannot write standard output' err
  "$CPROF" report 2>&- <&- >rows
  [ -s rows ]
  "$CPROF" report -o file >&- 2>&- <&-
  cmp rows file
}

test_reading_closed_pipe_is_quiet() {
  recorded out.prof sh -c "$busy"
  "$CPROF" flame 2>err | head -c 10 >/dev/null
  [ ! -s err ]
}

test_reading_damaged_files_are_told() {
  recorded out.prof sh -c "$busy"
  head -c 1000 out.prof >cut.prof
  head -c 8 out.prof >head.prof
  : >empty.prof
  head -c 3000 /dev/urandom >random.prof
  mkdir folder.prof
  mkfifo fifo.prof
  for file in cut head empty random folder fifo; do
    for command in report tree dot flame; do
      fails 1 timeout 10 "$CPROF" "$command" "$file.prof" >out 2>err
      [ "$(wc -l <err)" = 1 ]
      [ ! -s out ]
    done
  done
  fails 1 "$CPROF" report cut.prof 2>err
  grep -q -- 'cprof info --repair' err
}

test_reading_names_are_escaped() {
  recorded out.prof --label "$(printf 'red\033[31m\nline')" sh -c "$busy"
  "$CPROF" list >list
  "$CPROF" info >info
  fails 1 grep -q "$(printf '\033')" list info
  [ "$(wc -l <list)" = 2 ]
  fails 1 "$CPROF" tree "$(printf 'no\033[31msuch')" 2>err
  fails 1 grep -q "$(printf '\033')" err
}

test_reading_no_colours_in_files() {
  recorded out.prof sh -c "$busy"
  TERM=xterm "$CPROF" tree >tree
  fails 1 grep -q "$(printf '\033')" tree
  "$CPROF" tree --color >tree
  grep -q "$(printf '\033')\\[" tree
}

test_reading_tree_follows_the_locale() {
  recorded out.prof "$SAMPLES/recursion"
  LC_ALL=C.UTF-8 "$CPROF" tree >tree
  grep -q '└─' tree
  LC_ALL=C "$CPROF" tree >tree
  fails 1 grep -q '└─' tree
  LC_ALL=C "$CPROF" tree --unicode >tree
  grep -q '└─' tree
}

test_reading_metrics_and_kinds_of_rows() {
  recorded out.prof "$SAMPLES/recursion"
  for metric in wall cpu blocked runnable samples; do
    "$CPROF" report -m "$metric" >rows
    "$CPROF" flame --folded -m "$metric" >folded
    [ -s rows ]
  done
  for by in function line module thread process stack; do
    "$CPROF" report --by "$by" >"$by"
    [ -s "$by" ]
  done
  fails 1 cmp -s function module
  "$CPROF" report --callers main >callers
  "$CPROF" report --callees main >callees
  fails 1 cmp -s callers callees
}

test_reading_diff_of_files_and_labels() {
  recorded a.prof --label a sh -c "$busy"
  recorded b.prof --label b sh -c "$busy; $busy"
  "$CPROF" diff a.prof b.prof >files
  "$CPROF" diff a b >labels
  "$CPROF" diff a.prof a.prof >same
  grep -q 'peak memory' files
  grep -q 'peak memory' labels
  grep -q 'peak memory' same
  fails 1 "$CPROF" diff a no-such 2>err
  grep -q "no profile 'no-such'" err
  fails 1 "$CPROF" diff a~1 a 2>err
  grep -q "repetitions of one" err
  fails 1 "$CPROF" diff -m samples --min-abs 5ms a b 2>err
  grep -q -- '--min-abs is a time, but samples are counted' err
  # Nothing changed by an hour.
  "$CPROF" diff --min-abs 3600 a b >none
  "$CPROF" diff --min-abs 0 -n 0 a b >all
  [ "$(wc -l <all)" -gt "$(wc -l <none)" ]
}

test_reading_diff_uses_all_repetitions() {
  recorded out.prof --label loop -F 500 sh -c "$busy"
  recorded out.prof --label loop sh -c "$busy"
  recorded out.prof --label loop sh -c "$busy"
  "$CPROF" diff loop~1 loop >diff
  grep -q 'loop.*2 runs' diff
  grep -q 'loop.*1 kept run of another build or setting left out' diff
  "$CPROF" list >list
  [ "$(grep -c '^loop ' list)" = 2 ]
  [ "$(grep -c '^loop~1 ' list)" = 1 ]
}
