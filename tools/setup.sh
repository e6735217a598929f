#!/bin/sh
# Installs what the tests need and this machine lacks.
#
#   tools/setup.sh              install
#   tools/setup.sh --has TOOL   succeed if TOOL is here; otherwise say loudly that its tests are skipped
#   tools/setup.sh --sanitizers succeed if cc and rustc have the sanitizers; otherwise say loudly what is skipped
#   tools/setup.sh --skip WHY   say loudly what is skipped, and why
#
# Without root or network it says what is missing and goes on: the tests that need it are skipped, loudly. In continuous
# integration (CI is set) nothing may be skipped: there it fails.
set -eu

loud() {
    printf '\n*************************************************************\n' >&2
    printf '* %s\n' "$@" >&2
    printf '*************************************************************\n\n' >&2
}

has() { command -v "$1" >/dev/null 2>&1; }

if [ "${1-}" = --has ]; then
    has "$2" && exit 0
    loud "SKIPPED: $2 is not here, and what needs it is not tested."
    exit 1
fi

if [ "${1-}" = --sanitizers ]; then
    for sanitizer in address undefined thread; do
        echo 'int main(void) { return 0; }' | ${CC:-cc} -fsanitize=$sanitizer -x c - -o /dev/null 2>/dev/null && continue
        loud "SKIPPED: ${CC:-cc} has no -fsanitize=$sanitizer, and nothing is tested with it."
        exit 1
    done
    case $(rustc -vV | sed -n 's/^host: //p') in
    x86_64-unknown-linux-gnu | aarch64-unknown-linux-gnu) exit 0 ;;
    esac
    loud 'SKIPPED: rustc instruments for the sanitizers on Linux with glibc only.'
    exit 1
fi

if [ "${1-}" = --skip ]; then
    loud "SKIPPED: $2"
    [ -z "${CI-}" ]
    exit
fi

# tool, and the Debian package that has it
tools='cc:gcc
c++:g++
objcopy:binutils
pkg-config:pkg-config
valgrind:valgrind
go:golang-go
git:git
node:nodejs
npm:npm
chromium:chromium'

missing= packages=
for line in $tools; do
    if ! has "${line%%:*}"; then
        missing="$missing ${line%%:*}"
        packages="$packages ${line#*:}"
    fi
done

if [ -n "$packages" ] && has apt-get && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get -qq update && apt-get -qq install --yes --no-install-recommends $packages >/dev/null; } ||
        loud "could not install:$packages"
fi

missing=
for line in $tools; do
    has "${line%%:*}" || missing="$missing ${line%%:*}"
done
cargo fmt --version >/dev/null 2>&1 || missing="$missing rustfmt"
cargo clippy --version >/dev/null 2>&1 || missing="$missing clippy"

# For WebAssembly: rustup's sources of the standard library, or else a Rust of Debian's beside ours, with its own.
wasm_rust=$(dirname "$0")/../wasm/rust.sh
if ! "$wasm_rust" --check 2>/dev/null && has apt-get && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update &&
        lld=$(apt-cache search --names-only '^lld-[0-9]+$' | sed 's/ .*//' | sort -V | tail -n 1) &&
        apt-get -qq install --yes --no-install-recommends rustc-web cargo-web rust-web-src "${lld:-lld}" >/dev/null; } ||
        loud "could not install Debian's Rust for WebAssembly"
fi
"$wasm_rust" --check 2>/dev/null || missing="$missing rust-src"

if has go; then
    # An older Go than 1.21 does not know how to fetch the one that go.mod asks for.
    version=$(go env GOVERSION | sed 's/^go1\.\([0-9]*\).*/\1/')
    [ "$version" -ge 21 ] 2>/dev/null || missing="$missing go>=1.21"
fi

[ -z "$missing" ] && { echo "everything needed is here"; exit 0; }
loud "missing and not to be had here:$missing"
[ -z "${CI-}" ]
