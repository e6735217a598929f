#!/bin/sh
# Builds the libraries without SQLite, as `make SQLITE=0` does, in a folder of their own and without the optimisations
# that take long, and sees that SQLite is not in them and that sds_manager_open_store says so.
#
#   tests/c/without.sh MAKE
#
# Variables: CC; LIBS: what the static library needs.
set -eu
cd "$(dirname "$0")/../.."
make=$1 out=target/without
: "${CC:=cc}" "${LIBS:=}"

fail() { echo "without SQLite: $*" >&2; exit 1; }

CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    "$make" --no-print-directory lib SQLITE=0 CARGO_TARGET_DIR="$PWD/$out" OUT="$out/lib" >"$out.log" 2>&1 ||
    { cat "$out.log"; fail 'the libraries do not build'; }
for library in "$out"/lib/libsds.a "$out"/lib/libsds.so "$out"/lib/libsds.dylib; do
    [ ! -e "$library" ] || ! grep -q 'SQLite format 3' "$library" || fail "SQLite is in $library"
done
# It would be found if it were there.
grep -q 'SQLite format 3' target/lib/libsds.a || fail 'and it is not in the library with SQLite either'

# shellcheck disable=SC2086
$CC -std=c11 -Wall -Wextra -Werror -Iinclude tests/c/without.c tests/c/check.c tests/c/party.c "$out/lib/libsds.a" $LIBS \
    -o "$out/without"
printf 'without SQLite: '
"$out/without"
