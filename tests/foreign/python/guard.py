"""Changes who may do what on a broker: one JSON object a line on standard input, one line of answer for each.

{"acls": ["--operation Read --topic t", ...], "principal": "User:x", "do": "grant" | "revoke"}
{"user": "x", "password": "y"}
"""
import json
import re
import sys

from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType, ScramCredentialInfo, ScramMechanism,
                                   UserScramCredentialUpsertion)

RESOURCES = {
    "--topic": ResourceType.TOPIC,
    "--group": ResourceType.GROUP,
    "--transactional-id": ResourceType.TRANSACTIONAL_ID,
}


def parts(acl):
    """The words of kafka-acls.sh, as far as they are used here."""
    words = acl.split()
    options = dict(zip(words[::2], words[1::2]))
    operation = AclOperation[re.sub(r"(?<!^)(?=[A-Z])", "_", options.pop("--operation")).upper()]
    pattern = ResourcePatternType[options.pop("--resource-pattern-type", "literal").upper()]
    [(kind, name)] = options.items()
    return RESOURCES[kind], name, pattern, operation


def binding(kind, acl, principal):
    resource, name, pattern, operation = parts(acl)
    return kind(resource, name, pattern, principal, "*", operation, AclPermissionType.ALLOW)


def obey(admin, order):
    if "acls" in order:
        if order["do"] == "grant":
            futures = admin.create_acls([binding(AclBinding, acl, order["principal"]) for acl in order["acls"]])
        else:
            futures = admin.delete_acls([binding(AclBindingFilter, acl, order["principal"]) for acl in order["acls"]])
            for future in futures.values():
                assert len(future.result()) == 1, "there was no such ACL"
    else:
        credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        change = UserScramCredentialUpsertion(order["user"], credential, order["password"].encode())
        futures = admin.alter_user_scram_credentials([change])
    for future in futures.values():
        future.result()


def main():
    admin = AdminClient({"bootstrap.servers": sys.argv[1]})
    for line in sys.stdin:
        try:
            obey(admin, json.loads(line))
            answer = "done"
        except Exception as error:  # whatever it is, the test is to hear of it
            answer = repr(error).replace("\n", " ")
        print(answer, flush=True)


main()
