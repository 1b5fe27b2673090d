# Every command and option that --help tells of is in the man page and in the three completions, and
# the program takes it.

commands_of_help() {
  "$CPROF" --help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p'
}

# The options of COMMAND, one a line: the words with '-' in front in the left part of the option lines.
options_of_help() {
  "$CPROF" "$1" --help | grep -E '^ {2,6}-' | sed 's/^ *//; s/  .*//' |
    grep -oE -- '--?[A-Za-z][A-Za-z0-9-]*' | sort -u
}

# The left part of an option's line says whether it takes a value: the word in capitals.
takes_value() { # COMMAND OPTION
  "$CPROF" "$1" --help | grep -E '^ {2,6}-' | sed 's/^ *//; s/  .*//' |
    grep -E -- "(^|[ ,])$2( |,|\$)" | grep -qE ' [A-Z]+'
}

test_help_lists_commands() {
  local commands
  commands=$(commands_of_help)
  [ "$(echo "$commands" | wc -l)" -ge 8 ]
  for command in run report tree dot flame diff info list; do
    echo "$commands" | grep -qx "$command"
  done
}

test_help_of_each_command() {
  for command in $(commands_of_help); do
    "$CPROF" "$command" --help >out 2>err
    grep -q "^usage: cprof $command" out
    [ ! -s err ]
    "$CPROF" "$command" -h | cmp - out
    [ "$(options_of_help "$command" | wc -l)" -ge 2 ]
    # Fits a terminal.
    fails 1 grep -E '^.{85,}' out
  done
}

test_help_options_are_taken() {
  for command in $(commands_of_help); do
    for option in $(options_of_help "$command"); do
      case $option in -h | --help) continue ;; esac
      # -h ends the parsing with the help; an option that is not known ends it before.
      if takes_value "$command" "$option"; then
        fails "$([ "$command" = run ] && echo 125 || echo 2)" "$CPROF" "$command" "$option" 2>err
        grep -q 'needs a value' err
      else
        "$CPROF" "$command" "$option" -h >out
        grep -q '^usage:' out
      fi
    done
  done
}

test_help_every_option_is_in_the_man_page() {
  for command in $(commands_of_help); do
    page=$ROOT/man/cprof-$command.1
    for option in $(options_of_help "$command"); do
      # mdoc: ".It Fl o Ns , Fl -output Ar FILE"
      grep -E '^\.It ' "$page" | grep -qE -- "Fl ${option#-}( |\$)" ||
        { echo "$page lacks $option"; return 1; }
    done
    grep -q "^\.Xr cprof-$command 1\|^\.It Xr cprof-$command 1" "$ROOT/man/cprof.1" ||
      { echo "man/cprof.1 lacks $command"; return 1; }
  done
}

# The other direction: the pages promise nothing that is not there.
test_help_man_pages_have_no_other_options() {
  for command in $(commands_of_help); do
    options_of_help "$command" >known
    grep -E '^\.It Fl ' "$ROOT/man/cprof-$command.1" | grep -oE 'Fl [A-Za-z-][A-Za-z-]*' |
      sed 's/^Fl /-/' | sort -u >said
    [ -s said ]
    comm -13 known said >more
    [ ! -s more ] || { echo "man page of $command:"; cat more; return 1; }
  done
}

test_help_every_option_is_completed() {
  for command in $(commands_of_help); do
    for option in $(options_of_help "$command"); do
      case $option in
        --*) fish="-l ${option#--}" ;;
        -*) fish="-s ${option#-}" ;;
      esac
      completions_of_bash "$command" "$option" | grep -qx -- "$option" ||
        { echo "bash: $command lacks $option"; return 1; }
      options_of_zsh "$command" | grep -E -- "[\"'({,)*]$option([]\"'=,}[+-]|\$)" >/dev/null ||
        { echo "zsh: $command lacks $option"; return 1; }
      grep -E -- "__cprof_using $command(['\"; ]|\$)" "$ROOT/completions/cprof.fish" |
        grep -qE -- " $fish( |\$)" || { echo "fish: $command lacks $option"; return 1; }
    done
  done
}

# The function of a command, with the one for what the reading commands have in common.
options_of_zsh() { # COMMAND
  local text
  text=$(sed -n "/^_cprof_$1()/,/^}/p" "$ROOT/completions/_cprof")
  echo "$text"
  case $text in
    *_cprof_reading*) sed -n '/^_cprof_reading()/,/^}/p' "$ROOT/completions/_cprof" ;;
  esac
}

# What bash offers for `cprof COMMAND WORD<TAB>`.
completions_of_bash() { # COMMAND WORD
  bash -c '
    source "$1"
    COMP_WORDS=(cprof "$2" "$3")
    COMP_CWORD=2
    COMP_LINE="cprof $2 $3"
    COMP_POINT=${#COMP_LINE}
    _cprof
    printf "%s\n" "${COMPREPLY[@]}"
  ' bash "$ROOT/completions/cprof.bash" "$1" "$2"
}

test_help_commands_are_completed() {
  bash -c '
    source "$1"
    COMP_WORDS=(cprof "")
    COMP_CWORD=1
    _cprof
    printf "%s\n" "${COMPREPLY[@]}"
  ' bash "$ROOT/completions/cprof.bash" | sort >offered
  for command in $(commands_of_help); do
    grep -qx "$command" offered
    grep -qE "^ +'$command:" "$ROOT/completions/_cprof"
    grep -qE -- "-a $command( |\$)" "$ROOT/completions/cprof.fish"
  done
}

test_help_completions_parse() {
  bash -n "$ROOT/completions/cprof.bash"
  local other=0
  if command -v zsh >/dev/null; then zsh -n "$ROOT/completions/_cprof"; other=1; fi
  if command -v fish >/dev/null; then fish -n "$ROOT/completions/cprof.fish"; other=1; fi
  [ "$other" = 1 ] || skip "neither zsh nor fish is installed; bash's completion parses"
}

test_help_man_pages_are_clean() {
  command -v mandoc >/dev/null || skip "mandoc is not installed"
  mandoc -Tlint -Wwarning "$ROOT"/man/cprof*.[15]
}

test_help_version() {
  "$CPROF" --version | grep -qE '^cprof [0-9]+\.[0-9]+'
}

test_usage_errors() {
  fails 2 "$CPROF" 2>err
  grep -q '^usage: cprof' err
  fails 2 "$CPROF" reprot >out 2>err
  grep -q "did you mean 'report'" err
  grep -q 'try `cprof --help`' err
  [ ! -s out ]
  fails 2 "$CPROF" report --no-such-option 2>err
  grep -q 'unknown or ambiguous option --no-such-option' err
  grep -q 'try `cprof report --help`' err
  fails 2 "$CPROF" report -n 0 2>err
  grep -q -- '--rows needs a whole number from 1 up' err
  fails 2 "$CPROF" report -n 12abc 2>/dev/null
  fails 2 "$CPROF" report --by colour 2>err
  grep -q -- "--by is one of function, line, module" err
  fails 2 "$CPROF" tree --threshold 101 2>err
  fails 2 "$CPROF" dot -c red 2>err
  fails 2 "$CPROF" dot --skew nan 2>err
  fails 2 "$CPROF" diff only-one 2>err
  fails 2 "$CPROF" diff --min-abs 5min a b 2>err
  fails 2 "$CPROF" report -m loudness 2>err
  grep -q 'known metrics are wall, cpu' err
  fails 2 "$CPROF" tree a b 2>err
}
