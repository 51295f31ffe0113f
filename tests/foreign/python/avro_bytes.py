"""What fastavro says of leadstream's Avro, with the released files and nothing else.

  avro_bytes.py write SCHEMAS    lines {"record", "json", "avro"}: the JSON form, written by fastavro, is the very datum (base64)
  avro_bytes.py later SCHEMAS    the same lines, written by a later version of the schema, are read by the released one
"""

import base64
import copy
import datetime
import io
import json
import pathlib
import sys

import fastavro

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def schema_text(folder, record):
    return json.loads((pathlib.Path(folder) / record / "v1.avsc").read_text())


def whole(schema, value, named):
    """A value of the JSON form as fastavro takes it: what is left out there is null or empty here."""
    if isinstance(schema, list):
        return None if value is None else whole(next(branch for branch in schema if branch != "null"), value, named)
    if isinstance(schema, str):
        return whole(named[schema], value, named) if schema in named else value
    if schema["type"] in ("record", "enum"):
        named[schema["name"]] = schema
    if schema["type"] == "record":
        return {field["name"]: whole(field["type"], value.get(field["name"]), named) for field in schema["fields"]}
    if schema["type"] == "array":
        return [whole(schema["items"], item, named) for item in value or []]
    if schema["type"] == "map":
        return value or {}
    if schema.get("logicalType") == "timestamp-micros":
        return (datetime.datetime.fromisoformat(value.replace("Z", "+00:00")) - EPOCH) // MICROSECOND
    return value


def written(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(copy.deepcopy(schema)), value)
    return out.getvalue()


def read(datum, writer, reader):
    parsed = [fastavro.parse_schema(copy.deepcopy(schema)) for schema in (writer, reader)]
    return fastavro.schemaless_reader(io.BytesIO(datum), *parsed)


def later(schema):
    """The next version: a new optional field, and a new symbol of an enum."""
    schema = copy.deepcopy(schema)
    schema["fields"].append({"name": "language", "doc": "New.", "type": ["null", "string"], "default": None})
    channel = next(field["type"] for field in schema["fields"] if field["name"] == "channel")
    channel["symbols"].append("MOBILE")
    return schema


def main(command, folder):
    count = 0
    for line in sys.stdin:
        case = json.loads(line)
        schema = schema_text(folder, case["record"])
        value = whole(schema, case["json"], {})
        if command == "write":
            assert written(schema, value) == base64.b64decode(case["avro"]), case["json"]["event_id"]
        else:
            new = later(schema)
            found = read(written(new, {**value, "language": "fr", "channel": "MOBILE"}), new, schema)
            old = read(base64.b64decode(case["avro"]), schema, schema)
            assert found == {**old, "channel": "UNKNOWN"}, case["json"]["event_id"]
            # And the other way round: who has the later version reads what was written before it.
            assert read(base64.b64decode(case["avro"]), schema, new) == {**old, "language": None}
        count += 1
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])
