#!/bin/sh
# Builds a package of this workspace for WebAssembly: `rust.sh PACKAGE [cargo's options]`. Prints where the .wasm is.
#
# The standard library is built along, for size, from its sources: rustup's, which it fetches if it can, or else those of
# Debian's rustc-web, which `make setup` installs. No target has to be installed for that, but cargo has to be told that it may.
# WASM_RUST=rustup or WASM_RUST=debian takes one of them and no other. `rust.sh --check` only tells whether one is here.
set -eu
cd "$(dirname "$0")"
package=$1
shift

target=wasm32-unknown-unknown
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../target}/wasm" RUSTC_BOOTSTRAP=1
linker=$(ls /usr/bin/wasm-ld* 2>/dev/null | sort -V | tail -n 1)

rustup_has_sources() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std" ] ||
        rustup component add rust-src >/dev/null 2>&1
}

debian_has_sources() {
    [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -n "$linker" ] &&
        [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

if [ "${WASM_RUST-rustup}" = rustup ] && rustup_has_sources; then
    cargo=${CARGO:-cargo}
elif [ "${WASM_RUST-debian}" = debian ] && debian_has_sources; then
    cargo=/usr/bin/cargo
    # A folder of its own: the two compilers do not read what the other has built.
    export RUSTC=/usr/bin/rustc CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker" CARGO_TARGET_DIR="$CARGO_TARGET_DIR/debian"
else
    echo "rust.sh: neither rustup's rust-src nor Debian's rustc-web, cargo-web, rust-web-src and lld are here: make setup" >&2
    exit 1
fi

[ "$package" != --check ] || exit 0

$cargo build --quiet --locked -Z build-std=std,panic_abort --target $target -p "$package" "$@" >&2
profile=debug
case " $* " in *' --release '*) profile=release ;; esac
echo "$CARGO_TARGET_DIR/$target/$profile/$(echo "$package" | tr - _).wasm"
