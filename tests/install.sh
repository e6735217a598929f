#!/bin/sh
# Installs into a scratch folder, builds the example from there as a stranger would, runs it, and uninstalls.
#
#   tests/install.sh MAKE
#
# Variables: CC.
set -eu
cd "$(dirname "$0")/.."
make=$1
: "${CC:=cc}"
scratch=$PWD/target/install-test
rm -rf "$scratch"

"$make" --no-print-directory install PREFIX="$scratch/usr" >/dev/null
PKG_CONFIG_PATH=$scratch/usr/lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
$CC tests/c/example.c $(pkg-config --cflags --libs sds) -Wl,-rpath,"$scratch/usr/lib" -o "$scratch/shared"
[ "$("$scratch/shared")" = 'alice says hi' ] || { echo 'install: the shared library does not work' >&2; exit 1; }

# The static one: what a package without the shared library would leave.
find "$scratch/usr/lib" -name "libsds.so*" -exec rm {} + -o -name "libsds.dylib" -exec rm {} +
# shellcheck disable=SC2046
$CC tests/c/example.c $(pkg-config --cflags --libs --static sds) -o "$scratch/static"
[ "$("$scratch/static")" = 'alice says hi' ] || { echo 'install: the static library does not work' >&2; exit 1; }

# A Go module with a dependency on ours, which lies outside the work tree as a module cache would have it.
if command -v go >/dev/null; then
    mkdir -p "$scratch/module" "$scratch/app"
    cp -R go-bindings/go.mod go-bindings/go.sum go-bindings/sds "$scratch/module"
    cp tests/install.go.in "$scratch/app/main.go"
    (
        cd "$scratch/app"
        go mod init example.org/app 2>/dev/null
        go mod edit -replace github.com/status-im/sds-rs/go-bindings="$scratch/module"
        go mod tidy 2>/dev/null
        go build -tags sds_system -o app .
    )
    [ "$("$scratch/app/app")" = 'alice says hi' ] || { echo 'install: the Go module does not work' >&2; exit 1; }

    # The drop-in for sds-go-bindings, in the same way.
    cp -R go-bindings/dropin "$scratch/dropin"
    mkdir -p "$scratch/status"
    cp tests/dropin/app/main.go tests/dropin/go.mod tests/dropin/go.sum "$scratch/status"
    (
        cd "$scratch/status"
        go mod edit -replace github.com/waku-org/sds-go-bindings="$scratch/dropin"
        go build -tags sds_system -o app .
        ./app | LC_ALL=C sort >output
    )
    cmp "$scratch/status/output" tests/dropin/app/output.txt || { echo 'install: the drop-in does not work' >&2; exit 1; }
fi

# DESTDIR goes before the paths and not into them.
"$make" --no-print-directory install PREFIX=/usr DESTDIR="$scratch/root" >/dev/null
grep -q '^libdir=/usr/lib$' "$scratch/root/usr/lib/pkgconfig/sds.pc" || { echo 'install: DESTDIR is in sds.pc' >&2; exit 1; }
"$make" --no-print-directory uninstall PREFIX=/usr DESTDIR="$scratch/root" >/dev/null
left=$(find "$scratch/root" ! -type d)
[ -z "$left" ] || { echo "install: uninstall left $left" >&2; exit 1; }
echo 'install: both libraries found through pkg-config, by Go too; uninstall left nothing'
