#!/bin/sh
# Java programs that read what leadstream writes, with the libraries of the bundle's own pom.xml.
#
#   java.sh fetch              gets the libraries, once; they stay in target/foreign/java
#   java.sh run FILE ARG…      runs a program of one file, in the file's folder
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../target}/foreign/java
# Another program's libraries: POM names its file.
pom=${POM:-$here/../../deploy/subscribers/java/pom.xml}
# Named after the pom, so that another pom is another folder.
jars=$cache/jars-$(cksum <"$pom" | tr ' ' -)

has() { command -v "$1" >/dev/null 2>&1; }

fetch() {
    if ! has java || { [ ! -d "$jars" ] && ! has mvn; }; then
        echo "Java 17 and Maven are needed: apt-get install default-jdk-headless maven" >&2
        exit 69
    fi
    mkdir -p "$cache"
    # One at a time; and the folder gets its name when it is whole, so that a killed download leaves no half of it.
    exec 9>"$cache/lock"
    if has flock; then flock 9; fi
    if [ ! -d "$jars" ]; then
        half=$(mktemp -d "$cache/half.XXXXXX")
        if ! mvn -q -B -f "$pom" dependency:copy-dependencies -DoutputDirectory="$half" >&2; then
            rm -rf "$half"
            echo "Maven could not fetch the libraries; its own words stand above" >&2
            exit 69
        fi
        chmod 755 "$half"
        mv -T "$half" "$jars" || rm -rf "$half"
    fi
    exec 9>&-
}

case ${1-} in
fetch)
    fetch
    ;;
run)
    fetch
    jars=$(cd "$jars" && pwd)
    file=$2
    shift 2
    cd "$(dirname "$file")"
    exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" "$(basename "$file")" "$@"
    ;;
*)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
