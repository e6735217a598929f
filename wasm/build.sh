#!/bin/sh
# What `make wasm` runs, in this folder's package: the engine as WebAssembly, JavaScript and types around it (dist/), and the
# npm package of these in target/npm. Fails if the .wasm is larger than it may be.
set -eu
cd "$(dirname "$0")"

# As people load it: compressed by the server.
MOST_GZIPPED_BYTES=122880
target=${CARGO_TARGET_DIR:-$PWD/../target}

# Without texts in panics, which are bugs and stop the module all the same, and without inlining, it is a third smaller; by a
# few percent more if what is copied is not spelt out word by word; and by another one if LLVM keeps off what pays on other
# machines only: walking pointers in place of indices, and copies of loads in branches. Small functions are worth more inlined
# than LLVM thinks, and so are branches that become selects.
export RUSTFLAGS='-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zinline-mir=no
    -Cllvm-args=-max-store-memcpy=1 -Cllvm-args=-max-store-memmove=1 -Cllvm-args=-max-store-memset=1
    -Cllvm-args=-disable-lsr -Cllvm-args=-enable-pre=0 -Cllvm-args=-inline-threshold=10
    -Cllvm-args=-two-entry-phi-node-folding-threshold=8'
wasm=$(./rust.sh sds-wasm --release -Z build-std-features=optimize_for_size)
unset RUSTFLAGS

rm -rf dist ts/wasm
mkdir -p ts/wasm dist/wasm "$target/npm"
CARGO_TARGET_DIR=$target/wasm ${CARGO:-cargo} run --quiet --locked -p sds-bindgen -- "$wasm" ts/wasm
# What every browser and Node that are in use have.
features='--enable-bulk-memory --enable-reference-types --enable-multivalue --enable-sign-ext --enable-mutable-globals
    --enable-nontrapping-float-to-int'
# Rust's stack lies below all else and grows downwards: its last kilobyte is as good as unused. Functions of like names are
# alike, and compress better side by side. Twice, since the second round finds what the first made.
# shellcheck disable=SC2086
node_modules/.bin/wasm-opt $features --traps-never-happen --low-memory-unused --one-caller-inline-max-function-size=0 \
    --always-inline-max-function-size=1 -Oz -Oz --reorder-functions-by-name --strip-debug --strip-producers \
    ts/wasm/sds_bg.wasm -o ts/wasm/sds_bg.wasm
node_modules/.bin/tsc -p tsconfig.json
cp ts/wasm/* dist/wasm/

size=$(gzip -9 -c dist/wasm/sds_bg.wasm | wc -c)
npm pack --silent --pack-destination "$target/npm" >/dev/null
echo "wasm: $(wc -c <dist/wasm/sds_bg.wasm) bytes, $size gzipped; $(ls "$target"/npm/*.tgz)"
[ "$size" -le $MOST_GZIPPED_BYTES ] || { echo "build.sh: over $MOST_GZIPPED_BYTES bytes gzipped" >&2; exit 1; }
