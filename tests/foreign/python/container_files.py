"""What fastavro says of the Avro container files that leadstream writes and reads, with the released schemas and nothing else.

  container_files.py read SCHEMAS AVRO LINES    the events in the folder AVRO are those in the folder LINES, byte by byte as datums
  container_files.py write SCHEMAS FILE CODEC    raw leads from standard input, one a line, into a container file
"""

import json
import pathlib
import sys

import fastavro

from avro_bytes import schema_text, whole, written

FILES = {"qualified": "QualifiedLead", "unqualified": "UnqualifiedLead", "routing": "LeadRouted"}


def read(schemas, avro, lines):
    count = 0
    for name, record in FILES.items():
        schema = schema_text(schemas, record)
        text = (pathlib.Path(lines) / f"{name}.ndjson").read_text().splitlines()
        with open(pathlib.Path(avro) / f"{name}.avro", "rb") as file:
            reader = fastavro.reader(file)
            assert fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(reader.writer_schema), "CRC-64-AVRO") == \
                fastavro.schema.fingerprint(fastavro.schema.to_parsing_canonical_form(schema), "CRC-64-AVRO"), name
            events = list(reader)
        assert len(events) == len(text), f"{name}: {len(events)} events, {len(text)} lines"
        for event, line in zip(events, text):
            assert written(schema, event) == written(schema, whole(schema, json.loads(line), {})), f"{name}: {event['event_id']}"
        count += len(events)
    return count


def write(schemas, path, codec):
    schema = fastavro.parse_schema(schema_text(schemas, "RawLead"))
    leads = [whole(schema_text(schemas, "RawLead"), json.loads(line), {}) for line in sys.stdin]
    with open(path, "wb") as file:
        fastavro.writer(file, schema, leads, codec=codec, sync_interval=500)
    return len(leads)


print({"read": read, "write": write}[sys.argv[1]](*sys.argv[2:]))
