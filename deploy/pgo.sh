#!/bin/sh
# The program, built twice: the first one notes what it does while it decides made-up leads, the second is laid out by that. It does
# nothing else than the plain one and takes some tenth less CPU (docs/performance.md). Two release builds, so two to three times as
# long; wants rustup for llvm-profdata. Where it lies is the last line.
set -eu
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}
tools=$(rustc --print sysroot)/lib/rustlib/$host/bin
[ -x "$tools/llvm-profdata" ] || rustup component add llvm-tools

notes=$(mktemp -d)
trap 'rm -rf "$notes"' EXIT

# Once and again alike, or what was noted would be of other functions. With --target the programs that only help to build are left out.
build() {
    CARGO_TARGET_DIR=$target/pgo cargo build --release --locked --target "$host" --bin leadstream --example instructions "$@"
}
built=$target/pgo/$host/release

RUSTFLAGS="-Cprofile-generate=$notes" build
for work in json avro json-never-seen avro-never-seen; do
    "$built/examples/instructions" $work >/dev/null
done
"$built/leadstream" demo --leads 3000 --quiet >/dev/null
"$tools/llvm-profdata" merge -o "$notes/all.profdata" "$notes"

# What was never done has no notes, which is no fault.
RUSTFLAGS="-Cprofile-use=$notes/all.profdata" build
echo "$built/leadstream"
