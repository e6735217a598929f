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

# go.mod and go.sum as they were with the old module, of which ours needs nothing more: only zap.
printf 'package main\n\nimport _ "go.uber.org/zap"\n\nfunc main() {}\n' >main.go
{ echo 'module example.org/app' && sed -n -e '/^go /p' -e 's/^.*\(go\.uber\.org\/zap .*\)/require \1/p' "$top/tests/dropin/go.mod"; } >go.mod
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
