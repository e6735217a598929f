#!/bin/sh
# Runs the fuzzers of fuzz/ one after the other, and tells what came of it.
#
#   TIME=60 tools/fuzz.sh [target...]     each for so many seconds; all targets by default
#   tools/fuzz.sh --figures LOG...        the figures out of logs, of runs that still go on too
#
# What the fuzzers learn stays in target/fuzz/corpus, so that the next run goes on from there. An input that fails lies in
# target/fuzz/artifacts; once its cause is mended it belongs into fuzz/regressions/<target>/, which `make test` runs.
set -eu
cd "$(dirname "$0")/.."

# One line per log. Executions are inputs tried; cov is how many branches of the code they reached, ft how many
# combinations of branch and count; found is how many inputs failed.
figures() {
    for log in "$@"; do
        target=$(basename "$log" .log)
        executions=$(sed -n 's/^#\([0-9]*\)[[:space:]].*/\1/p' "$log" | tail -n 1)
        reached=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/cov \1 ft \2/p' "$log" | tail -n 1)
        found=$(grep -c 'Test unit written to' "$log" || true)
        echo "fuzz: $target executions ${executions:-0} ${reached:-cov 0 ft 0} found $found"
    done
}

if [ "${1-}" = --figures ]; then
    shift
    figures "$@"
    exit
fi

[ $# -gt 0 ] || set -- $(cd fuzz/targets && ls ./*.rs | sed 's|^\./||; s|\.rs$||')
out=$PWD/target/fuzz
mkdir -p "$out/logs"
# The stable compiler has what is needed, and is asked to admit it.
export RUSTC_BOOTSTRAP=1
# Freed memory is watched for a while; more of it costs time and finds nothing here, where inputs are short.
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=16:malloc_context_size=4}"

# Only the C boundary has unsafe code, which is watched. The rest is tried several times as often without.
options() {
    case $1 in
    ffi) echo "--sanitizer address --target-dir $out/address" ;;
    *) echo "--sanitizer none --target-dir $out/plain" ;;
    esac
}
for target in "$@"; do
    # shellcheck disable=SC2046
    cargo fuzz build $(options "$target") "$target"
done

failed=
for target in "$@"; do
    log=$out/logs/$target.log
    mkdir -p "$out/corpus/$target" "$out/artifacts/$target" "fuzz/regressions/$target"
    # shellcheck disable=SC2046
    cargo fuzz run $(options "$target") "$target" "$out/corpus/$target" "fuzz/seeds/$target" "fuzz/regressions/$target" -- \
        -max_total_time="${TIME:-60}" -max_len=20000 -timeout=60 -artifact_prefix="$out/artifacts/$target/" \
        >"$log" 2>&1 || failed="$failed $target"
    figures "$log"
done

[ -z "$failed" ] && exit
for target in $failed; do
    echo "fuzz: $target failed:" >&2
    grep -A 2 -e 'panicked at' -e '^SUMMARY' -e 'Test unit written to' "$out/logs/$target.log" >&2 || tail -n 20 "$out/logs/$target.log" >&2
done
exit 1
