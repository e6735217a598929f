#!/bin/sh
# All figures about speed and size: ratios and counts, each against its limit. Fails if one is over it.
#
# Criterion's detail comes first, then one line per figure: `bench: <name> <value> <unit>`. The benchmarks of the crate
# check their limits themselves; those that take Go are put beside the same loop in Rust here, in turn, so that both see
# the same machine.
set -eu

ROUNDS=5
MOST_GO_WRAP_VS_RUST=2
MOST_GO_ALLOCS=2

cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

cargo bench --locked --bench detail
for figures in size speed; do
    cargo bench --locked --quiet --bench $figures || failed=1
done

tools/setup.sh --has go || exit $failed
cargo bench --locked --quiet --bench go_twin --no-run
(cd go-bindings && go test -c -o "$scratch/go" ./sds)
round=0
while [ $round -lt $ROUNDS ]; do
    cargo bench --locked --quiet --bench go_twin >>"$scratch/rust.txt"
    "$scratch/go" -test.run '^$' -test.bench '^BenchmarkWrap$' -test.benchtime 60000x >>"$scratch/go.txt"
    round=$((round + 1))
done

# Three settings, by the gap between two messages: with 30 s a message has some 500 bytes, as in a quiet channel, and the
# limit holds there. With 1 s it has 4 KB and with 1 ms 20 KB, nearly all of it filter; Go hands out a copy of its own,
# and most of the time goes into memory for that. Each figure is the median of its rounds.
awk -v most_ratio=$MOST_GO_WRAP_VS_RUST -v most_allocs=$MOST_GO_ALLOCS '
    function median(list, n,    i, j, t) {
        for (i = 1; i <= n; i++)
            for (j = i + 1; j <= n; j++)
                if (list[j] < list[i]) { t = list[i]; list[i] = list[j]; list[j] = t }
        return list[int((n + 1) / 2)]
    }
    function gap_ratio(gap, n,    i, ratios) {
        for (i = 1; i <= n; i++) ratios[i] = go[gap, i] / rust[gap, i]
        return median(ratios, n)
    }
    $1 == "go_twin:" { rust[$2, ++rounds[$2]] = $3 }
    /^BenchmarkWrap\// {
        split($1, name, "[/-]")
        go_rounds[name[2]]++
        for (i = 3; i < NF; i++) {
            if ($(i + 1) == "ns/wrap") go[name[2], go_rounds[name[2]]] = $i
            if ($(i + 1) == "allocs/wrap" && $i > allocs) allocs = $i
        }
    }
    END {
        for (i = split("30s 1s 1ms", gaps, " "); i > 0; i--) {
            if (rounds[gaps[i]] == 0 || rounds[gaps[i]] != go_rounds[gaps[i]]) {
                print "bench.sh: the rounds of Go and Rust do not match" > "/dev/stderr"
                exit 1
            }
            ratio = gap_ratio(gaps[i], rounds[gaps[i]])
            printf "bench: go_wrap_vs_rust%s %.2f ratio\n", i == 1 ? "" : "_" gaps[i], ratio
        }
        printf "bench: go_allocs %d allocations\n", allocs
        if (ratio > most_ratio || allocs > most_allocs) {
            print "over its limit: go_wrap_vs_rust or go_allocs" > "/dev/stderr"
            exit 1
        }
    }' "$scratch/rust.txt" "$scratch/go.txt" || failed=1
exit $failed
