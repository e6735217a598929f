#!/bin/sh
# Sees to it that the package can be built: `ready.sh STEP`, for that step of the Makefile. Ends with 3 if the step is to be
# skipped, which it tells loudly.
#
# Only what cannot be had without a network is skipped; in continuous integration (CI is set) that fails.
set -eu
cd "$(dirname "$0")/.."

# With CI set, --skip fails, and so ends the script.
skip() {
    tools/setup.sh --skip "make $step: $1"
    exit 3
}

step=$1
for tool in node npm; do
    command -v $tool >/dev/null || skip "$tool is not here"
done

log=target/wasm-install.log
mkdir -p target
if ! $MAKE --no-print-directory wasm/node_modules/.installed >$log 2>&1; then
    cat $log >&2
    grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONN(REFUSED|RESET)|E(NET|HOST)UNREACH|E(SOCKET)?TIMEDOUT|ENOTCACHED' $log || exit 1
    skip "there is no network to get its npm packages by"
fi
wasm/rust.sh --check || skip "nothing here compiles Rust for WebAssembly"
