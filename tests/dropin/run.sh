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
cp tests/dropin/app/main.go tests/dropin/go.sum "$scratch/app"

# Its go.mod as it was with the old module, and what that left in go.sum: nothing of ours.
sed -e '/^replace/d' -e '/go-sqlite3/d' -e 's|^module .*|module example.org/app|' tests/dropin/go.mod >"$scratch/app/go.mod"
sed -i.bak '/go-sqlite3/d' "$scratch/app/go.sum"
cd "$scratch/app"
cp go.mod "$scratch/before"
cp go.sum "$scratch/sums"
"$GO" mod edit -replace github.com/waku-org/sds-go-bindings="$OLDPWD/go-bindings/dropin"
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
cd "$OLDPWD"
diff tests/dropin/app/output.txt "$scratch/output" || { echo 'dropin: the program says something else' >&2; exit 1; }

cd tests/dropin
"$GO" test -race -count=1 ./...
