"""The schemas of the document accept and refuse the same telegrams as the decoder does."""

import copy
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, get_args

import msgspec
import pytest

from protocol import codec, limits
from protocol.errors import MalformedTelegram
from protocol.telegrams import AnyTelegram
from tests.asyncapi.parser import TOP, judged
from tests.protocol.samples import SAMPLES
from tools.asyncapi import __main__ as program

Step: TypeAlias = str | int
Case: TypeAlias = tuple[str, dict[str, Any]]

KINDS = [kind.__struct_config__.tag for kind in get_args(AnyTelegram)]
INTEGERS = (-1, 0, 1, 3, 4, 5, 6, 10, 11, 32, 33, 40, 41, 4_096, 4_097, 1_000_000, 1_000_001)
LARGE = ((1 << 32) - 1, 1 << 32, 1 << 53, (1 << 53) + 2, 2_002, 2_100)
"""JavaScript knows no whole number between 2^53 and 2^53 + 2."""

LENGTHS = (0, 1, 64, 65, 100, 101, 200, 201)
BYTES = (0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65)
LONG_BYTES = (limits.PIN_BLOCK_BYTES_MAX, limits.PIECE_BYTES)
COUNTS = (0, 1, 3, 4, 5, 6, 7, 8, 32, 33, 40, 41, 48, 49, 64, 65)


def plain(packed: bytes) -> Any:
    """Return the MessagePack of a padded plaintext as plain values."""
    return msgspec.msgpack.decode(packed[4 : 4 + int.from_bytes(packed[:4], "big")])


def bare_samples() -> Iterator[dict[str, Any]]:
    """Give a sample of each kind, the long piece of a certificate shortened."""
    for telegram in SAMPLES:
        sample = plain(codec.encode(telegram))
        if "content" in sample:
            sample["content"] = sample["content"][:32]
        yield sample


def paths(value: Any, before: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Give the way to everything in a telegram, the telegram itself first."""
    yield before
    steps: Iterable[Step] = value if isinstance(value, dict) else ()
    steps = range(len(value)) if isinstance(value, list) else steps
    for step in steps:
        yield from paths(value[step], (*before, step))


def others(value: Any) -> Iterator[Any]:
    """Give what might stand in a value's place, at the edges of every range and beyond.

    Text is not put in the place of bytes nor the other way round: in JSON the two look alike.
    """
    yield from (None, 1.5, True, {}, [])
    match value:
        case bytes():
            yield from (bytes(length) for length in BYTES)
            if len(value) > max(BYTES) or len(value) == 32:
                yield from (bytes(length) for length in LONG_BYTES)
                yield from (bytes(length + 1) for length in LONG_BYTES)
            yield 1
        case str():
            yield from ("見" * length for length in LENGTHS)
            yield 1
        case bool():
            yield from (False, 0, "true")
        case int():
            yield from (*INTEGERS, *LARGE, "1")
        case [int(), int(), bytes()]:  # in_reply_to
            yield from (value[:-1], [*value, 0])
        case [first, *_]:
            yield from ([first] * count for count in COUNTS)
        case dict():
            yield {**value, "of a later version": [1]}


def changed(sample: Any, way: tuple[Step, ...], other: Any) -> Any:
    """Return a copy with something else at the end of a way."""
    if not way:
        return other
    copied = copy.deepcopy(sample)
    place = copied
    for step in way[:-1]:
        place = place[step]
    place[way[-1]] = other
    return copied


def left_out(sample: Any, way: tuple[Step, ...]) -> Any:
    """Return a copy without what the way leads to."""
    copied = copy.deepcopy(sample)
    place = copied
    for step in way[:-1]:
        place = place[step]
    del place[way[-1]]
    return copied


def cases(sample: dict[str, Any]) -> Iterator[Case]:
    """Give a sample, and the sample with one thing changed or left out, each with a name.

    That a reply names its request is a rule of its own (TP-042): the decoder has one class for
    telegrams with and without it. What kind a telegram is cannot be changed on the way.
    """
    name = sample["telegram"]
    yield name, sample
    for way in paths(sample):
        if way == ("telegram",):
            continue
        where = ".".join(map(str, (name, *way)))
        for other in others(reached(sample, way)):
            if other is None and way == ("in_reply_to",):
                continue
            if way or (isinstance(other, dict) and "telegram" in other):
                yield f"{where} = {str(other)[:40]}", changed(sample, way, other)
        if way and isinstance(way[-1], str) and way != ("in_reply_to",):
            yield f"{where} left out", left_out(sample, way)


def reached(sample: Any, way: tuple[Step, ...]) -> Any:
    """Return what a way leads to."""
    for step in way:
        sample = sample[step]
    return sample


def decodes(telegram: dict[str, Any]) -> bool:
    """Return whether the decoder takes a telegram."""
    packed = msgspec.msgpack.encode(telegram)
    plaintext = len(packed).to_bytes(4, "big") + packed
    size = next(size for size in limits.TELEGRAM_BUCKETS_BYTES if size >= len(plaintext))
    try:
        codec.decode(plaintext.ljust(size, b"\0"))
    except MalformedTelegram:
        return False
    return True


def shown(value: Any) -> Any:
    """Return a telegram as the document writes it, byte strings as hexadecimal digits."""
    match value:
        case bytes():
            return value.hex()
        case list():
            return [shown(item) for item in value]
        case dict():
            return {key: shown(item) for key, item in value.items()}
    return value


@pytest.mark.slow
def test_schemas_and_decoder_agree(tmp_path: Path) -> None:
    """Whatever one thing is changed in a telegram, both take it or both refuse it."""
    document = json.loads((TOP / program.DOCUMENT).read_text(encoding="utf-8"))
    made = [
        (name, sample["telegram"], case)
        for sample in bare_samples()
        for name, case in cases(sample)
    ]
    payloads = [{"message": kind, "payload": shown(case)} for _, kind, case in made]

    accepted = judged(tmp_path, document, payloads)["accepted"]

    verdicts = [(name, decodes(case)) for name, _, case in made]
    assert [] == [
        (name, "the decoder takes it" if taken else "the schema takes it")
        for (name, taken), fits in zip(verdicts, accepted, strict=True)
        if taken != fits
    ]
    assert {True, False} == {taken for _, taken in verdicts}
    assert {name for name, _ in verdicts} >= set(KINDS)
