"""Writes raw leads as a producer with Confluent's serializer does, which registers the schema first.

  produce_raw.py BROKERS REGISTRY TOPIC SCHEMA    records as JSON lines on standard input
"""

import json
import pathlib
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


def main(brokers, registry, topic, schema):
    serialize = AvroSerializer(SchemaRegistryClient({"url": registry}), pathlib.Path(schema).read_text())
    producer = Producer({"bootstrap.servers": brokers})
    for line in sys.stdin:
        producer.produce(topic, serialize(json.loads(line), SerializationContext(topic, MessageField.VALUE)))
    assert producer.flush(30) == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
