#!/bin/bash
# check.sh BUILD BIN: runs the unit tests of BUILD/check and the whole-command tests of tests/cli, and
# ends with one line that counts both: "N passed, N failed, N skipped".
build=$1
bin=$2
export CPROF_BUILD=$build

units=$(CK_VERBOSITY=normal CK_DEFAULT_TIMEOUT=120 "$build/check")
unit_status=$?
printf '%s\n' "$units" | grep -v ':P:'
# Check's line reads "98%: Checks: 200, Failures: 3, Errors: 1".
counted=$(printf '%s\n' "$units" | sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p')
read -r checks failures errors <<<"${counted:-0 0 1}"

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
CPROF=$bin/cprof SEGMENT=$bin/segment BUILD=$build tests/cli/harness.sh | tee "$log"
read -r passed failed skipped <<<"$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')"
[ -n "$skipped" ] || { passed=0 failed=1 skipped=0; }

[ "$unit_status" = 0 ] || [ $((failures + errors)) -gt 0 ] || errors=1
passed=$((passed + checks - failures - errors))
failed=$((failed + failures + errors))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
