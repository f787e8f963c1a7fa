"""``docs/telegrams.md``, made from the AsyncAPI document and nothing else."""

from collections.abc import Iterable, Iterator

from tools.asyncapi.readable import care_cell, range_cell, readable_json, table, type_cell
from tools.asyncapi.schemas import Schema

_HEAD = """\
# Telegrams

Made from [`asyncapi.json`](asyncapi.json) by `make docs`, and that from the code and from
[SPEC.md](../protocol/SPEC.md); do not edit by hand.

Every telegram (電文) between a terminal (端末) and a city, with its fields, ranges and replies, to
look things up in. The rules around them are in SPEC.md: handshake, seals, repeats, money and paper.
Numbers such as TP-042 and section numbers point there. Which telegram is in order when is in
[states.md](states.md).

[How a message is built](#how-a-message-is-built) · [Who sends what](#who-sends-what) ·
[The telegrams](#the-telegrams) · [Structures](#structures) · [Choices](#choices) ·
[Reply codes](#reply-codes) · [Limits](#limits)
"""

_TOPICS = """\
## How a message is built

A line (回線) has two MQTT topics. Messages have QoS 1 and are not retained
([SPEC §2](../protocol/SPEC.md#2-topics)).
"""

_ENVELOPE = """\
The payload is an envelope: a header of 24 bytes, then a body
([SPEC §3](../protocol/SPEC.md#3-envelope)).
"""

_TELEGRAM_BODY = """\
**Kind 2, telegram.** The body is sealed with AES-256-GCM; the header is its associated data
([SPEC §6](../protocol/SPEC.md#6-counters-replay-new-keys)). What is sealed is

```
length (4 bytes, big-endian) ‖ MessagePack map of that length ‖ zeros
```

padded to {buckets} bytes. Some kinds start at a larger one of these, so that a
message's length tells nothing; their sections name it. The rest of this page is about the map. Its
key `telegram` names the kind, its other keys are the fields. A field with a default may be left
out; fields that are not known are ignored
([SPEC §9](../protocol/SPEC.md#9-versions-and-unknown-fields)).
"""

_WHO = """\
## Who sends what

A dashed arrow is a reply. Whatever a terminal asks, but a line test, may be answered by
[`refused`](#refused) instead. This is all that can be said, roughly in the order of a day; an
ordinary issuance from opening to end is drawn in [SPEC §12](../protocol/SPEC.md#12-the-issuance).
"""

_TELEGRAMS = """\
## The telegrams

Types are those of MessagePack: `bin` is a byte string, in the examples written as hexadecimal
digits, and cut if it is long. In the column *care*, **secret** means: in memory only, never stored,
logged or shown; personal means: for the screen or the paper, never logged.
"""

_STRUCTURES = """\
## Structures

What stands in fields of telegrams. All are maps, but for `in_reply_to`, which is an array of its
fields in this order.
"""

_CHOICES = """\
## Choices

Words that a field may hold. Any other word is malformed.
"""

_CODES = """\
## Reply codes

The field `code` of [`refused`](#refused) ([SPEC §8](../protocol/SPEC.md#8-reply-codes)). A terminal
shows the sentence in the resident's language, with the city's call centre, and no reason of its
own.
"""

_LIMITS = """\
## Limits

([SPEC §10](../protocol/SPEC.md#10-limits))
"""


def page(document: Schema) -> str:
    """Return the whole page."""
    sections = (_HEAD, *_built(document), *_who(document), *_telegrams(document))
    parts = (*_structures(document), *_choices(document), *_codes(document), *_limits(document))
    return "\n".join((*sections, *parts))


def _built(document: Schema) -> Iterator[str]:
    yield _TOPICS
    channels = document["channels"].values()
    rows = [[f"`{channel['address']}`", channel["description"]] for channel in channels]
    yield table(["topic", "what goes there"], rows)
    parameters = document["channels"]["up"]["parameters"].items()
    rows = [
        [f"`{{{name}}}`", said["description"], f"`{said['examples'][0]}`"]
        for name, said in parameters
    ]
    yield table(["in the topic", "meaning", "example"], rows)
    yield _ENVELOPE
    header = document["components"]["schemas"]["header"]["properties"].items()
    rows = [
        [str(part["x-offset"]), str(part["x-length-bytes"]), name, part["description"]]
        for name, part in header
    ]
    yield table(["offset", "bytes", "field", "content"], rows)
    messages = document["components"]["messages"]
    yield f"**Kind 1, key exchange.** {messages['key-exchange']['summary']}\n"
    yield f"**Kind 3, rejection**, without a body. {messages['rejection']['summary']}\n"
    buckets = document["x-limits"]["TELEGRAM_BUCKETS_BYTES"]["value"]
    listed = f"{', '.join(str(size) for size in buckets[:-1])} or {buckets[-1]}"
    yield _TELEGRAM_BODY.format(buckets=listed)


def _who(document: Schema) -> Iterator[str]:
    yield _WHO
    yield "\n".join(["```mermaid", *_diagram(document), "```", ""])
    rows = [
        [f"[`{name}`](#{name})", _japanese(message), _way(document, name), message["summary"]]
        for name, message in _telegrams_of(document)
    ]
    yield table(["telegram", "電文", "way", "what for"], rows)


def _diagram(document: Schema) -> Iterator[str]:
    yield "sequenceDiagram"
    yield "    participant T as terminal (端末)"
    yield "    participant C as city (市)"
    for operation in document["operations"].values():
        name = _name_in(operation["messages"][0])
        there, back = ("T", "C") if operation["action"] == "send" else ("C", "T")
        yield f"    {there}->>{back}: {name}"
        replies = [_name_in(reply) for reply in operation.get("reply", {}).get("messages", ())]
        wished = " or ".join(reply for reply in replies if reply != "refused")
        if wished:
            yield f"    {back}-->>{there}: {wished}"


def _telegrams(document: Schema) -> Iterator[str]:
    yield _TELEGRAMS
    for name, message in _telegrams_of(document):
        yield f"### `{name}`\n"
        japanese = _japanese(message)
        yield (f"**{japanese}**: " if japanese else "") + f"{message['summary']}\n"
        yield f"{' · '.join(_facts(document, name, message))}\n"
        yield _field_table(_fields_of(message["payload"]))
        example = message["examples"][0]["payload"]
        yield f"```json\n{readable_json(example)}\n```\n"


def _facts(document: Schema, name: str, message: Schema) -> Iterator[str]:
    yield _way(document, name)
    replies, requests = _replies_to(document, name), _requests_answered_by(document, name)
    if replies:
        yield f"answered by {_links(replies)}"
    elif requests:
        yield f"answers {_links(requests)}"
    else:
        yield "not answered"
    yield f"padded to at least {message['x-plaintext-bytes-min']:,} bytes"
    yield f"[SPEC §7](../{message['x-spec']})"


def _structures(document: Schema) -> Iterator[str]:
    yield _STRUCTURES
    for name, schema in document["components"]["schemas"].items():
        if name == "header" or "enum" in schema:
            continue
        yield f"### Structure: `{name}`\n"
        yield f"{schema['description']}\n"
        fields = schema.get("properties") or {item["title"]: item for item in schema["items"]}
        yield _field_table(fields)


def _choices(document: Schema) -> Iterator[str]:
    yield _CHOICES
    for name, schema in document["components"]["schemas"].items():
        if name != "code" and "enum" in schema:
            yield f"### Choice: `{name}`\n"
            meanings = schema["x-meanings"].items()
            yield table(["word", "meaning"], [[f"`{word}`", said] for word, said in meanings])


def _codes(document: Schema) -> Iterator[str]:
    yield _CODES
    bands: dict[str, list[Schema]] = {}
    for code in document["x-reply-codes"]:
        bands.setdefault(code["band"], []).append(code)
    for band, codes in bands.items():
        about = codes[0]["about"]
        yield f"### Band {band}: {about}\n" if about else f"### Band {band}\n"
        rows = [
            [str(code["code"]), f"`{code['name']}`", code["meaning"], code["ja"], code["en"]]
            for code in codes
        ]
        yield table(["code", "name", "meaning", "日本語", "English"], rows)


def _limits(document: Schema) -> Iterator[str]:
    yield _LIMITS
    rows = []
    for name, limit in document["x-limits"].items():
        value = limit["value"]
        shown = ", ".join(f"{size:,}" for size in (value if isinstance(value, list) else [value]))
        rows.append([f"`{name}`", shown, limit["unit"], limit["description"]])
    yield table(["limit", "value", "unit", "what it bounds"], rows)


def _field_table(fields: Schema) -> str:
    rows = [
        [
            f"`{name}`",
            type_cell(schema),
            range_cell(schema),
            schema.get("x-unit", ""),
            care_cell(schema),
            schema["description"],
        ]
        for name, schema in fields.items()
    ]
    heads = ["field", "type", "range", "unit", "care", "meaning"]
    used = [column for column in range(len(heads)) if any(row[column] for row in rows)]
    return table([heads[c] for c in used], [[row[c] for c in used] for row in rows])


def _fields_of(payload: Schema) -> Schema:
    """Return a telegram's own fields; what names its request stands last."""
    fields = {name: schema for name, schema in payload["properties"].items() if name != "telegram"}
    if "in_reply_to" in fields:
        fields["in_reply_to"] = fields.pop("in_reply_to")
    return fields


def _telegrams_of(document: Schema) -> Iterator[tuple[str, Schema]]:
    for name, message in document["components"]["messages"].items():
        if message["contentType"] == document["defaultContentType"]:
            yield name, message


def _way(document: Schema, name: str) -> str:
    up, down = (name in document["channels"][way]["messages"] for way in ("up", "down"))
    return "terminal ⇄ city" if up and down else "terminal → city" if up else "city → terminal"


def _replies_to(document: Schema, name: str) -> list[str]:
    for operation in document["operations"].values():
        if _name_in(operation["messages"][0]) == name:
            return [_name_in(reply) for reply in operation.get("reply", {}).get("messages", ())]
    return []


def _requests_answered_by(document: Schema, name: str) -> list[str]:
    asked = (_name_in(operation["messages"][0]) for operation in document["operations"].values())
    return [request for request in dict.fromkeys(asked) if name in _replies_to(document, request)]


def _japanese(message: Schema) -> str:
    """Return what stands in brackets behind the name in a message's title."""
    _, _, behind = str(message["title"]).partition(" (")
    return behind.removesuffix(")")


def _links(names: Iterable[str]) -> str:
    return ", ".join(f"[`{name}`](#{name})" for name in names)


def _name_in(reference: Schema) -> str:
    return str(reference["$ref"]).rsplit("/", 1)[1]
