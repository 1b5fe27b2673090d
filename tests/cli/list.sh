# The kept runs, as `cprof list` shows them.

busy='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'

test_list_shows_runs() {
  "$CPROF" list >list 2>err
  [ ! -s list ]
  grep -q 'no runs are kept in .cprof yet' err
  recorded out.prof --label first sh -c "$busy"
  recorded out.prof --label second sh -c "$busy"
  "$CPROF" list >list
  [ "$(wc -l <list)" = 3 ]
  sed -n 1p list | grep -q '^PROFILE  *RECORDED  *ELAPSED  *PEAK RSS  *SAMPLES  *RUNS  *COMMAND$'
  sed -n 2p list | grep -q '^first .* s .* MiB .* 1  sh -c'
  sed -n 3p list | grep -q '^second '
  "$CPROF" list -n 1 | grep -q '^second '
  [ "$("$CPROF" list -n 1 | wc -l)" = 2 ]
  [ "$("$CPROF" list first | wc -l)" = 2 ]
  fails 1 "$CPROF" list third 2>err
  grep -q "no run with the label 'third' is kept" err
  mkdir sub
  (cd sub && CPROF_DIR=../.cprof "$CPROF" list) | cmp - list
  "$CPROF" list second --rows 5 | grep -q '^second '
}
