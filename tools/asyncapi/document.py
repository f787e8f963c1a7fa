"""The whole AsyncAPI 3 document, seen from the terminal, as one value for JSON."""

from typing import Any, get_args

from issuance_server.config import Broker
from protocol import limits
from protocol.codes import ReplyCode
from protocol.handshake_port import Role
from protocol.requests import REQUESTS, Request
from protocol.telegrams import AnyTelegram, Telegram
from tools.asyncapi import messages
from tools.asyncapi.schemas import (
    CHOICES,
    STRUCTURES,
    Schema,
    choice_schema,
    structure_schema,
    unit_of,
)
from tools.asyncapi.specification import Specification

ASYNCAPI_VERSION = "3.0.0"
"""Nothing of a later version is needed, and more tools read this one."""

ADDRESS = "kofu/1/{city}/{partition}/{line}/"

CHANNELS = {
    Role.TERMINAL: ("up", "What terminals send and the city receives (TP-001)."),
    Role.SERVER: ("down", "What the city sends and the terminal receives (TP-001)."),
}
"""By who sends: name and description."""

_OVERVIEW = """\
What a multicopy machine in a store (terminal, 端末) and a city's server say to each other so that a
resident gets a municipal certificate: コンビニ交付.

This document describes every telegram with its fields, ranges and replies. The rules around them
(handshake, seals, repeats, states, money and paper) are in `protocol/SPEC.md`, which is normative;
numbers such as TP-042 and section numbers point there.

Every MQTT payload is an envelope: a header of 24 bytes (here, the headers of a message) and a body.
The body of a telegram is sealed with AES-256-GCM; what is sealed is a length of 4 bytes, a
MessagePack map of that length, and zeros up to one of the lengths `TELEGRAM_BUCKETS_BYTES`. The
payloads here are these maps. MessagePack byte strings (`x-msgpack: bin`) are written as lower-case
hexadecimal digits in this document, and are plain bytes on the line. `x-secret` marks what is kept
in memory only and never shown, `x-personal` what is for the screen or the paper and never logged.
"""


def document(text: Specification, telegrams: list[Schema], envelopes: Schema) -> Schema:
    """Return the document.

    Args:
        text: the specification, for all sentences.
        telegrams: the cases of ``tests/vectors/telegrams.json``, for the examples.
        envelopes: the content of ``tests/vectors/envelopes.json``, for the examples.

    Raises:
        SetUpError: the specification says nothing of something that the code has.
    """
    kinds: tuple[type[Telegram], ...] = get_args(AnyTelegram)
    packed = {case["fields"]["telegram"]: bytes.fromhex(case["packed"]) for case in telegrams}
    parts = {
        "key-exchange": messages.key_exchange(envelopes["flights"]),
        "rejection": messages.rejection(envelopes["rejections"]),
    }
    for kind in kinds:
        name = messages.name_of(kind)
        parts[name] = messages.telegram(kind, text, packed[name])
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": "urn:kofu:1",
        "info": {
            "title": "Kofu: the telegram protocol of convenience-store certificates",
            "version": str(limits.PROTOCOL_VERSION),
            "description": _OVERVIEW,
            "license": {"name": "Apache-2.0"},
            "x-tables-version": limits.TABLES_VERSION,
        },
        "defaultContentType": messages.MSGPACK,
        "servers": {"loopback": _server()},
        "channels": {name: _channel(role) for role, (name, _) in CHANNELS.items()},
        "operations": _operations(),
        "components": {
            "messages": parts,
            "schemas": _schemas(text),
            "operationTraits": {"qos-1": {"bindings": {"mqtt": _OPERATION_BINDING}}},
        },
        "x-reply-codes": _reply_codes(text),
        "x-limits": _limits(text),
    }


_OPERATION_BINDING = {"qos": 1, "retain": False, "bindingVersion": "0.2.0"}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "city": {
        "description": "municipality code (全国地方公共団体コード), six digits",
        "examples": ["272035"],
        "x-pattern": "^[0-9]{6}$",
    },
    "partition": {
        "description": "the first byte of the line id modulo "
        f"{limits.PARTITIONS}, as two decimal digits (TP-002)",
        "examples": ["32"],
        "x-pattern": "^[0-9]{2}$",
    },
    "line": {
        "description": f"line id: {limits.LINE_ID_BYTES} random bytes as sixteen lower-case "
        "hexadecimal digits; it names no person, shop or terminal",
        "examples": ["a0b1c2d3e4f50617"],
        "x-pattern": "^[0-9a-f]{16}$",
    },
}


def _server() -> Schema:
    broker = Broker()
    return {
        "host": f"{broker.host}:{broker.port}",
        "protocol": "mqtt",
        "protocolVersion": "3.1.1",
        "description": "The city's broker; here, the one of a sample city on loopback. A broker is "
        "trusted with delivery and nothing else: how a client connects and proves itself to it is "
        "up to who runs it, and protects nothing that this protocol relies on. Sessions are clean; "
        "nothing is used that MQTT 3.1.1 and MQTT 5 do not share (TP-003).",
        "bindings": {"mqtt": {"cleanSession": True, "bindingVersion": "0.2.0"}},
    }


def _channel(sender: Role) -> Schema:
    name, description = CHANNELS[sender]
    return {
        "address": f"{ADDRESS}{name}",
        "description": description,
        "parameters": _PARAMETERS,
        "messages": {sent: _component("messages", sent) for sent in _sent_by(sender)},
    }


def _sent_by(sender: Role) -> list[str]:
    """Return the names of all messages of one side, those of the envelope first."""
    names = ["key-exchange"] if sender is Role.TERMINAL else ["key-exchange", "rejection"]
    kinds: tuple[type[Telegram], ...] = get_args(AnyTelegram)
    for kind in kinds:
        asks = kind in REQUESTS and sender in REQUESTS[kind].askers
        answers = any(
            kind in request.replies and _other(sender) in request.askers
            for request in REQUESTS.values()
        )
        if asks or answers:
            names.append(messages.name_of(kind))
    return names


def _operations() -> Schema:
    """Return what a terminal does: handshake and rejection, then a request after the other."""
    operations = {
        "sendKeyExchange": _operation(
            Role.TERMINAL, "key-exchange", ["key-exchange"], "Take up a line, or renew its keys."
        ),
        "receiveRejection": _operation(
            Role.SERVER, "rejection", [], "Learn that the city does not know the keys."
        ),
    }
    for kind, request in REQUESTS.items():
        for asker in request.askers:
            verb = "send" if asker is Role.TERMINAL else "receive"
            name = messages.name_of(kind)
            camel = "".join(word.capitalize() for word in name.split("-"))
            operations[f"{verb}{camel}"] = _telegram_operation(asker, name, request)
    return operations


def _telegram_operation(asker: Role, name: str, request: Request) -> Schema:
    replies = [messages.name_of(reply) for reply in request.replies]
    verb = "Send" if asker is Role.TERMINAL else "Receive"
    then = f", answered by {' or '.join(f'`{reply}`' for reply in replies)}" if replies else ""
    return _operation(asker, name, replies, f"{verb} `{name}`{then}.")


def _operation(asker: Role, message: str, replies: list[str], summary: str) -> Schema:
    channel, _ = CHANNELS[asker]
    back, _ = CHANNELS[_other(asker)]
    operation: Schema = {
        "action": "send" if asker is Role.TERMINAL else "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "traits": [_component("operationTraits", "qos-1")],
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
    }
    if replies:
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{back}"},
            "messages": [{"$ref": f"#/channels/{back}/messages/{reply}"} for reply in replies],
        }
    return operation


def _schemas(text: Specification) -> Schema:
    schemas: Schema = {"header": messages.header_schema(text)}
    for structure, name in STRUCTURES.items():
        schemas[name] = structure_schema(structure, text)
    for choice, name in CHOICES.items():
        schemas[name] = choice_schema(choice, text)
    return schemas


def _reply_codes(text: Specification) -> list[Schema]:
    return [
        {
            "code": code.value,
            "name": code.name,
            "band": f"{code.band:02d}",
            "about": text.meaning_of_band(code.band) if code.band else "",
            "meaning": text.meaning_of_code(code.value),
            "ja": code.sentence("ja"),
            "en": code.sentence("en"),
        }
        for code in ReplyCode
    ]


def _limits(text: Specification) -> Schema:
    return {
        name: {
            "value": list(value) if isinstance(value, tuple) else value,
            "unit": unit_of(name) or ("version" if name.endswith("VERSION") else "count"),
            "description": text.meaning_of_limit(name),
        }
        for name, value in vars(limits).items()
        if name.isupper()
    }


def _other(role: Role) -> Role:
    return Role.SERVER if role is Role.TERMINAL else Role.TERMINAL


def _component(kind: str, name: str) -> Schema:
    return {"$ref": f"#/components/{kind}/{name}"}
