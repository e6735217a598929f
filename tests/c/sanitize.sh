#!/bin/sh
# The C tests under AddressSanitizer with UndefinedBehaviorSanitizer, and those with threads under ThreadSanitizer, with the
# Rust code instrumented, too. Then mistakes are planted, and each tool has to report its own: a tool that sees nothing
# would otherwise pass.
#
# The standard library is not instrumented, since its source need not be here: what it does between two accesses of ours
# (and the synchronisation inside it) is not seen. Locks are parking_lot's, which is compiled, and seen.
#
# Variables: CC, a gcc or clang with sanitizers; CARGO; LIBS: what the static library needs.
set -eu
cd "$(dirname "$0")"
: "${CC:=cc}" "${CARGO:=cargo}" "${LIBS:=}"
host=$(rustc -vV | sed -n 's/^host: //p')
out=../../target/sanitize
warnings='-std=c11 -Wall -Wextra -Werror -g -O1 -fno-omit-frame-pointer -I../../include'
files='main.c check.c party.c talk.c repair.c look.c misuse.c scene.c every.c boundary.c store.c external.c'
mkdir -p "$out"

fail() { echo "sanitize: $*" >&2; exit 1; }

# library SANITIZER FLAGS: the static library, instrumented, with checks for overflow and the planted panic
library() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$1 $2 --cfg sds_planted_panic" CARGO_PROFILE_DEV_OPT_LEVEL=1 \
        $CARGO build --quiet --lib --locked --manifest-path ../../Cargo.toml --target "$host" -j2 --target-dir "$out/$1"
}

# build SANITIZER FLAGS NAME FILES...: instrumented C, and Rust, over the one runtime that FLAGS name
build() {
    sanitizer=$1 flags=$2 name=$3
    shift 3
    # shellcheck disable=SC2086
    $CC $warnings $flags "$@" "$out/$sanitizer/$host/debug/libsds.a" $LIBS -lpthread -o "$out/$name"
}

# build_thread NAME FILES...: the same over rustc's own runtime, since gcc's lacks some functions that rustc calls
build_thread() {
    name=$1 objects=
    shift
    for file in "$@"; do
        # shellcheck disable=SC2086
        $CC $warnings -fsanitize=thread -c "$file" -o "$out/thread-${file%.c}.o"
        objects="$objects $out/thread-${file%.c}.o"
    done
    # shellcheck disable=SC2086
    $CC $objects "$out/thread/$host/debug/libsds.a" -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive \
        $LIBS -lpthread -lrt -o "$out/$name"
}

# passes NAME ARGUMENTS...
passes() {
    name=$1
    shift
    printf '%s %s: ' "$name" "$*"
    "$out/$name" "$@" || fail "$name $*"
    [ "$#" = 0 ] || echo 'as it should be'
}

# reports NAME MISTAKE TEXT: the program fails, and the tool says why
reports() {
    if "$out/$1" "$2" >"$out/report" 2>&1; then fail "$1: the planted $2 was not noticed"; fi
    grep -q "$3" "$out/report" || { cat "$out/report"; fail "$1: the planted $2 was not reported as: $3"; }
    echo "$1: the planted $2 is reported"
}

address='-fsanitize=address,undefined -fno-sanitize-recover=all'
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
library address ''
# shellcheck disable=SC2086
{
    build address "$address" address-all $files
    build address "$address" address-threads threads.c check.c
    build address "$address" address-planted planted.c check.c
}
passes address-all
passes address-threads
passes address-planted panic 2>"$out/panic"
reports address-planted after-free 'heap-use-after-free'
grep -q '#0.*sds' "$out/report" || { cat "$out/report"; fail 'the access was not seen in Rust code'; }
reports address-planted leak 'LeakSanitizer: detected memory leaks'
reports address-planted overflow 'signed integer overflow'

export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/thread.supp
# Instrumented code beside a standard library that is not: rustc has to be told that this is meant.
library thread '-Cunsafe-allow-abi-mismatch=sanitizer'
runtime=$(ls "$(rustc --print sysroot)/lib/rustlib/$host/lib/"librustc*_rt.tsan.a)
build_thread thread-threads threads.c check.c
build_thread thread-planted planted.c check.c
passes thread-threads
reports thread-planted race 'ThreadSanitizer: data race'
