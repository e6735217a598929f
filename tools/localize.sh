#!/bin/sh
# Makes the static library fit to live with other Rust code in one program.
#
#   tools/localize.sh INPUT.a OUTPUT.a HEADER.h
#
# Why: cargo's static library carries the whole Rust runtime with global names (rust_eh_personality, the allocator's
# entry points, std itself). A program that links a second Rust archive would get them twice, or, worse, one library's
# code bound to the other's runtime. So all is linked into one object, in which only the functions that the header
# declares stay global, and that object is the archive.
#
# Linux (ELF), in three steps:
#
# 1. `ld -r`: one object out of the archive's members.
#      -u NAME                    the roots: the header's functions. Without them nothing would be taken from the archive.
#      --gc-sections              drops what the roots don't reach. (.eh_frame, .init_array and TLS follow what they
#                                 belong to, so that unwinding and thread-local storage still work.)
#      --force-group-allocation   dissolves COMDAT groups into ordinary sections. Essential: two objects that have a
#                                 group of the same name (say DW.ref.rust_eh_personality, which the unwind tables point
#                                 to) keep one of them, found by *name*, even when the symbols in it are local. Ours
#                                 could be the one thrown away, and its local symbols would point nowhere.
# 2. `objcopy`: --keep-global-symbol turns every defined symbol that is not sds_* local, weak ones included. Undefined
#    ones (libc, libgcc's unwinder) stay as they are: they are for the program's own link.
#      -R .llvmbc .llvmcmd        the LLVM bitcode of std, most of the bytes; nothing after rustc reads it.
#      --strip-unneeded         line tables, and names that nothing refers to. Not only for size: the names of functions
#                                 that only dropped sections called (pidfd_spawnp, weak before) would stay behind as
#                                 strong undefined ones, and an older libc has no such function.
# 3. `ar`: one member; D, so that equal input makes equal bytes.
#
# macOS: `ld -r -exported_symbols_list` does 1 and 2 in one go. UNTESTED: no such machine at hand.
# Windows: the archive is copied as it is. Whoever links a second Rust archive there takes the .dll.
#
# Variables: CC, OBJCOPY, AR: the tools, for cross builds.
set -eu

input=$1 output=$2 header=$3
: "${CC:=cc}" "${OBJCOPY:=objcopy}" "${AR:=ar}"
object=$output.o
trap 'rm -f "$object" "$object.exports"' EXIT

# Declarations are the only places where a name is followed by a parenthesis; comments are dropped first.
functions=$(sed -e 's://.*$::' "$header" | grep -oE '\bsds_[a-z0-9_]+\(' | tr -d '(' | sort -u)
[ -n "$functions" ] || { echo "localize: no function found in $header" >&2; exit 1; }

rm -f "$output"
case $(uname -s) in
Darwin)
    for name in $functions; do echo "_$name"; done >"$object.exports"
    roots=$(for name in $functions; do printf ' -u _%s' "$name"; done)
    # shellcheck disable=SC2086
    ld -r -exported_symbols_list "$object.exports" $roots -o "$object" "$input"
    strip -S "$object"
    "$AR" rcs "$output" "$object"
    ;;
MINGW* | MSYS* | CYGWIN*)
    cp "$input" "$output"
    ;;
*)
    roots=$(for name in $functions; do printf ' -Wl,-u,%s' "$name"; done)
    # shellcheck disable=SC2086
    "$CC" -r -nostdlib -Wl,--gc-sections -Wl,--force-group-allocation $roots -o "$object" "$input"
    "$OBJCOPY" --wildcard --keep-global-symbol='sds_*' --strip-unneeded -R .llvmbc -R .llvmcmd "$object"
    "$AR" rcsD "$output" "$object"
    ;;
esac
