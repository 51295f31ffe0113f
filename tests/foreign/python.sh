#!/bin/sh
# Python with the foreign clients of python/requirements.txt, for the tests.
#
#   python.sh fetch                  gets them, once
#   python.sh run SCRIPT ARGS…       runs a script of tests/foreign/python, or of another folder if its name holds a slash
#   python.sh run -m MODULE ARGS…    runs a module, such as check_jsonschema
#
# It needs Debian's python3-venv. What is fetched stays in target/foreign, under a name that changes with requirements.txt.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../target}/foreign
folder=$cache/python-$(sha256sum <"$here/python/requirements.txt" | cut -c1-12)

has() { command -v "$1" >/dev/null 2>&1; }

fetch() {
    mkdir -p "$cache"
    # One at a time; and the folder gets its name when it is whole, so that a killed download leaves no half of it.
    exec 9>"$cache/python.lock"
    if has flock; then flock 9; fi
    if [ ! -d "$folder" ]; then
        if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
            echo "The tests with foreign clients need Python's venv: apt-get install python3-venv" >&2
            exit 69
        fi
        half=$(mktemp -d "$cache/half.XXXXXX")
        if ! python3 -m venv "$half" >&2 || ! "$half/bin/python" -m pip install -q --no-deps -r "$here/python/requirements.txt" >&2; then
            rm -rf "$half"
            echo "pip could not install what requirements.txt names; its own words stand above" >&2
            exit 69
        fi
        chmod 755 "$half"
        # Its programs name the folder they were made in: only `python -m` works after this.
        mv -T "$half" "$folder" || rm -rf "$half"
    fi
    exec 9>&-
}

case ${1-} in
fetch)
    fetch
    ;;
run)
    shift
    fetch
    case ${1-} in
    -m | */*) ;;
    *)
        script=$here/python/$1
        shift
        set -- "$script" "$@"
        ;;
    esac
    exec "$folder/bin/python" -B "$@"
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
