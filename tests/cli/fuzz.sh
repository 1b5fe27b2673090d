# shellcheck shell=bash
# shellcheck disable=SC2154 # harness.sh sets the variables
# The readers on damaged input, under the sanitizers: 1,000 mutations of each target's seeds, 10,000
# where CPROF_LONG is set. What fails is in $FUZZ/NAME.failed: `$FUZZ/fuzz_NAME --replay` that.
FUZZ=$ROOT/build-fuzz

mutated() { # TARGET
  local count=1000
  [ -z "${CPROF_LONG-}" ] || count=10000
  [ -x "$FUZZ/fuzz_$1" ] || skip "there is no $FUZZ/fuzz_$1: make fuzz-programs BUILD=build-fuzz"
  "$FUZZ/fuzz_$1" --mutations "$count" --save "$FUZZ/$1.failed" "$FUZZ/seeds/$1"/*
}

test_fuzz_cfi() { mutated cfi; }
test_fuzz_debug_data() { mutated debug_data; }
test_fuzz_demangle() { mutated demangle; }
test_fuzz_dwarf() { mutated dwarf; }
test_fuzz_elf() { mutated elf; }
test_fuzz_folded() { mutated folded; }
test_fuzz_jitdump() { mutated jitdump; }
test_fuzz_kallsyms() { mutated kallsyms; }
test_fuzz_loaded_image() { mutated loaded_image; }
test_fuzz_marks() { mutated marks; }
test_fuzz_perf_map() { mutated perf_map; }
test_fuzz_perf_record() { mutated perf_record; }
test_fuzz_proc_maps() { mutated proc_maps; }
test_fuzz_profile() { mutated profile; }
test_fuzz_rules() { mutated rules; }
test_fuzz_run_record() { mutated run_record; }
test_fuzz_symbols() { mutated symbols; }

# Small files that claim to hold much: read in seconds, as they are.
test_fuzz_bombs() {
  [ -d "$FUZZ/seeds/bombs" ] || skip "there is no $FUZZ/seeds"
  "$FUZZ/fuzz_dwarf" --mutations 2 --save "$FUZZ/bombs.failed" "$FUZZ"/seeds/bombs/*
}

# Each target is run by a test of its name, and has seeds.
test_fuzz_targets_are_all_run() {
  local source target
  for source in "$ROOT"/tests/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    grep -q "^test_$target() { mutated ${target#fuzz_}; }$" "$ROOT/tests/cli/fuzz.sh"
    [ ! -d "$FUZZ" ] || [ -n "$(ls "$FUZZ/seeds/${target#fuzz_}")" ]
  done
}
