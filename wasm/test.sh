#!/bin/sh
# What `make wasm-test` runs: the engine's tests under WebAssembly, then the package's tests in Node.
set -eu
cd "$(dirname "$0")/.."

wasm/ready.sh wasm-test || { [ $? = 3 ] && exit 0; exit 1; }
suites=$(wasm/rust.sh sds-suites)
node wasm/suites/run.mjs "$suites"
$MAKE --no-print-directory wasm
cd wasm
exec node --test test/*.test.js
