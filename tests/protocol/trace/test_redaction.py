"""What of a telegram stands in a trace, for every kind of telegram."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from msgspec import inspect

from protocol.secret import Secret
from protocol.shown import Shown, mark_in
from protocol.telegrams import AnyTelegram, Authenticate, Member, Menu, PieceGiven, Released
from protocol.trace.redaction import MARK, Redactor, is_hidden
from tests.protocol.any_telegram import telegrams
from tests.protocol.samples import SAMPLES

REDACTOR = Redactor(Secret(b"k" * 32))
KINDS: tuple[type[AnyTelegram], ...] = get_args(AnyTelegram)


def leaves(info: inspect.Type, path: str) -> Iterator[tuple[str, inspect.Type, Shown | None]]:
    """Give every text, byte string and secret of a type, with its mark."""
    match info:
        case inspect.Metadata(extra=extra) if (mark := mark_in(extra)) is not None:
            yield path, info.type, mark
        case inspect.Metadata(type=inner) | inspect.VarTupleType(item_type=inner):
            yield from leaves(inner, path)
        case inspect.UnionType(types=types):
            for one in types:
                yield from leaves(one, path)
        case inspect.StructType():
            for field in info.fields:
                yield from leaves(field.type, f"{path}.{field.name}")
        case inspect.StrType() | inspect.BytesType() | inspect.CustomType():
            yield path, info, None


def test_whoever_adds_a_text_or_bytes_has_to_say_how_it_is_shown() -> None:
    """These are shown as they are: ids, digests, names of things; all others are marked."""
    shown = {
        name
        for kind in KINDS
        for name, info, mark in leaves(inspect.type_info(kind), kind.__name__)
        if mark is None and not isinstance(info, inspect.CustomType)
    }
    assert SHOWN == {name.partition(".")[2] for name in shown if "in_reply_to" not in name}


SHOWN = {
    "binding.file_digest",
    "binding.holder",
    "binding.issuance_id",
    "binding.numbers",
    "binding.pages",
    "binding.request_digest",
    "call_centre",
    "challenge",
    "checkpoint.root",
    "city",
    "issuance_id",
    "proof",
    "report.issuance_id",
    "request_id",
    "sealed_digest",
    "software",
    "state",
    "terminal",
    "unfinished.issuance_id",
    "unfinished.state",
    "usable_from",
    "visit_id",
}


@given(telegrams())
def test_only_what_is_marked_is_replaced(telegram: AnyTelegram) -> None:
    """Names and numbers of every other field stay as they are, and the whole can be written."""
    plain = msgspec.to_builtins(telegram, builtin_types=(bytes,), enc_hook=lambda _secret: None)
    shown = REDACTOR.redact(telegram)
    assert plain.keys() == shown.keys()
    for name, value in plain.items():
        assert is_hidden(shown[name]) or value == shown[name] or _holds_hidden(shown[name])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(shown)).keys() == shown.keys()


def _holds_hidden(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value
    return not isinstance(value, str | bytes | int | None) and any(
        is_hidden(one) or _holds_hidden(one) for one in inner
    )


def _sample(kind: type[AnyTelegram]) -> Any:
    return next(one for one in SAMPLES if type(one) is kind)


def test_card_and_pin_are_not_in_it() -> None:
    """Of an authentication there are a pseudonym of the card and the digest of the PIN block."""
    telegram = _sample(Authenticate)
    shown = REDACTOR.redact(telegram)
    packed = msgspec.msgpack.encode(shown)
    for hidden in (telegram.card, telegram.card_signature, telegram.pin_block):
        assert hidden not in packed
    assert {"card", "signature", "sealed"} == {v[MARK] for v in shown.values() if is_hidden(v)}


def test_key_and_body_are_not_in_it() -> None:
    """Of a release there is no key; of a piece there are digest and length."""
    released, piece = _sample(Released), _sample(PieceGiven)
    shown = REDACTOR.redact(released)
    assert {MARK: "secret"} == shown["content_key"]
    assert released.content_key.reveal() not in msgspec.msgpack.encode(shown)
    assert released.binding.file_digest == shown["binding"]["file_digest"]
    assert len(piece.content) == REDACTOR.redact(piece)["content"]["bytes"]


def test_one_person_has_one_pseudonym_in_a_trace_and_another_in_the_next() -> None:
    """Names are told apart, the same one is known again, and no trace tells of another."""
    names = ("見本 太郎", "見本 花子", "見本 太郎")
    members = tuple(Member(number=n, name=name) for n, name in enumerate(names, start=1))
    menu = msgspec.structs.replace(_sample(Menu), members=members)
    here, again, there = (
        [member["name"] for member in one.redact(menu)["members"]]
        for one in (REDACTOR, REDACTOR, Redactor(Secret(b"x" * 32)))
    )
    assert here == again
    assert [0, 1, 0] == [here.index(name) for name in here]
    assert not {name["is"] for name in here} & {name["is"] for name in there}


@pytest.mark.parametrize("telegram", SAMPLES, ids=lambda one: type(one).__name__)
def test_no_name_is_in_any_sample(telegram: AnyTelegram) -> None:
    """No text in Japanese, which only people and the call centre have, is left."""
    fields = REDACTOR.redact(telegram)
    fields.pop("call_centre", None)
    assert str(fields).isascii()
