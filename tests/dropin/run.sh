#!/bin/sh
# What `make dropin-test` runs. A program that was written for sds-go-bindings is built and run in a scratch folder, after one
# line was added to its go.mod and nothing else was changed; then the example with a database of its own is tested.
#
# Variables: GO.
set -eu
cd "$(dirname "$0")/../.."
: "${GO:=go}"
scratch=$PWD/target/dropin-test
rm -rf "$scratch"
mkdir -p "$scratch/app"
top=$PWD
cd "$scratch/app"

# Nothing here needs a newer Go than the drop-in says, and docs/status-go.md tells which that is.
goes=$(sed -n 's/^go //p' "$top/go-bindings/dropin/go.mod")
grep -q "It takes Go ${goes%.0} " "$top/docs/status-go.md" || { echo "dropin: docs/status-go.md does not say Go $goes" >&2; exit 1; }
[ "$(sed -n 's/^go //p' "$top/tests/dropin/go.mod")" = "$goes" ] || { echo "dropin: tests/dropin/go.mod is not for Go $goes" >&2; exit 1; }

# go.mod and go.sum as they were with the old module, of which ours needs nothing more: only zap.
printf 'package main\n\nimport _ "go.uber.org/zap"\n\nfunc main() {}\n' >main.go
{ printf 'module example.org/app\n\ngo %s\n' "$goes" && sed -n 's/^.*\(go\.uber\.org\/zap .*\)/require \1/p' "$top/go-bindings/dropin/go.mod"; } >go.mod
"$GO" mod tidy
old=$(sed -n 's/^.*\(github\.com\/waku-org\/sds-go-bindings\) \(v.*\)/\1@\2/p' "$top/tests/dropin/go.mod")
"$GO" mod edit -require="$old"
cp "$top/tests/dropin/app/main.go" main.go
cp go.mod "$scratch/before"
cp go.sum "$scratch/sums"
"$GO" mod edit -replace github.com/waku-org/sds-go-bindings="$top/go-bindings/dropin"
cp go.mod "$scratch/after"
# -mod=readonly: were anything else to be changed in go.mod or go.sum, this would fail.
GOFLAGS="${GOFLAGS-} -mod=readonly" "$GO" build -o app .
lines=$(diff "$scratch/before" go.mod | grep -c '^> replace ')
if [ "$lines" != 1 ] || ! cmp -s "$scratch/after" go.mod || ! cmp -s "$scratch/sums" go.sum; then
    echo 'dropin: it takes more than one replace line' >&2
    exit 1
fi
# The callbacks of two members come in any order.
./app | LC_ALL=C sort >"$scratch/output"
cd "$top"
diff tests/dropin/app/output.txt "$scratch/output" || { echo 'dropin: the program says something else' >&2; exit 1; }

cd tests/dropin
"$GO" test -race -count=1 ./...
