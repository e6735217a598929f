#!/bin/sh
# All figures about speed and size: ratios and counts, each against its limit. Fails if one is over it.
#
# Criterion's detail comes first, then one line per figure: `bench: <name> <value> <unit>`. The benchmarks of the crate
# check their limits themselves; those that take Go run here, beside the same loop in Rust.
set -eu

RUNS=3
MOST_GO_WRAP_VS_RUST=2
MOST_GO_ALLOCS=2
MOST_DROPIN_FLAT=1.3

# Memory that was freed stays with the process: otherwise a figure may measure how often the system takes pages back and
# clears them anew. (For glibc; elsewhere nobody looks at these.)
export MALLOC_TRIM_THRESHOLD_=1073741824 MALLOC_MMAP_THRESHOLD_=1073741824

cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# For awk: figures are noted once per run, and each is the median of its runs.
figures='
    function note(name, value) { noted[name, ++runs[name]] = value }
    function figure(name,    i, j, n, t, list) {
        n = runs[name]
        if (n == 0) {
            print "bench.sh: no figure for " name > "/dev/stderr"
            exit 1
        }
        for (i = 1; i <= n; i++) list[i] = noted[name, i]
        for (i = 1; i <= n; i++)
            for (j = i + 1; j <= n; j++)
                if (list[j] < list[i]) { t = list[i]; list[i] = list[j]; list[j] = t }
        return list[int((n + 1) / 2)]
    }
'

cargo bench --locked --bench detail
for bench in size speed durable; do
    cargo bench --locked --quiet --bench $bench || failed=1
done

if tools/setup.sh --has npm; then
    ${MAKE:-make} --no-print-directory wasm-bench || failed=1
fi

tools/setup.sh --has go || exit $failed
twin=$(cargo bench --locked --bench go_twin --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
[ -x "$twin" ] || { echo "bench.sh: the twin was not built" >&2; exit 1; }
(cd go-bindings && go test -c -o "$scratch/go" ./sds)
for _ in $(seq $RUNS); do
    SDS_TWIN=$PWD/${twin#"$PWD/"} "$scratch/go" -test.run '^$' -test.bench '^BenchmarkWrap$' -test.benchtime 60000x
done >"$scratch/go.txt"

# Three settings, by the gap between two messages: with 30 s a message has some 500 bytes, as in a quiet channel, with 1 s
# 4 KB, and with 1 ms 20 KB, nearly all of it filter.
#
# go_wrap_vs_rust is the loop of a host that broadcasts a message and is done with it (AppendOutgoing), and in the quiet
# channel also that of one that lets Go's garbage collector see to the memory (WrapOutgoing, "fresh"). With larger messages
# the latter has no limit, as it mostly measures the collector: memory fresh from it is cold, and 20 KB a message start it
# every 200 messages, since the heap of the benchmark is as small as can be.
awk -v most_ratio=$MOST_GO_WRAP_VS_RUST -v most_allocs=$MOST_GO_ALLOCS "$figures"'
    /^BenchmarkWrap\// {
        split($1, name, "[/-]")
        for (i = 3; i < NF; i++) {
            if ($(i + 1) == "x/rust") note(name[2] "/" name[3], $i)
            if ($(i + 1) == "allocs/wrap" && $i > allocs) allocs = $i
        }
    }
    END {
        for (i = split("30s 1s 1ms", gaps, " "); i > 0; i--) {
            gap = gaps[i]
            reused = figure(gap "/reused")
            fresh = figure(gap "/fresh")
            if (reused > worst) worst = reused
            if (gap == "30s" && fresh > worst) worst = fresh
            printf "bench: go_wrap_vs_rust_%s %.2f ratio\n", gap, reused
            printf "bench: go_wrap_fresh_vs_rust_%s %.2f ratio\n", gap, fresh
        }
        printf "bench: go_wrap_vs_rust %.2f ratio\n", worst
        printf "bench: go_allocs %d allocations\n", allocs
        if (worst > most_ratio || allocs > most_allocs) {
            print "over its limit: go_wrap_vs_rust or go_allocs" > "/dev/stderr"
            exit 1
        }
    }' "$scratch/go.txt" || failed=1

# The drop-in for sds-go-bindings: calls per second, and the bytes that each allocates, those that it returns included, with
# a history of 1,000 and of 10,000. A ratio is the time of a call with the longer one / with the shorter.
(cd go-bindings/dropin && go test -c -o "$scratch/dropin" ./sds)
for _ in $(seq $RUNS); do
    "$scratch/dropin" -test.run '^$' -test.bench '^BenchmarkDropin' -test.benchtime 15x
done >"$scratch/dropin.txt"
awk -v most=$MOST_DROPIN_FLAT "$figures"'
    /^BenchmarkDropin/ {
        call = $1 ~ /Unwrap/ ? "unwrap" : "wrap"
        for (i = 3; i < NF; i += 2) note(call " " $(i + 1), $i)
    }
    END {
        for (c = 1; c <= split("wrap unwrap", calls, " "); c++) {
            call = calls[c]
            for (h = 1; h <= split("1000 10000", histories, " "); h++) {
                history = histories[h]
                printf "bench: dropin_%s_%s %d calls/s\n", call, history, figure(call " calls/s-" history)
                printf "bench: dropin_%s_%s_allocated %d bytes/call\n", call, history, figure(call " B/call-" history)
                printf "bench: dropin_%s_%s_returned %d bytes/call\n", call, history, figure(call " B/returned-" history)
            }
            flat = figure(call " x/flat")
            printf "bench: dropin_%s_flat %.2f ratio\n", call, flat
            if (flat > most) over = 1
        }
        if (over) {
            print "over its limit: dropin_wrap_flat or dropin_unwrap_flat" > "/dev/stderr"
            exit 1
        }
    }' "$scratch/dropin.txt" || failed=1
exit $failed
