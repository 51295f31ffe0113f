#!/bin/sh
# The rights that leadstream needs on a cluster with an authorizer, and no more; why each, deploy/kafka/acls.md tells.
#
#   acls.sh print  [WHAT]   one ACL a line, in the words of kafka-acls.sh
#   acls.sh grant  [WHAT]   grants each
#   acls.sh revoke [WHAT]   takes each away
#
# WHAT is run (the default), dlq or replay: who runs `leadstream dlq`, or `leadstream replay` to topics of its own. To promote a
# replay takes the rights of run and of replay.
#
# Names come from the environment; each has the default of leadstream's configuration:
#
#   PRINCIPAL     who runs leadstream, as the broker knows it
#   GROUP         kafka.group
#   RAW           topics.raw; several with commas or blanks between them
#   QUALIFIED UNQUALIFIED ROUTING DEAD_LETTER    the output topics
#   LEDGER        topics.ledger; set to nothing where none is kept
#   KAFKA_ACLS    the command and how it reaches the cluster, for instance
#                 "kafka-acls.sh --bootstrap-server kafka:9093 --command-config admin.properties"
set -euf

: "${PRINCIPAL:=User:leadstream}"
: "${GROUP:=leadstream}"
: "${RAW:=leads.raw}"
: "${QUALIFIED:=leads.qualified}"
: "${UNQUALIFIED:=leads.unqualified}"
: "${ROUTING:=leads.routing}"
: "${DEAD_LETTER:=leads.dead-letter}"
: "${LEDGER=leads.ledger}"
: "${KAFKA_ACLS:=kafka-acls.sh --bootstrap-server localhost:9092}"

# A name that the shell would split or expand would grant another right than was meant.
for name in "$GROUP" "$QUALIFIED" "$UNQUALIFIED" "$ROUTING" "$DEAD_LETTER" "${LEDGER:-none}" "$(printf %s "$RAW" | tr -d ', \n')"; do
    case $name in
    '' | *[!A-Za-z0-9._:/@-]*)
        printf 'acls.sh: %s: a name of other characters than letters, digits and . _ - : / @ is left to you and kafka-acls.sh\n' "$name" >&2
        exit 64
        ;;
    esac
done
RAW=$(printf %s "$RAW" | tr ',\n' '  ')

of_run() {
    for topic in $RAW; do
        echo "--operation Read --topic $topic"
    done
    for topic in "$QUALIFIED" "$UNQUALIFIED" "$ROUTING" "$DEAD_LETTER"; do
        echo "--operation Write --topic $topic"
    done
    echo "--operation Read --group $GROUP"
    echo "--operation Write --transactional-id $GROUP- --resource-pattern-type prefixed"
    [ -z "$LEDGER" ] || echo "--operation Write --topic $LEDGER"
}

of_dlq() {
    for topic in $RAW "$DEAD_LETTER" "$DEAD_LETTER.settled"; do
        echo "--operation Read --topic $topic"
    done
    for topic in "$QUALIFIED" "$UNQUALIFIED" "$ROUTING" "$DEAD_LETTER" "$DEAD_LETTER.settled" "$DEAD_LETTER.parked"; do
        echo "--operation Write --topic $topic"
    done
    echo "--operation Describe --group $GROUP"
    echo "--operation Write --transactional-id $GROUP-dlq"
}

of_replay() {
    for topic in $RAW "$DEAD_LETTER"; do
        echo "--operation Read --topic $topic"
    done
    for topic in "$QUALIFIED" "$UNQUALIFIED" "$ROUTING"; do
        echo "--operation Describe --topic $topic"
    done
    for topic in "$QUALIFIED" "$UNQUALIFIED" "$ROUTING" "$DEAD_LETTER"; do
        # What it makes is made like the live topic.
        echo "--operation DescribeConfigs --topic $topic"
        echo "--operation Create --topic $topic.replay. --resource-pattern-type prefixed"
        echo "--operation Write --topic $topic.replay. --resource-pattern-type prefixed"
    done
    echo "--operation Describe --group $GROUP"
    echo "--operation Read --group $GROUP.replay. --resource-pattern-type prefixed"
    echo "--operation Write --transactional-id $GROUP.replay. --resource-pattern-type prefixed"
}

acls() { "of_$what"; }

# The command holds blanks, and so do the lines: they are meant to be split. A principal may hold some too, and is not.
each() {
    acls | while IFS= read -r acl; do
        # shellcheck disable=SC2086
        $KAFKA_ACLS "$@" --allow-principal "$PRINCIPAL" $acl </dev/null
    done
}

what=${2-run}
case $what in
run | dlq | replay) ;;
*) set -- help ;;
esac
case ${1-} in
print) acls ;;
grant) each --add ;;
revoke) each --remove --force ;;
*)
    sed -n '2,20s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
