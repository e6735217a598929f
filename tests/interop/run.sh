#!/bin/sh
# What `make interop` runs: installs @waku/sds into node_modules if it is not there, or not the one of the lock file, and
# has the two engines talk. The argument is the make target that installs.
#
# Only what cannot be had without a network is skipped, loudly; in continuous integration (CI is set) that fails.
set -eu
cd "$(dirname "$0")/../.."

# With CI set, --skip fails, and so ends the script.
skip() {
    tools/setup.sh --skip "make interop: $1"
    exit 0
}

for tool in "$GO" node npm; do
    command -v "$tool" >/dev/null || skip "$tool is not here"
done

log=target/interop-install.log
if ! $MAKE --no-print-directory "$1" >"$log" 2>&1; then
    cat "$log" >&2
    grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONN(REFUSED|RESET)|E(NET|HOST)UNREACH|E(SOCKET)?TIMEDOUT|ENOTCACHED' "$log" || exit 1
    skip "there is no network to get @waku/sds by"
fi

# Without a package named, go shows what the tests print.
cd tests/interop
exec "$GO" test -count=1
