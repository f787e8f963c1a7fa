"""The messages of the document: one for each kind of telegram, and the two that are none."""

from typing import Any

import msgspec

from protocol import limits
from protocol.envelope import HEADER_BYTES, EnvelopeKind, parse
from protocol.padding import BUCKET_FLOOR_BYTES
from protocol.requests import REQUESTS
from protocol.telegrams import Telegram
from tools.asyncapi.schemas import Schema, bytes_schema, telegram_schema
from tools.asyncapi.specification import HeaderText, Specification

MSGPACK = "application/msgpack"
BYTES = "application/octet-stream"


def name_of(kind: type[Telegram]) -> str:
    """Return a telegram's name on the wire."""
    return str(kind.__struct_config__.tag)


def telegram(kind: type[Telegram], text: Specification, packed: bytes) -> Schema:
    """Return the message of one kind of telegram; ``packed`` is one as MessagePack, to show."""
    name = name_of(kind)
    japanese = text.name_of_telegram(name)
    message: Schema = {
        "name": name,
        "title": f"{name} ({japanese})" if japanese else name,
        "summary": text.prose_of_telegram(name),
        "contentType": MSGPACK,
        "headers": _headers(
            EnvelopeKind.TELEGRAM,
            {"minimum": 0, "maximum": limits.TELEGRAMS_PER_GENERATION_HARD_MAX - 1},
        ),
        "payload": telegram_schema(kind, text),
    }
    if kind not in REQUESTS:
        message["correlationId"] = {
            "description": "SHA-256 of the request's plaintext, padding included (TP-042); "
            "generation and counter before it name the copy.",
            "location": "$message.payload#/in_reply_to/2",
        }
    message["examples"] = [{"name": "sample", "payload": _shown(msgspec.msgpack.decode(packed))}]
    message["x-plaintext-bytes-min"] = BUCKET_FLOOR_BYTES.get(kind, limits.SMALL_BUCKET_BYTES)
    message["x-spec"] = f"protocol/SPEC.md#{name}"
    return message


def key_exchange(flights: list[Schema]) -> Schema:
    """Return the message that carries a flight of the handshake, with examples."""
    return {
        "name": "key-exchange",
        "title": "key-exchange",
        "summary": "One flight of the TLS 1.3 handshake that gives a line its keys: the handshake "
        f"id ({limits.HANDSHAKE_ID_BYTES} bytes), then the TLS bytes (TP-020, TP-021). Flights 0 "
        "and 2 go up, 1 and 3 down.",
        "contentType": BYTES,
        "headers": _headers(EnvelopeKind.KEY_EXCHANGE, {"enum": [0, 1, 2, 3]}),
        "payload": bytes_schema(
            limits.HANDSHAKE_ID_BYTES, limits.HANDSHAKE_ID_BYTES + limits.FLIGHT_BYTES_MAX
        ),
        "examples": [_bare_example(case) for case in flights],
        "x-spec": "protocol/SPEC.md#4-handshake",
    }


def rejection(cases: list[Schema]) -> Schema:
    """Return the message that says that keys are not known, with examples."""
    return {
        "name": "rejection",
        "title": "rejection (鍵不明通知)",
        "summary": "The city does not know the keys of the telegram with this generation and "
        "counter. It is not authenticated: a terminal does nothing upon it but start a handshake, "
        "and that only if it names the generation in use (TP-035).",
        "contentType": BYTES,
        "headers": _headers(EnvelopeKind.REJECTION, {"minimum": 0}),
        "payload": bytes_schema(0, 0),
        "examples": [_bare_example(case) for case in cases],
        "x-spec": "protocol/SPEC.md#6-counters-replay-new-keys",
    }


def header_schema(text: Specification) -> Schema:
    """Return the schema of the envelope's header, field by field."""
    fields = [field for field in text.envelope() if field.length is not None]
    return {
        "type": "object",
        "description": f"The first {HEADER_BYTES} bytes of every MQTT payload, numbers big-endian "
        "(TP-010). Of a telegram they are the associated data of the seal (TP-030).",
        "required": [_key(field) for field in fields],
        "properties": {_key(field): _header_field(field) for field in fields},
    }


def _header_field(field: HeaderText) -> Schema:
    schemas: dict[str, Schema] = {
        "version": {"type": "integer", "const": limits.PROTOCOL_VERSION},
        "kind": {"type": "integer", "enum": [kind.value for kind in EnvelopeKind]},
        "direction": {"type": "integer", "enum": [0, 1]},
        "reserved": {"type": "integer", "const": 0},
        "generation": {"type": "integer", "minimum": 0, "maximum": (1 << 32) - 1},
        "line_id": bytes_schema(limits.LINE_ID_BYTES, limits.LINE_ID_BYTES),
        "counter": {"type": "integer", "minimum": 0},
    }
    place = {"x-offset": field.offset, "x-length-bytes": field.length}
    return {**schemas[_key(field)], "description": field.content, **place}


def _headers(kind: EnvelopeKind, counter: Schema) -> Schema:
    return {
        "type": "object",
        "allOf": [{"$ref": "#/components/schemas/header"}],
        "properties": {"kind": {"const": kind.value}, "counter": counter},
    }


def _bare_example(case: Schema) -> Schema:
    envelope = parse(bytes.fromhex(case["header"] + case["body"]))
    return {
        "name": f"{case['direction']}-{envelope.counter}",
        "headers": {
            "version": limits.PROTOCOL_VERSION,
            "kind": envelope.kind.value,
            "direction": envelope.direction.value,
            "reserved": 0,
            "generation": envelope.generation,
            "line_id": envelope.line_id.hex(),
            "counter": envelope.counter,
        },
        "payload": envelope.body.hex(),
    }


def _shown(value: Any) -> Any:
    """Return a value with byte strings as hexadecimal digits."""
    match value:
        case bytes():
            return value.hex()
        case list():
            return [_shown(item) for item in value]
        case dict():
            return {key: _shown(item) for key, item in value.items()}
    return value


def _key(field: HeaderText) -> str:
    return field.name.replace(" ", "_")
