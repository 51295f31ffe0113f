"""Reads topics as a subscriber with Confluent's client does: committed records only, values by the registry's schemas.

  read_topics.py BROKERS REGISTRY TOPIC...    one line a record: {"topic", "key", "value"}
"""

import datetime
import json
import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def shown(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    raise TypeError(type(value))


def main(brokers, registry, *topics):
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}))
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "reader", "isolation.level": "read_committed",
                         "enable.partition.eof": True})
    for topic in topics:
        partitions = list(consumer.list_topics(topic, 30).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        ended = set()
        while len(ended) < len(partitions):
            message = consumer.poll(30)
            assert message is not None, topic
            if message.error():
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                ended.add(message.partition())
                continue
            value = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
            print(json.dumps({"topic": topic, "key": message.key().decode(), "value": value}, default=shown))
    consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
