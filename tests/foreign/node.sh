#!/bin/sh
# Foreign programs for Node.js that judge what leadstream writes.
#
#   node.sh fetch               gets the pinned packages, once; they stay in target/foreign/node
#   node.sh run SCRIPT ARG…     runs a script of tests/foreign/node
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../target}/foreign/node

has() { command -v "$1" >/dev/null 2>&1; }

if ! has node || ! has npm || [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -lt 18 ]; then
    echo "Node.js 18 or newer with npm is needed: apt-get install nodejs npm" >&2
    exit 69
fi

# What is fetched lies in a folder named after the lock, so that a new lock is a new folder.
packages=$cache/$(cksum <"$here/node/package-lock.json" | tr ' ' -)

fetch() {
    mkdir -p "$cache"
    # One at a time; and the folder gets its name when it is whole, so that a killed download leaves no half of it.
    exec 9>"$cache/lock"
    if has flock; then flock 9; fi
    if [ ! -d "$packages" ]; then
        half=$(mktemp -d "$cache/half.XXXXXX")
        cp "$here/node/package.json" "$here/node/package-lock.json" "$half"
        # No script of a package is run.
        if ! (cd "$half" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2); then
            rm -rf "$half"
            echo "npm could not fetch the packages; its own words stand above" >&2
            exit 69
        fi
        chmod 755 "$half"
        mv -T "$half" "$packages" || rm -rf "$half"
    fi
    exec 9>&-
}

case ${1-} in
fetch)
    fetch
    ;;
run)
    fetch
    script=$2
    shift 2
    # A script finds packages beside itself.
    cp "$here/node/$script" "$packages/$script.$$.mjs"
    trap 'rm -f "$packages/$script.$$.mjs"' EXIT
    node "$packages/$script.$$.mjs" "$@"
    ;;
*)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
