#!/bin/bash
# fuzz.sh BUILD SECONDS TARGET...: lets libFuzzer look for inputs that break a reader, each target for
# so long. What it learns stays in BUILD/corpus; an input that breaks one is told, and ends all.
set -eu
build=$1
seconds=$2
shift 2

for target in "$@"; do
  echo "--- $target"
  mkdir -p "$build/corpus/$target"
  "$build/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -malloc_limit_mb=256 -max_len=262144 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$build/$target-" "$build/corpus/$target" "$build/seeds/$target"
done
