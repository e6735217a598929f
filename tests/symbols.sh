#!/bin/sh
# What our libraries show to a linker, and that panics are still caught after tools/localize.sh.
#
#   tests/symbols.sh FOLDER SHARED SONAME
#
# Variables: CC, CARGO; LIBS: what a static Rust library needs.
set -eu
cd "$(dirname "$0")/.."
folder=$1 shared=$2 soname=$3
: "${CC:=cc}" "${CARGO:=cargo}" "${LIBS:=}"
scratch=target/symbols
mkdir -p "$scratch"

fail() { echo "symbols: $*" >&2; exit 1; }

# The header's functions, one a line.
sed -e 's://.*$::' include/sds.h | grep -oE '\bsds_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$scratch/header"
[ -s "$scratch/header" ] || fail 'the header has no functions'

# same FILE NAME: exactly the header's functions, no more, no fewer
same() {
    diff "$scratch/header" "$1" >"$scratch/diff" || fail "$2 does not show what the header declares (< header, > library):
$(cat "$scratch/diff")"
    echo "$2: $(wc -l <"$1") symbols, $(wc -c <"$folder/$3") bytes"
}

if [ "$(uname -s)" = Darwin ]; then
    # macOS puts an underscore before every name.
    nm -gU "$folder/$shared" | awk '{ sub(/^_/, "", $3); print $3 }' | sort >"$scratch/shared"
    nm -gU "$folder/libsds.a" | awk 'NF == 3 { sub(/^_/, "", $3); print $3 }' | sort >"$scratch/static"
else
    nm -D --defined-only "$folder/$shared" | awk '{ print $3 }' | sort >"$scratch/shared"
    nm -g --defined-only "$folder/libsds.a" | awk 'NF == 3 { print $3 }' | sort >"$scratch/static"
    readelf -d "$folder/$shared" | grep -q "SONAME.*\[$soname\]" || fail "$shared is not named $soname: see build.rs"
    # A COMDAT group could be thrown away in favour of another library's: see tools/localize.sh.
    readelf -gW "$folder/libsds.a" | grep -q 'COMDAT' && fail 'libsds.a has COMDAT groups'
    # Without this section the program's stack becomes executable.
    readelf -SW "$folder/libsds.a" | grep -q 'note.GNU-stack' || fail 'libsds.a has no .note.GNU-stack'
fi
same "$scratch/shared" 'shared library' "$shared"
same "$scratch/static" 'static library' libsds.a

# Two Rust archives in one C program, one of them localised as ours is. Both catch a panic, whichever comes first.
for crate in boundary other; do
    $CARGO build --quiet --release --manifest-path "tests/link/$crate/Cargo.toml" --target-dir "$PWD/target/link"
done
CC=$CC tools/localize.sh target/link/release/libboundary.a "$scratch/libboundary.a" tests/link/boundary/boundary.h
try() {
    name=$1
    shift
    # shellcheck disable=SC2086
    $CC -std=c11 -Wall -Werror -Itests/link/boundary tests/link/boundary/main.c "$@" $LIBS -o "$scratch/$name"
    "$scratch/$name" 2>"$scratch/stderr" || { cat "$scratch/stderr"; fail "$name: a panic was not caught"; }
    echo "$name: panics caught in both"
}
try 'ours-first' "$scratch/libboundary.a" target/link/release/libother.a
try 'theirs-first' target/link/release/libother.a "$scratch/libboundary.a"
try 'gc-sections' -Wl,--gc-sections "$scratch/libboundary.a" target/link/release/libother.a
