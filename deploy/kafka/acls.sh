#!/bin/sh
# The rights that `leadstream run` needs on a cluster with an authorizer, and no more; why each, deploy/kafka/acls.md tells.
#
#   acls.sh print     one ACL a line, in the words of kafka-acls.sh
#   acls.sh grant     grants each
#   acls.sh revoke    takes each away
#
# Names come from the environment; each has the default of leadstream's configuration:
#
#   PRINCIPAL     who runs leadstream, as the broker knows it
#   GROUP         kafka.group
#   RAW           topics.raw; several with commas or blanks between them
#   QUALIFIED UNQUALIFIED ROUTING DEAD_LETTER    the output topics
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
: "${KAFKA_ACLS:=kafka-acls.sh --bootstrap-server localhost:9092}"

# A name that the shell would split or expand would grant another right than was meant.
for name in "$GROUP" "$QUALIFIED" "$UNQUALIFIED" "$ROUTING" "$DEAD_LETTER" "$(printf %s "$RAW" | tr -d ', \n')"; do
    case $name in
    '' | *[!A-Za-z0-9._:/@-]*)
        printf 'acls.sh: %s: a name of other characters than letters, digits and . _ - : / @ is left to you and kafka-acls.sh\n' "$name" >&2
        exit 64
        ;;
    esac
done
RAW=$(printf %s "$RAW" | tr ',\n' '  ')

acls() {
    for topic in $RAW; do
        echo "--operation Read --topic $topic"
    done
    for topic in "$QUALIFIED" "$UNQUALIFIED" "$ROUTING" "$DEAD_LETTER"; do
        echo "--operation Write --topic $topic"
    done
    echo "--operation Read --group $GROUP"
    echo "--operation Write --transactional-id $GROUP- --resource-pattern-type prefixed"
}

# The command holds blanks, and so do the lines: they are meant to be split. A principal may hold some too, and is not.
each() {
    acls | while IFS= read -r acl; do
        # shellcheck disable=SC2086
        $KAFKA_ACLS "$@" --allow-principal "$PRINCIPAL" $acl </dev/null
    done
}

case ${1-} in
print) acls ;;
grant) each --add ;;
revoke) each --remove --force ;;
*)
    sed -n '2,17s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
