#!/bin/sh
# An Apicurio schema registry, in memory, for the tests. Its Confluent API is under /apis/ccompat/v7.
#
#   registry.sh fetch        gets what a registry needs, once
#   registry.sh guard PORT   obeys lines on standard input: "start", "kill" (SIGKILL); when the input ends, also because
#                            whoever wrote it was killed, the registry dies
#
# With Java 17 and Maven. What was fetched stays in target/registry, so a second start needs no network.
set -eu

version=2.6.13.Final
here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../../target}/registry
app=$cache/app-$version

fetch() {
    mkdir -p "$cache"
    # One at a time; and the folder gets its name when it is whole, so that a killed download leaves no half of it.
    exec 9>"$cache/lock"
    if command -v flock >/dev/null 2>&1; then flock 9; fi
    if [ ! -d "$app" ]; then
        half=$(mktemp -d "$cache/half.XXXXXX")
        if ! mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$half" >&2; then
            rm -rf "$half"
            echo "Maven could not fetch Apicurio Registry $version; its own words stand above" >&2
            exit 69
        fi
        tar -xzf "$half"/*.tar.gz -C "$half"
        rm "$half"/*.tar.gz
        mv -T "$half" "$app" || rm -rf "$half"
    fi
    exec 9>&-
}

case ${1-} in
fetch)
    fetch
    ;;
guard)
    fetch
    port=$2 registry=
    trap 'if [ -n "$registry" ]; then kill -KILL "$registry" 2>/dev/null || true; fi' EXIT
    trap 'exit 0' INT TERM HUP
    while read -r order; do
        case $order in
        start)
            java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$app/apicurio-registry-app-$version-runner.jar:$app/lib/*" \
                -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$port" io.quarkus.runner.GeneratedMain </dev/null &
            registry=$!
            ;;
        kill)
            kill -KILL "$registry" 2>/dev/null || true
            wait "$registry" 2>/dev/null || true
            registry=
            ;;
        esac
    done
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
