# fish completion for cprof(1)

function __cprof_using
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = $argv[1]
end

function __cprof_no_command
    test (count (commandline -opc)) -eq 1
end

# Labels of the kept runs.
function __cprof_labels
    cprof list 2>/dev/null | awk 'NR == 1 { width = index($0, "RECORDED") - 1; next }
      { label = substr($0, 1, width); sub(/ +$/, "", label); print label }' | sort -u
end

complete -c cprof -n __cprof_no_command -f
complete -c cprof -n __cprof_no_command -s h -l help -d 'show the help'
complete -c cprof -n __cprof_no_command -l version -d 'show the version'
complete -c cprof -n __cprof_no_command -a run -d 'run a program and record its profile'
complete -c cprof -n __cprof_no_command -a attach -d 'record a process that runs already'
complete -c cprof -n __cprof_no_command -a report -d 'the table of functions'
complete -c cprof -n __cprof_no_command -a tree -d 'the tree of calls'
complete -c cprof -n __cprof_no_command -a dot -d 'the call graph for Graphviz'
complete -c cprof -n __cprof_no_command -a flame -d 'the flame graph as an interactive SVG'
complete -c cprof -n __cprof_no_command -a diff -d 'what changed between two profiles'
complete -c cprof -n __cprof_no_command -a info -d 'what is in a profile'
complete -c cprof -n __cprof_no_command -a list -d 'the kept runs'
complete -c cprof -n __cprof_no_command -a doctor -d 'what this machine allows'

complete -c cprof -n '__cprof_using run' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using run' -s o -l output -r -F -d 'write the profile to a file'
complete -c cprof -n '__cprof_using run' -s F -l rate -x -d 'samples a second of CPU time'
complete -c cprof -n '__cprof_using run' -l backend -x -a 'auto perf ptrace' -d 'how to record'
complete -c cprof -n '__cprof_using run' -l max-overhead -x -d 'how far ptrace may slow the program down'
complete -c cprof -n '__cprof_using run' -l label -x -d 'name of the run'
complete -c cprof -n '__cprof_using run' -l duration -x -d 'stop recording after so many seconds'
complete -c cprof -n '__cprof_using run' -l wait -d 'record until the last descendant has ended'
complete -c cprof -n '__cprof_using run' -l no-timeline -d 'keep totals only'
complete -c cprof -n '__cprof_using run' -l print -d 'print the table afterwards'
complete -c cprof -n '__cprof_using run' -s q -l quiet -d 'no summary'
complete -c cprof -n '__cprof_using run' -x -a '(__fish_complete_subcommand --fcs-skip=2)'

complete -c cprof -n '__cprof_using attach' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using attach' -s o -l output -r -F -d 'write the profile to a file'
complete -c cprof -n '__cprof_using attach' -s F -l rate -x -d 'samples a second of CPU time'
complete -c cprof -n '__cprof_using attach' -l backend -x -a 'auto perf ptrace' -d 'how to record'
complete -c cprof -n '__cprof_using attach' -l max-overhead -x -d 'how far ptrace may slow the program down'
complete -c cprof -n '__cprof_using attach' -l label -x -d 'name of the run'
complete -c cprof -n '__cprof_using attach' -l duration -x -d 'stop recording after so many seconds'
complete -c cprof -n '__cprof_using attach' -l wait -d 'record until the last descendant has ended'
complete -c cprof -n '__cprof_using attach' -l no-timeline -d 'keep totals only'
complete -c cprof -n '__cprof_using attach' -l print -d 'print the table afterwards'
complete -c cprof -n '__cprof_using attach' -s q -l quiet -d 'no summary'
complete -c cprof -n '__cprof_using attach' -x -a '(__fish_complete_pids)' -d 'process'

complete -c cprof -n '__cprof_using report' -s s -l sort -x -a 'cumulative time name filename line module stdname nfl samples' -d 'order of the rows'
complete -c cprof -n '__cprof_using report' -s n -l rows -x -d 'at most so many rows'
complete -c cprof -n '__cprof_using report' -l by -x -a 'function line module thread process stack' -d 'what a row is'
complete -c cprof -n '__cprof_using report' -l callers -d 'who called each function'
complete -c cprof -n '__cprof_using report' -l callees -d 'whom each function called'
complete -c cprof -n '__cprof_using report' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using report' -s m -l metric -x -a 'wall cpu blocked runnable samples' -d 'which numbers'
complete -c cprof -n '__cprof_using report' -l region -d 'only what ran in marked regions'
complete -c cprof -n '__cprof_using report' -s o -l output -r -F -d 'write to a file'
complete -c cprof -n '__cprof_using report' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using tree' -l show-all -d 'the frames of libraries too'
complete -c cprof -n '__cprof_using tree' -l flat -d 'a list instead of a tree'
complete -c cprof -n '__cprof_using tree' -l threshold -x -d 'leave out what has less percent'
complete -c cprof -n '__cprof_using tree' -l hide -x -d 'hide frames of files that match'
complete -c cprof -n '__cprof_using tree' -l show -x -d 'show frames of files that match'
complete -c cprof -n '__cprof_using tree' -l unicode -d 'draw with lines'
complete -c cprof -n '__cprof_using tree' -l no-unicode -d 'draw with ASCII characters'
complete -c cprof -n '__cprof_using tree' -l color -d 'colours always'
complete -c cprof -n '__cprof_using tree' -l no-color -d 'never colours'
complete -c cprof -n '__cprof_using tree' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using tree' -s m -l metric -x -a 'wall cpu blocked runnable samples' -d 'which numbers'
complete -c cprof -n '__cprof_using tree' -l region -d 'only what ran in marked regions'
complete -c cprof -n '__cprof_using tree' -s o -l output -r -F -d 'write to a file'
complete -c cprof -n '__cprof_using tree' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using dot' -s n -l node-thres -x -d 'leave out functions with less percent'
complete -c cprof -n '__cprof_using dot' -s e -l edge-thres -x -d 'leave out calls with less percent'
complete -c cprof -n '__cprof_using dot' -s c -l colormap -x -a 'color pink gray bw print' -d 'colours'
complete -c cprof -n '__cprof_using dot' -s s -l strip -d 'names without parameters'
complete -c cprof -n '__cprof_using dot' -s w -l wrap -d 'break long names'
complete -c cprof -n '__cprof_using dot' -s z -l root -x -d 'only what is called from a function'
complete -c cprof -n '__cprof_using dot' -s l -l leaf -x -d 'only what calls a function'
complete -c cprof -n '__cprof_using dot' -s p -l path -x -d 'only functions of files that match'
complete -c cprof -n '__cprof_using dot' -l depth -x -d 'at most so many calls away'
complete -c cprof -n '__cprof_using dot' -l node-label -x -a 'self-time self-time-percentage total-time total-time-percentage' -d 'what nodes say'
complete -c cprof -n '__cprof_using dot' -l show-samples -d 'the number of samples too'
complete -c cprof -n '__cprof_using dot' -l skew -x -d 'distribution of the colours'
complete -c cprof -n '__cprof_using dot' -l color-nodes-by-selftime -d 'colour by self time'
complete -c cprof -n '__cprof_using dot' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using dot' -s m -l metric -x -a 'wall cpu blocked runnable samples' -d 'which numbers'
complete -c cprof -n '__cprof_using dot' -l region -d 'only what ran in marked regions'
complete -c cprof -n '__cprof_using dot' -s o -l output -r -F -d 'write to a file'
complete -c cprof -n '__cprof_using dot' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using flame' -l reverse -d 'stacks from the innermost function on'
complete -c cprof -n '__cprof_using flame' -l icicle -d 'the root at the top'
complete -c cprof -n '__cprof_using flame' -l folded -d 'folded stacks instead of a picture'
complete -c cprof -n '__cprof_using flame' -l title -x -d 'the heading'
complete -c cprof -n '__cprof_using flame' -l width -x -d 'of the picture, in pixels'
complete -c cprof -n '__cprof_using flame' -l min-width -x -d 'leave out narrower frames'
complete -c cprof -n '__cprof_using flame' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using flame' -s m -l metric -x -a 'wall cpu blocked runnable samples' -d 'which numbers'
complete -c cprof -n '__cprof_using flame' -l region -d 'only what ran in marked regions'
complete -c cprof -n '__cprof_using flame' -s o -l output -r -F -d 'write to a file'
complete -c cprof -n '__cprof_using flame' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using diff' -s n -l rows -x -d 'at most so many functions'
complete -c cprof -n '__cprof_using diff' -l min-abs -x -d 'list no smaller changes'
complete -c cprof -n '__cprof_using diff' -l min-rel -x -d 'list no changes that are a smaller part'
complete -c cprof -n '__cprof_using diff' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using diff' -s m -l metric -x -a 'wall cpu blocked runnable samples' -d 'which numbers'
complete -c cprof -n '__cprof_using diff' -l region -d 'only what ran in marked regions'
complete -c cprof -n '__cprof_using diff' -s o -l output -r -F -d 'write to a file'
complete -c cprof -n '__cprof_using diff' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using info' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using info' -l repair -d 'make a cut off recording whole'
complete -c cprof -n '__cprof_using info' -s o -l output -r -F -d 'write to a file'
complete -c cprof -n '__cprof_using info' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using list' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using list' -s n -l rows -x -d 'only the newest'
complete -c cprof -n '__cprof_using list' -a '(__cprof_labels)' -d 'kept run'

complete -c cprof -n '__cprof_using doctor' -s h -l help -d 'show the help'
complete -c cprof -n '__cprof_using doctor' -a '(__fish_complete_command)' -d 'program'
