#!/bin/sh
# What users would pick instead, for the stream benchmark: Kafka Streams (Java 17, Maven) and Python (venv).
#
#   peers.sh fetch java     gets the libraries once and compiles Decide.java; prints the class path
#   peers.sh fetch python   gets the libraries once; prints the interpreter
#
# What is fetched stays in target/stream, under names that change with what is asked for.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../../target}/stream
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# Fills a folder by a command that is given its path; the folder gets its name when it is whole.
whole() {
    folder=$1
    shift
    if [ ! -d "$folder" ]; then
        half=$(mktemp -d "$cache/half.XXXXXX")
        "$@" "$half" >&2 || { rm -rf "$half"; exit 69; }
        chmod 755 "$half"
        mv -T "$half" "$folder" || rm -rf "$half"
    fi
}

jars_into() { mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$1"; }
classes_into() { javac -encoding UTF-8 -cp "$jars/*" -d "$1" "$here/Decide.java" "$here/Events.java"; }
# Only `python -m` and the interpreter itself work after the move.
packages_into() { python3 -m venv "$1" && "$1/bin/python" -m pip install -q -r "$here/requirements.txt"; }

case "${1-} ${2-}" in
"fetch java")
    jars=$cache/jars-$(cksum <"$here/pom.xml" | tr ' ' -)
    whole "$jars" jars_into
    classes=$cache/classes-$(cat "$here/Decide.java" "$here/Events.java" | cksum | tr ' ' -)
    whole "$classes" classes_into
    echo "$classes:$jars/*"
    ;;
"fetch python")
    folder=$cache/python-$(cksum <"$here/requirements.txt" | tr ' ' -)
    whole "$folder" packages_into
    echo "$folder/bin/python"
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
