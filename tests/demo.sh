#!/bin/sh
# `make demo` as people call it. It fails by itself unless all logs end equal; here are the ways to call it.
#
#   tests/demo.sh MAKE
set -eu
cd "$(dirname "$0")/.."
make=$1
scratch=$PWD/target/demo-test
rm -rf "$scratch"
mkdir -p "$scratch"

# demo NAME ARGUMENTS...: runs it and keeps what it wrote under that name.
demo() {
    log=$scratch/$1.log
    shift
    "$make" --no-print-directory demo SEED=1 SPEED=200 "$@" >"$log" 2>&1 || { cat "$log"; exit 1; }
}

# A name with blanks and quotes in it.
file="$scratch/it's a \"chat\".txt"
printf 'ann: hi\nben: hey\nann: how are you?\n' >"$file"

demo usual PLAIN=1
demo no-store STORE=0 PLAIN=1
cp "$file" "$scratch/file.txt"
demo file PLAIN=1 FILE="$file"
grep -q '^demo: 3 messages' "$scratch/file.log" || { echo 'demo: it replayed another file' >&2; exit 1; }

# Which of the two runs: with WAKU anything but empty and 0, the one on go-waku nodes. Nothing is built here.
for waku in '' 0 1 yes true; do
    program=sds-waku-demo
    case $waku in '' | 0) program=sds-demo ;; esac
    "$make" --no-print-directory -n demo "WAKU=$waku" | grep -q "target/bin/$program " ||
        { echo "demo: WAKU=$waku does not run $program" >&2; exit 1; }
done

# A terminal that says nothing of itself gets plain lines. Only util-linux has this `script`.
if script --version 2>/dev/null | grep -q util-linux; then
    for term in '' strange; do
        TERM=$term script -qec "target/bin/sds-demo -speed 1000 -file '$scratch/file.txt'" /dev/null \
            >"$scratch/term.log" 2>&1 </dev/null || { cat "$scratch/term.log"; exit 1; }
    done
fi
tail -n 12 "$scratch/usual.log"
