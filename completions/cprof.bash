# bash completion for cprof(1)

# Labels of the kept runs, and profiles.
_cprof_profiles() {
  local IFS=$'\n'
  mapfile -t COMPREPLY < <(
    compgen -f -X '!*.prof' -- "$1"
    compgen -d -S / -- "$1"
    compgen -W "$(cprof list 2>/dev/null | awk 'NR == 1 { width = index($0, "RECORDED") - 1; next }
      { label = substr($0, 1, width); sub(/ +$/, "", label); print label }' | sort -u)" -- "$1"
  )
}

_cprof_words() { # WORD CHOICE...
  local word=$1
  shift
  mapfile -t COMPREPLY < <(compgen -W "$*" -- "$word")
}

_cprof() {
  local commands='run attach report tree dot flame diff info list doctor'
  local word=${COMP_WORDS[COMP_CWORD]} before='' command=${COMP_WORDS[1]} options i
  local reading='-m --metric --region -o --output -h --help'
  [ "$COMP_CWORD" = 0 ] || before=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()

  if [ "$COMP_CWORD" = 1 ]; then
    _cprof_words "$word" "$commands --help --version"
    return
  fi

  # Behind `run`'s options stands a command line of its own.
  if [ "$command" = run ]; then
    for ((i = 2; i < COMP_CWORD; i++)); do
      case ${COMP_WORDS[i]} in
        -o | --output | -F | --rate | --backend | --max-overhead | --label | --duration) ((i++)) ;;
        -*) ;;
        *)
          if declare -F _command_offset >/dev/null; then
            _command_offset "$i"
          else
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
          fi
          return
          ;;
      esac
    done
  fi

  case $before in
    -o | --output) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    -m | --metric) _cprof_words "$word" wall cpu blocked runnable samples; return ;;
    --by) _cprof_words "$word" function line module thread process stack; return ;;
    --backend) _cprof_words "$word" auto perf ptrace; return ;;
    --colormap) _cprof_words "$word" color pink gray bw print; return ;;
    --node-label)
      _cprof_words "$word" self-time self-time-percentage total-time total-time-percentage
      return
      ;;
    --sort)
      _cprof_words "$word" cumulative time name filename line module stdname nfl samples
      return
      ;;
    -F | --rate | --max-overhead | --duration | --label | -n | --rows | --threshold | --hide | --show | \
      --node-thres | --edge-thres | --root | --leaf | --path | --depth | --skew | --title | \
      --width | --min-width | --min-abs | --min-rel)
      return
      ;;
  esac

  case $command in
    run | attach)
      options='-o --output -F --rate --backend --max-overhead --label --duration --wait
        --no-timeline --print -q --quiet -h --help'
      ;;
    report) options="-s --sort -n --rows --by --callers --callees $reading" ;;
    tree)
      options="--show-all --flat --threshold --hide --show --unicode --no-unicode --color
        --no-color $reading"
      ;;
    dot)
      options="-n --node-thres -e --edge-thres -c --colormap -s --strip -w --wrap -z --root
        -l --leaf -p --path --depth --node-label --show-samples --skew
        --color-nodes-by-selftime $reading"
      ;;
    flame) options="--reverse --icicle --folded --title --width --min-width $reading" ;;
    diff) options="-n --rows --min-abs --min-rel $reading" ;;
    info) options='--repair -o --output -h --help' ;;
    list) options='-n --rows -h --help' ;;
    doctor) options='-h --help' ;;
    *) return ;;
  esac

  case $command:$word in
    *:-*) _cprof_words "$word" "$options" ;;
    attach:*) _cprof_words "$word" "$(ps -u "$(id -u)" -o pid= 2>/dev/null)" ;;
    run:* | doctor:*) mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word") ;;
    *) _cprof_profiles "$word" ;;
  esac
}

complete -o filenames -F _cprof cprof
