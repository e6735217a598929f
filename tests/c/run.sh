#!/bin/sh
# Compiles the tests as C and as C++, links each with the static and with the shared library, and runs the four programs,
# the one with threads, and the example. With --valgrind: runs them under valgrind, where a leak or a stray access is a failure.
#
# Variables: CC, CXX; LIBS: what the static library needs.
set -eu
cd "$(dirname "$0")"
lib=../../target/lib out=../../target/c
: "${CC:=cc}" "${CXX:=c++}" "${LIBS:=}"
warnings='-Wall -Wextra -Werror -pedantic -g -I../../include'
files='main.c check.c party.c talk.c repair.c look.c misuse.c scene.c every.c boundary.c store.c external.c'
mkdir -p "$out"

# A function that can fail and has no row in every.c would go untested without anybody noticing.
for function in $(sed -n 's/^sds_status_t sds_\([a-z_]*\)(.*/\1/p' ../../include/sds.h); do
    grep -q "ROW($function, " every.c || { echo "every.c has no row for sds_$function"; exit 1; }
done

under=
if [ "${1-}" = --valgrind ]; then
    # Reachable memory at the end is what the process keeps by design (the handle table, the log sink); lost is lost.
    under='valgrind --quiet --fair-sched=yes --leak-check=full --show-leak-kinds=definite,indirect,possible
        --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=9'
fi
case $(uname -s) in
Darwin) rpath="-Wl,-rpath,$PWD/$lib" ;;
*) rpath="-Wl,-rpath,$(cd "$lib" && pwd)" ;;
esac

# build NAME COMPILER FILES...: against both libraries
build() {
    name=$1 compiler=$2
    shift 2
    # shellcheck disable=SC2086
    $compiler $warnings "$@" -x none "$lib/libsds.a" $LIBS -o "$out/$name-static"
    # shellcheck disable=SC2086
    $compiler $warnings "$@" -x none -L"$lib" -lsds $rpath -o "$out/$name-shared"
}

# shellcheck disable=SC2086
{
    build c "$CC -std=c11" $files
    build cpp "$CXX -std=c++17 -x c++" $files
    build example "$CC -std=c11" example.c
    build threads "$CC -std=c11 -pthread" threads.c check.c
    build planted "$CC -std=c11 -pthread" planted.c check.c
}
for program in c-static c-shared cpp-static cpp-shared threads-static threads-shared; do
    printf '%s: ' "$program"
    $under "$out/$program"
done
for program in example-static example-shared; do
    printf '%s: ' "$program"
    said=$($under "$out/$program")
    echo "$said"
    [ "$said" = 'alice says hi' ]
done

# What valgrind is for is planted, and it has to see it.
if [ -n "$under" ]; then
    for mistake in after-free leak; do
        # shellcheck disable=SC2086
        if $under "$out/planted-static" "$mistake" >"$out/report" 2>&1; then
            echo "valgrind did not notice the planted $mistake"
            exit 1
        fi
        grep -q -e 'Invalid read' -e 'definitely lost' "$out/report" || { cat "$out/report"; exit 1; }
        echo "valgrind: the planted $mistake is reported"
    done
fi
