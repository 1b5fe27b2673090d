# Names that a program chooses for itself: functions, files, threads, paths, arguments, labels. Nothing
# of them reaches a terminal, a browser or Graphviz as anything but text.

# What terminals would obey, HTML, SVG and dot would take for their own, and what is no UTF-8.
# shellcheck disable=SC2016 # nothing is to be expanded
hostile_names=(
  $'\033[2Jcleared' $'\033]0;title\007' $'back\bspace\rreturn' $'\302\233c1' $'rtl\342\200\256override'
  '</script><script>alert(1)</script>' ']]><svg onload="alert(1)">' '<!--' '&amp;&#0;' "quote'and\"quote"
  '"]; evil [label="' 'back\' '\N\l\r' 'semi;colon 12' ' space ' $'tab\tand\nline' $'bad\377\300\200utf'
  '${HOME} $(id) `id`' '%s%n%d' '{{template}}' 'a{b|c<d>}'
)

# A program whose functions have these names, one after the other in one stack, and a file name,
# thread name, path and argument of the same kind.
write_hostile_program() {
  local number=0 name
  {
    echo '#include <sys/prctl.h>'
    echo '#include <time.h>'
    echo '#define NOIPA __attribute__((noipa))'
    echo 'NOIPA int evil0(int n) { clock_t end = clock() + CLOCKS_PER_SEC / 2;'
    echo '  while (clock() < end) for (volatile int i = 0; i < 10000; i++) n += i; return n; }'
    for name in "${hostile_names[@]}"; do
      number=$((number + 1))
      echo "NOIPA int evil$number(int n) { return evil$((number - 1))(n + 1) + 1; }"
    done
    echo "int main(void) { prctl(PR_SET_NAME, \"\\033[31m<b>;\\n\"); return evil$number(0) == 7; }"
  } >evil.c
  gcc -O2 -c evil.c -o evil.o
  number=0
  for name in "${hostile_names[@]}"; do
    number=$((number + 1))
    objcopy --redefine-sym "evil$number=$name" evil.o
  done
  # And one of 100,000 characters.
  objcopy --redefine-sym "evil0=$(printf '%0100000d' 0 | tr 0 L)" evil.o
  directory=$(printf 'dir\033[1m\n"<&>')
  mkdir "$directory"
  program="$directory/$(printf 'pro\tgram;\342\200\256"]')"
  gcc evil.o -o "$program"
}

# The text is UTF-8 without anything that controls a terminal or the order of characters.
write_checker() {
  cat >clean.py <<'END'
import sys, unicodedata, xml.dom.minidom
allowed = {"\n"} | ({"\033"} if "--color" in sys.argv else set())
for path in sys.argv[1:]:
    if path == "--color":
        continue
    text = open(path, "rb").read().decode("utf-8")
    allowed_here = allowed | ({"\t"} if path.endswith((".dot", ".svg")) else set())
    for character in set(text) - allowed_here:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            at = text.index(character)
            sys.exit("%s: U+%04X in %r" % (path, ord(character), text[max(0, at - 40):at + 20]))
    if path.endswith(".svg"):
        document = xml.dom.minidom.parse(path)
        scripts = document.getElementsByTagName("script")
        if len(scripts) > 1:
            sys.exit("%s has %d scripts" % (path, len(scripts)))
        for element in document.getElementsByTagName("*"):
            for name, value in element.attributes.items():
                if "alert" in value and name.startswith("on"):
                    sys.exit("%s: %s=%r" % (path, name, value))
END
}

test_hostile_names_are_only_text_in_every_view() {
  local stacks
  write_hostile_program
  write_checker
  recorded evil.prof --label "$(printf 'la\033[7mbel</script>\n"]')" "./$program" "$(printf 'arg\033[5m<\n>')"
  cp evil.prof out.prof
  for command in 'report' 'report --by=line' 'report --by=module' 'report --by=process' \
    'report --by=thread' 'report --by=stack' 'report --callers' 'report --callees' \
    'tree' 'tree --unicode' 'info' 'list' 'diff evil.prof evil.prof' 'flame --folded'; do
    # shellcheck disable=SC2086 # words on purpose
    "$CPROF" $command >"text.$(echo "$command" | tr -c 'a-z\n' _)" 
  done
  grep -q cleared text.report
  grep -q 'alert(1)' text.tree
  python3 clean.py text.*
  "$CPROF" tree --color >coloured
  python3 clean.py --color coloured
  # Colours are the only sequences that it has.
  fails 1 grep -Pq '\033(?!\[[0-9;]*m)' coloured
  # Each of the stack's frames is one frame of its folded line.
  stacks=$("$CPROF" flame --folded -m samples | grep -c ';main;')
  [ "$stacks" -ge 1 ]
  "$CPROF" flame --folded -m samples | awk -v count="${#hostile_names[@]}" -F ';' '
    { at = leaf = 0; for (i = 1; i <= NF; i++) { if ($i == "main") at = i; if ($i ~ /^LLLLL/) leaf = i } }
    at && leaf { if (leaf - at != count + 1) { print "frames: " leaf - at; exit 1 } seen++ }
    END { exit !seen }'
  fails 1 grep -vEq ' [0-9]+$' text.flame___folded
}

test_hostile_names_make_good_drawings() {
  local view
  write_hostile_program
  write_checker
  recorded evil.prof --label '</title><script>' "./$program" '</svg>'
  for view in '' --reverse --icicle; do
    # shellcheck disable=SC2086 # nothing, or an option
    "$CPROF" flame $view -o "flame$view.svg" evil.prof
  done
  "$CPROF" dot -o evil.dot evil.prof
  python3 clean.py evil.dot ./*.svg
  dot -Tsvg evil.dot -o graph.svg 2>err
  [ ! -s err ]
  python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("graph.svg")'
  # One node for each function, none that a name made.
  dot -Tplain evil.dot >plain
  fails 1 grep -Eq '^node "?evil' plain
  "$CPROF" diff --format=dot -o diff.dot evil.prof evil.prof 2>err || grep -q 'known\|unrecognized' err
  if [ -s diff.dot ]; then dot -Tsvg diff.dot -o diff.svg; fi
}

test_hostile_names_in_messages() {
  local name
  write_checker
  name=$(printf 'no\033[31m\nsuch\342\200\256')
  for command in report tree dot flame info diff list; do
    "$CPROF" "$command" "$name" "$name" >out 2>err.txt || true
    python3 clean.py err.txt
    [ "$(wc -l <err.txt)" -le 4 ]
  done
  "$CPROF" "$name" 2>err.txt || true
  python3 clean.py err.txt
  "$CPROF" report "--$name" 2>err.txt || true
  python3 clean.py err.txt
  fails 125 "$CPROF" run -o "$name/x" true 2>err.txt
  python3 clean.py err.txt
  "$CPROF" run "./$name" 2>err.txt || true
  python3 clean.py err.txt
  "$CPROF" run -o "$name.prof" true 2>err.txt || skip "cannot record here"
  python3 clean.py err.txt
  [ -e "$name.prof" ]
  "$CPROF" info "$name.prof" >out.txt
  python3 clean.py out.txt
}
