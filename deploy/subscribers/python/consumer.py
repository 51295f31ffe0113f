#!/usr/bin/env python3
"""Prints a JSON line for each new event of leadstream's topics. JSON and Avro are told apart by each value's first bytes.

  pip install -r requirements.txt
  python consumer.py --brokers 127.0.0.1:9092 --topic leads.qualified [--registry URL] [--until-end]
"""
import argparse, collections, datetime, io, json, pathlib  # noqa: E401

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException
from fastavro.schema import fingerprint, to_parsing_canonical_form

REMEMBERED = 100_000  # event ids; keep them with your results, if no event may be seen twice after a restart either
readers, writers = {}, {}  # the latest exported schema by its name, any schema by fingerprint or registry id
for path in sorted(pathlib.Path(__file__).resolve().parents[1].glob("schemas/*/v*.avsc"), key=lambda path: int(path.stem[1:])):
    schema = fastavro.parse_schema(json.loads(path.read_text()))
    readers[schema["name"]] = schema
    writers[bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))] = schema


def decode(value, registry):
    if value[:1] == b"\x00":  # Confluent frame: 0, the registry's id in four bytes
        key, body = value[1:5], value[5:]
        if key not in writers:
            if not registry:
                raise SystemExit(f"schema {int.from_bytes(key, 'big')} is in a registry: name it by --registry URL")
            from confluent_kafka.schema_registry import SchemaRegistryClient
            found = SchemaRegistryClient({"url": registry}).get_schema(int.from_bytes(key, "big"))
            writers[key] = fastavro.parse_schema(json.loads(found.schema_str))
    elif value[:2] == b"\xc3\x01":  # single-object encoding: C3 01, the fingerprint in eight bytes
        key, body = value[2:10], value[10:]
    else:
        return json.loads(value)
    # Resolved to the exported schema: what a later version adds changes nothing here.
    return json_form(fastavro.schemaless_reader(io.BytesIO(body), writers[key], readers[writers[key]["name"]]))


def json_form(value):
    """As leadstream writes JSON: nothing that is null or empty, times as text."""
    if isinstance(value, dict):
        return {name: json_form(inner) for name, inner in value.items() if inner not in (None, "", [], {})}
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [json_form(inner) for inner in value] if isinstance(value, list) else value


def main(options):
    assigned, ended, seen, count = set(), set(), collections.OrderedDict(), 0
    consumer = Consumer({"bootstrap.servers": options.brokers, "group.id": options.group, "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed", "enable.auto.offset.store": False, "enable.partition.eof": True,
                         **dict(each.split("=", 1) for each in options.property)})
    consumer.subscribe(options.topic.split(","),
                       on_assign=lambda _, parts: assigned.update((part.topic, part.partition) for part in parts))
    while not (options.until_end and assigned and ended >= assigned) and (not options.max or count < options.max):
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
            ended.add((message.topic(), message.partition()))
            continue
        if message.error():
            raise KafkaException(message.error())
        event = decode(message.value(), options.registry)
        if event["event_id"] not in seen:
            seen[event["event_id"]] = None
            if len(seen) > REMEMBERED:
                seen.popitem(last=False)
            print(json.dumps(event, ensure_ascii=False), flush=True)
            count += 1
        consumer.store_offsets(message)  # after the work: what fails before is read again
    consumer.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, more in {"--brokers": {"required": True}, "--topic": {"required": True, "help": "one or more, with commas"},
                       "--group": {"default": "example"}, "--registry": {"help": "URL of a registry with Confluent's API"},
                       "--property": {"action": "append", "default": [], "help": "librdkafka's, such as security.protocol=SSL"},
                       "--max": {"type": int, "help": "end after so many"}, "--until-end": {"action": "store_true"}}.items():
        parser.add_argument(name, **more)
    main(parser.parse_args())
