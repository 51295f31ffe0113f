#!/bin/sh
# A one-node Apache Kafka, for the tests and for a person who wants to try `leadstream run`.
#
#   broker.sh fetch                        gets what a broker needs, once
#   broker.sh guard PORT CONTROLLER DATA   obeys lines on standard input: "start", "kill" (SIGKILL), "stop" (in good order),
#                                          "pause", "resume"; when the input ends, also because whoever wrote it was
#                                          killed, the broker dies and DATA is removed
#   broker.sh serve PORT CONTROLLER DATA   runs until Ctrl-C
#   broker.sh java FILE ARGUMENT...        runs a Java file with Kafka's own clients
#
# With Java 17 and Maven, else with Docker. The jars stay in target/kafka, so a second start needs no network.
# Before the first start, DATA may hold `extra.properties` (the last word on every setting; Java only) and `format.arguments`
# (a line each, for the tool that formats the storage).
set -eu

# Apache Kafka 4.3.0 and 4.3.1 forget the markers of partitions that have no leader just then (KAFKA-20734), so that a transaction is
# ended by half; docs/delivery.md tells more. LEADSTREAM_TEST_KAFKA=4.3.1 tests against such a one.
kafka=${LEADSTREAM_TEST_KAFKA:-4.2.2}
here=$(cd "$(dirname "$0")" && pwd)
cache=${CARGO_TARGET_DIR:-$here/../../../target}/kafka
jars=$cache/jars-$kafka
image=apache/kafka:$kafka

has() { command -v "$1" >/dev/null 2>&1; }

java_is_new_enough() {
    has java || return 1
    major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 17 ]
}

choose() {
    if java_is_new_enough && { [ -d "$jars" ] || has mvn; }; then
        engine=java
    elif has docker && docker info >/dev/null 2>&1; then
        engine=docker
    else
        cat >&2 <<'END'
The tests against a real Apache Kafka need one of these, and found none:
  - a broker of yours:     LEADSTREAM_TEST_BROKERS=host:port
  - Java 17 and Maven:     apt-get install default-jdk-headless maven
  - a running Docker
END
        exit 69
    fi
}

fetch() {
    if [ "$engine" = docker ]; then
        docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >&2
        return
    fi
    mkdir -p "$cache"
    # One at a time; and the folder gets its name when it is whole, so that a killed download leaves no half of it.
    exec 9>"$cache/lock"
    if has flock; then flock 9; fi
    if [ ! -d "$jars" ]; then
        half=$(mktemp -d "$cache/half.XXXXXX")
        if ! mvn -q -B -f "$here/pom.xml" -Dkafka.version="$kafka" dependency:copy-dependencies -DoutputDirectory="$half" >&2; then
            rm -rf "$half"
            echo "Maven could not fetch Apache Kafka $kafka; its own words stand above" >&2
            exit 69
        fi
        chmod 755 "$half"
        mv -T "$half" "$jars" || rm -rf "$half"
    fi
    exec 9>&-
}

properties() {
    cat <<END
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://$1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
log.retention.ms=-1
END
}

format() {
    set --
    if [ -f "$data/format.arguments" ]; then
        while IFS= read -r argument; do set -- "$@" "$argument"; done <"$data/format.arguments"
    fi
    java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$jars/*" -Dlog4j2.configurationFile="$here/log4j2.properties" \
        kafka.tools.StorageTool format -t bGVhZHN0cmVhbS10ZXN0cw -c "$data/server.properties" "$@" </dev/null
}

start() {
    if [ "$engine" = docker ]; then
        if [ -f "$data/container" ]; then
            docker start "$(cat "$data/container")" >/dev/null
            return
        fi
        properties 0.0.0.0 >"$data/server.properties"
        chmod -R a+rX "$data"
        docker create -p "127.0.0.1:$port:$port" -v "$data/server.properties:/mnt/shared/config/server.properties:ro" "$image" \
            >"$data/container"
        docker start "$(cat "$data/container")" >/dev/null
        return
    fi
    if [ ! -d "$data/log" ]; then
        {
            properties 127.0.0.1
            echo "log.dirs=$data/log"
            if [ -f "$data/extra.properties" ]; then cat "$data/extra.properties"; fi
        } >"$data/server.properties"
        format
    fi
    # Not through a function: then the number below would be a subshell's, and the broker would outlive its kill.
    java -Xmx512m -XX:+UseSerialGC -cp "$jars/*" -Dlog4j2.configurationFile="$here/log4j2.properties" \
        kafka.Kafka "$data/server.properties" </dev/null &
    broker=$!
}

stop() {
    if [ "$engine" = docker ]; then
        if [ -f "$data/container" ]; then docker kill -s "$1" "$(cat "$data/container")" >/dev/null 2>&1 || true; fi
    elif [ -n "$broker" ]; then
        kill "-$1" "$broker" 2>/dev/null || true
        wait "$broker" 2>/dev/null || true
        broker=
    fi
}

signal() {
    if [ "$engine" = docker ]; then
        if [ -f "$data/container" ]; then docker kill -s "$1" "$(cat "$data/container")" >/dev/null 2>&1 || true; fi
    elif [ -n "$broker" ]; then
        kill "-$1" "$broker" 2>/dev/null || true
    fi
}

remove() {
    stop KILL
    if [ "$engine" = docker ] && [ -f "$data/container" ]; then docker rm -f "$(cat "$data/container")" >/dev/null 2>&1 || true; fi
    rm -rf "$data"
}

arguments() {
    port=$2 controller=$3 data=$4 broker=
    mkdir -p "$data"
    trap remove EXIT
    trap 'exit 0' INT TERM HUP
}

choose
case ${1-} in
fetch)
    fetch
    ;;
guard)
    fetch
    arguments "$@"
    while read -r order; do
        case $order in
        start) start ;;
        kill) stop KILL ;;
        stop) stop TERM ;;
        pause) signal STOP ;;
        resume) signal CONT ;;
        esac
    done
    ;;
java)
    fetch
    shift
    # No log of its own: what it has to say, it prints.
    exec java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$jars/*" -Dlog4j2.configurationFile="$here/log4j2.properties" "$@"
    ;;
serve)
    fetch
    arguments "$@"
    start >"$data/broker.log" 2>&1
    echo "Apache Kafka $kafka starts on 127.0.0.1:$port (log: $data/broker.log)"
    if [ "$engine" = java ]; then
        until grep -q "Kafka Server started" "$data/broker.log"; do
            kill -0 "$broker" 2>/dev/null || { cat "$data/broker.log" >&2; exit 70; }
            sleep 0.2
        done
    fi
    echo "ready: 127.0.0.1:$port; Ctrl-C ends it and removes its data"
    while :; do
        if [ -n "$broker" ]; then wait "$broker" || true; exit 0; fi
        sleep 1
    done
    ;;
*)
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
