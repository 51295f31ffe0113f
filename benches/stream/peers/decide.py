"""The common decision (../README.md) as a transactional confluent-kafka process: one consumer, one producer, orjson.

Reads the settings from the environment, as all contenders do; runs until SIGTERM. `decide.py lines` decides lines of standard
input instead and prints what would be written, for the comparison byte by byte.
"""

import hashlib
import os
import signal
import sys
import time
from datetime import datetime, timezone
from functools import lru_cache

import orjson

RULESET = {"name": "default", "version": "1", "hash": os.environ.get("BENCH_RULESET_HASH", "")}
DAY_MS = 86_400_000
SOURCES = {
    "azuremarketplace": ("AZURE_MARKETPLACE", "WEB"),
    "azureportal": ("AZURE_MARKETPLACE", "AZURE_PORTAL"),
    "spza": ("APP_SOURCE", "WEB"),
    "appsource": ("APP_SOURCE", "WEB"),
}
STOREFRONTS = {
    "AZURE_MARKETPLACE": ("DEMAND_GENERATION", "ALL_CUSTOMERS", ("AZURE_MARKETPLACE", "MICROSOFT_FIELD_SELLER_CRM")),
    "APP_SOURCE": ("NURTURE", "BUSINESS_CUSTOMERS", ("PUBLISHER_CRM", "MICROSOFT_FIELD_SELLER_CRM")),
    "UNKNOWN": ("UNCLASSIFIED", "UNKNOWN", ("REVIEW_QUEUE",)),
}
ACTIONS = {
    "ins": ("INSTALL", "ACTIVE"),
    "plt": ("CONTACT_ME", "INITIAL_INTEREST"),
    "dnc": ("DO_NOT_CONTACT", "INFORMATIONAL"),
    "create": ("CREATE", "ACTIVE"),
    "starttestdrive": ("START_TEST_DRIVE", "TRIAL"),
}
INTENT = {"CREATE": ("create", 40), "INSTALL": ("install", 30), "START_TEST_DRIVE": ("test_drive", 30), "CONTACT_ME": ("contact_me", 25)}
REGIONS = {"US": "AMER", "BR": "AMER", "CA": "AMER", "DE": "EMEA", "GB": "EMEA", "FR": "EMEA", "JP": "APAC", "IN": "APAC", "AU": "APAC"}
SENIORITIES = {
    "cto": "C_LEVEL", "ceo": "C_LEVEL", "vp": "VP", "director": "DIRECTOR", "manager": "MANAGER",
    "engineer": "STAFF", "consultant": "STAFF", "analyst": "STAFF",
}
FIT = {"C_LEVEL": ("c_level", 15), "VP": ("vp", 15), "DIRECTOR": ("director", 10), "MANAGER": ("manager", 5)}
FREE_MAIL = {"outlook.com", "hotmail.com", "gmail.com", "yahoo.com", "icloud.com", "gmx.de", "web.de", "proton.me"}
DISPOSABLE = {"mailinator.com", "guerrillamail.com", "10minutemail.com"}


@lru_cache(maxsize=4096)
def rfc3339(millis):
    return datetime.fromtimestamp(millis // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis % 1000:03d}000Z"


def grade(total):
    return "A" if total >= 60 else "B" if total >= 40 else "C" if total >= 20 else "D"


def present(pairs):
    """A dictionary of what is there: what is null or empty is left out."""
    return {name: value for name, value in pairs if value}


def decide(value, topic, partition, offset, millis):
    """What is written for a lead: topic, key and value of each record."""
    lead = orjson.loads(value)
    user = lead["userDetails"]
    source_raw, note = lead.get("leadSource", ""), lead.get("description", "").strip()
    head, _, offer_raw = source_raw.partition("|")
    token, _, code = head.partition("-")
    token, code = token.strip().lower(), (code.strip() or lead.get("actionCode", "")).lower()
    publisher, _, offer = offer_raw.partition(".")
    email, first, phone = user.get("email", "").lower(), user.get("firstName", ""), user.get("phone", "")
    domain = email.partition("@")[2]
    mail = "FREE_MAIL" if domain in FREE_MAIL else "DISPOSABLE" if domain in DISPOSABLE else "BUSINESS" if domain else "UNKNOWN"
    title, country = user.get("title", ""), user.get("country", "").upper()
    seniority = SENIORITIES.get(title.lower(), "UNKNOWN")
    e164 = phone if phone.startswith("+") and phone[1:].isdigit() else ""

    storefront, channel = SOURCES.get(token, ("UNKNOWN", "UNKNOWN"))
    campaign, audience, destinations = STOREFRONTS[storefront]
    action, stage = ACTIONS.get(code, ("UNKNOWN", "UNKNOWN"))
    is_test = first.startswith("MSFT_TEST") or email.startswith("msft_test") or note.startswith("MSFT_TEST")
    silent = action == "DO_NOT_CONTACT"

    person = hashlib.sha256(b"email\x1f" + email.encode() + b"\x1f").hexdigest()[:32]
    touch = f"{person}\x1f{token}\x1f{code}\x1f{offer_raw.lower()}".encode() + (millis // DAY_MS).to_bytes(8, "big")
    lead_id = hashlib.sha256(touch).hexdigest()[:32]

    parts, intent, fit = [], 0, 0
    if action in INTENT:
        rule, points = INTENT[action]
        parts.append({"rule": rule, "part": "intent", "points": points})
        intent += points
    if action == "CONTACT_ME" and note:
        parts.append({"rule": "contact_me_note", "part": "intent", "points": 10})
        intent += 10
    if mail in ("BUSINESS", "FREE_MAIL", "DISPOSABLE"):
        points = 10 if mail == "BUSINESS" else -20
        parts.append({"rule": f"{mail.lower()}_mail" if mail != "FREE_MAIL" else "free_mail", "part": "fit", "points": points})
        fit += points
    if seniority in FIT:
        rule, points = FIT[seniority]
        parts.append({"rule": rule, "part": "fit", "points": points})
        fit += points
    total = intent + fit

    reasons = []
    if is_test:
        reasons.append("test_lead")
    if silent:
        reasons.append("do_not_contact")
    if not email and not e164:
        reasons.append("no_contact")
    if not reasons and total < 0:
        reasons.append("low_score")
    flags = ["unknown_action"] if action == "UNKNOWN" and code else []
    if silent:
        flags += ["consent_unknown", "redacted"]

    stamp = rfc3339(millis)
    place = f"{topic}/{partition}/{offset}/0"
    verdict = "UNQUALIFIED" if reasons else "QUALIFIED"
    contact = present((
        ("first_name", "" if silent else first),
        ("last_name", "" if silent else user.get("lastName", "")),
        ("email", "" if silent else email),
        ("email_domain", domain),
        ("email_kind", mail),
        ("phone_raw", "" if silent else phone),
        ("phone_e164", "" if silent else e164),
        ("country", country),
        ("country_raw", user.get("country", "")),
        ("region", REGIONS.get(country, "UNKNOWN")),
        ("company", user.get("company", "")),
        ("title", title),
        ("seniority", seniority),
    ))
    block = present((
        ("lead_id", lead_id),
        ("person_key", person),
        ("origin", "STOREFRONT"),
        ("storefront", storefront),
        ("channel", channel),
        ("campaign", campaign),
        ("audience", audience),
        ("listing", "UNKNOWN"),
        ("action", action),
        ("stage", stage),
        ("confidence", "HIGH" if storefront != "UNKNOWN" else "NONE"),
        ("source_raw", source_raw),
        ("action_raw", lead.get("actionCode", "")),
        ("publisher_id", publisher),
        ("offer_id", offer),
        ("offer_title", lead.get("offerTitle", "")),
        ("offer_raw", offer_raw),
        ("contact", contact),
    ))
    source = {"topic": topic, "partition": partition, "offset": offset, "index": 0, "format": "https_json"}
    times = {"event_time": stamp, "received_at": stamp, "source": source, "ruleset": RULESET}
    told = present((("note", "" if silent else note), ("flags", flags)))
    score = {"total": total, "fit": fit, "intent": intent}
    event = {
        "event_id": f"{place}/{verdict.lower()}",
        **block,
        "consent": {"contact": "UNKNOWN" if silent else "GRANTED", "share": "GRANTED", "marketing": "UNKNOWN"},
        "is_test": is_test,
        "is_spam": False,
        **told,
        "score": {**score, "parts": parts, "grade": grade(total)} if parts else {**score, "grade": grade(total)},
        "verdict": verdict,
        **({"reasons": reasons} if reasons else {}),
        **times,
    }
    if reasons:
        return [("unqualified", person, orjson.dumps(event))]
    written = [("qualified", person, orjson.dumps(event))]
    for destination in destinations:
        routed = {
            "event_id": f"{place}/routed/{destination}",
            **block,
            **told,
            "score": {**score, "grade": grade(total)},
            "verdict": verdict,
            **times,
            "destination": destination,
            "route": f"follow_up.{storefront}.{destination}",
            "first_touch_due": rfc3339(millis + DAY_MS),
            "hot_until": rfc3339(millis + 3 * DAY_MS),
            "late_delivery": False,
        }
        written.append(("routing", person, orjson.dumps(routed)))
    return written


def lines():
    """`decide.py lines`: each line of standard input is the lead at that offset of partition 0."""
    millis = int(os.environ["BENCH_MILLIS"])
    for offset, line in enumerate(sys.stdin.buffer):
        for topic, key, value in decide(line.rstrip(b"\n"), "leads.ndjson", 0, offset, millis):
            sys.stdout.buffer.write(f"{topic} {key} ".encode() + value + b"\n")


def main():
    """Consumes, decides and commits in transactions of BENCH_COMMIT_MS until SIGTERM."""
    from confluent_kafka import Consumer, Producer

    env = os.environ
    wait = int(env["BENCH_COMMIT_MS"]) / 1000
    names = {topic: env[f"BENCH_{topic.upper()}"] for topic in ("qualified", "unqualified", "routing")}
    base = {"bootstrap.servers": env["BENCH_BROKERS"], "log_level": 2}
    consumer = Consumer({
        **base,
        "group.id": env["BENCH_GROUP"],
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "fetch.queue.backoff.ms": 10,
    })
    producer = Producer({
        **base,
        "transactional.id": env["BENCH_GROUP"],
        "compression.type": "lz4",
        "linger.ms": 5,
        "batch.size": 1_000_000,
        "partitioner": "murmur2_random",
        "queue.buffering.max.messages": 1_000_000,
    })
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    producer.init_transactions(30)
    consumer.subscribe([env["BENCH_RAW"]])
    while not stop:
        messages = consumer.consume(1000, 0.1)
        if not messages:
            continue
        producer.begin_transaction()
        until, ends = time.monotonic() + wait, {}
        while messages or time.monotonic() < until:
            for message in messages:
                if message.error():
                    raise SystemExit(message.error().str())
                topic, partition, offset = message.topic(), message.partition(), message.offset()
                for kind, key, value in decide(message.value(), topic, partition, offset, message.timestamp()[1]):
                    while True:
                        try:
                            producer.produce(names[kind], value, key)
                            break
                        except BufferError:
                            producer.poll(0.01)
                ends[partition] = message
            producer.poll(0)
            left = until - time.monotonic()
            messages = consumer.consume(1000, min(left, 0.02)) if left > 0 and not stop else []
        producer.send_offsets_to_transaction(next_offsets(ends), consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30)
    consumer.close()


def next_offsets(ends):
    """Where each partition goes on."""
    from confluent_kafka import TopicPartition

    return [TopicPartition(last.topic(), last.partition(), last.offset() + 1) for last in ends.values()]


if __name__ == "__main__":
    lines() if sys.argv[1:] == ["lines"] else main()
