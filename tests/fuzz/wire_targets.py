"""What a stranger, the broker or a dishonest peer can put on the wire."""

from collections.abc import Iterator

import msgspec

from protocol import codec, topics
from protocol.envelope import EnvelopeKind, parse, read_flight
from protocol.errors import EnvelopeError, MalformedTelegram
from protocol.limits import SMALL_BUCKET_BYTES, TELEGRAM_BUCKETS_BYTES
from tests.fuzz.target import Target, demand
from tests.protocol.samples import SAMPLES
from tests.vectors.reading import octets, vector

LENGTH_BYTES = 4


def wrapped(packed: bytes) -> bytes:
    """Return what becomes of a MessagePack map in a telegram: length, map, zeros (TP-040)."""
    plain = len(packed).to_bytes(LENGTH_BYTES, "big") + packed
    fits = (bucket for bucket in TELEGRAM_BUCKETS_BYTES if len(plain) <= bucket)
    return plain.ljust(next(fits, len(plain)), b"\0")


def packed_samples() -> Iterator[bytes]:
    """Give the map of one telegram of each kind, with pieces cut short."""
    for vectored in vector("telegrams")["telegrams"]:
        yield octets(vectored["packed"])
    for sample in SAMPLES:
        plaintext = codec.encode(sample)
        length = int.from_bytes(plaintext[:LENGTH_BYTES], "big")
        if length < SMALL_BUCKET_BYTES:
            yield plaintext[LENGTH_BYTES : LENGTH_BYTES + length]


def decode(data: bytes) -> str:
    """Read an input as an envelope, as a topic, as a plaintext, and as the map in a plaintext."""
    if _is_envelope(data):
        return "envelope"
    if _is_topic(data):
        return "topic"
    if _is_telegram(data) or _is_telegram(wrapped(data)):
        return "telegram"
    return "refused"


def _is_envelope(data: bytes) -> bool:
    try:
        envelope = parse(data)
    except EnvelopeError:
        return False
    demand(envelope.pack() == data, "an envelope has one form")
    if envelope.kind is EnvelopeKind.KEY_EXCHANGE:
        try:
            handshake_id, tls = read_flight(envelope)
        except EnvelopeError:
            return True
        demand(handshake_id + tls == envelope.body, "a flight is its id and its TLS bytes")
    return True


def _is_topic(data: bytes) -> bool:
    topic = data[:80].decode("utf-8", "replace")
    try:
        line_id = topics.line_of_topic(topic)
    except EnvelopeError:
        return False
    city, direction = topic.split("/")[2], topic.split("/")[-1]
    demand(topic == topics.line_topic(city, line_id, direction), "a topic has one form")
    return True


def _is_telegram(plaintext: bytes) -> bool:
    try:
        telegram = codec.decode(plaintext)
    except MalformedTelegram as error:
        demand(error.field.startswith("$"), "a malformed telegram names the field")
        return False
    again = codec.encode(telegram)
    demand(telegram == codec.decode(again), "what was decoded can be sent on")
    demand(again == codec.encode(codec.decode(again)), "our encoding is one")
    return True


def decoder_seeds() -> tuple[bytes, ...]:
    """Return maps, plaintexts, envelopes and topics."""
    maps = tuple(packed_samples())
    envelopes = vector("envelopes")
    city, line_id = "272035", bytes.fromhex("a0b1c2d3e4f50617")
    return (
        *maps,
        *(wrapped(packed) for packed in maps[:4]),
        *(octets(flight["header"]) + octets(flight["body"]) for flight in envelopes["flights"]),
        *(octets(refused["message"]) for refused in envelopes["refused"] if "message" in refused),
        topics.line_topic(city, line_id, "up").encode(),
        topics.line_topic(city, line_id, "down").encode(),
        msgspec.msgpack.encode([]),
    )


DECODER = Target(
    name="decoder",
    run=decode,
    seeds=decoder_seeds,
    verdicts=frozenset({"envelope", "topic", "telegram", "refused"}),
    input_bytes_max=4_200,
    short_runs=20_000,
)
