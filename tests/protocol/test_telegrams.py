"""The telegram table: every kind has a sample, ranges hold, lengths tell nothing."""

import typing

import msgspec
import pytest

from protocol import codec
from protocol.checkpoint import Checkpoint
from protocol.codes import ReplyCode
from protocol.errors import MalformedTelegram
from protocol.kinds import Item, Kind, Options, Scope
from protocol.limits import (
    CARD_CERTIFICATE_BYTES_MAX,
    MENU_BUCKET_BYTES,
    PROOF_HASHES_MAX,
    SMALL_BUCKET_BYTES,
)
from protocol.padding import CLOSED_BUCKET_BYTES
from protocol.telegrams import (
    AnyTelegram,
    Apply,
    Authenticate,
    AuthenticateCertificate,
    Cancel,
    Closed,
    Counters,
    Opened,
    PieceGiven,
    Quotation,
    Refused,
    Release,
    RequestRef,
    Telegram,
    UnfinishedIssuance,
)
from protocol.terminal_statements import FailureCause
from tests.protocol.samples import DIGEST, ISSUANCE_ID, SAMPLES, SIGNATURE, VISIT_ID, menu


def sample(wanted: type[Telegram]) -> AnyTelegram:
    """Return the sample of a kind."""
    return next(telegram for telegram in SAMPLES if type(telegram) is wanted)


def test_every_telegram_of_the_table_has_exactly_one_sample() -> None:
    """A new telegram without a sample here fails this test."""
    assert sorted(t.__name__ for t in typing.get_args(AnyTelegram)) == sorted(
        type(telegram).__name__ for telegram in SAMPLES
    )


def test_every_telegram_has_a_name_of_its_own() -> None:
    """The names on the wire are unique, lower case with hyphens."""
    names = [kind.__struct_config__.tag for kind in typing.get_args(AnyTelegram)]

    assert len(names) == len(set(names))
    assert [] == [name for name in names if name != name.lower() or "_" in name]


@pytest.mark.parametrize(
    ("kind", "field", "value", "path"),
    [
        (Apply, "copies", 0, "$.copies"),
        (Apply, "copies", 6, "$.copies"),
        (Apply, "kind", "passport", "$.kind"),
        (Apply, "options", {"scope": "world"}, "$.options.scope"),
        (Apply, "options", {"members": [0]}, "$.options.members[0]"),
        (Apply, "options", {"members": [33]}, "$.options.members[0]"),
        (Apply, "options", {"members": list(range(1, 34))}, "$.options.members"),
        (Apply, "issuance_id", bytes(15), "$.issuance_id"),
        (Release, "amount_yen", -1, "$.amount_yen"),
        (Release, "amount_yen", 1_000_001, "$.amount_yen"),
        (Quotation, "sheets", 41, "$.sheets"),
        (Quotation, "valid_ms", (1 << 53) + 1, "$.valid_ms"),
        (Authenticate, "card", bytes(17), "$.card"),
        (Authenticate, "card_signature", SIGNATURE + b"\0", "$.card_signature"),
        (Authenticate, "pin_block", bytes(15), "$.pin_block"),
        (Authenticate, "pin_block", bytes(1_401), "$.pin_block"),
        (AuthenticateCertificate, "certificate", b"", "$.certificate"),
        (AuthenticateCertificate, "certificate", bytes(1_793), "$.certificate"),
        (AuthenticateCertificate, "card_signature", bytes(63), "$.card_signature"),
        (PieceGiven, "content", b"", "$.content"),
        (PieceGiven, "piece", 4_097, "$.piece"),
        (Refused, "code", 1234, "$.code"),
        (Refused, "tries_left", 4, "$.tries_left"),
        (Cancel, "cause", "boredom", "$.cause"),
        (Opened, "city", "", "$.city"),
        (Opened, "software", "x" * 201, "$.software"),
        (Refused, "in_reply_to", [1, 2], "$.in_reply_to"),
        (Refused, "in_reply_to", [1, 2, DIGEST, 3], "$.in_reply_to"),
    ],
)
def test_a_value_out_of_its_range_is_malformed(
    kind: type[Telegram], field: str, value: object, path: str
) -> None:
    """The decoder refuses what the table does not allow."""
    plaintext = codec.encode(sample(kind))
    content = msgspec.msgpack.decode(plaintext[4 : 4 + int.from_bytes(plaintext[:4], "big")])
    body = msgspec.msgpack.encode(content | {field: value})
    changed = (len(body).to_bytes(4, "big") + body).ljust(len(plaintext), b"\0")

    with pytest.raises(MalformedTelegram) as caught:
        codec.decode(changed)
    assert path == caught.value.field


def test_a_menu_does_not_tell_how_many_live_in_a_household() -> None:
    """One member or nine, a short name or a long one: the same length."""
    lengths = {
        len(codec.encode(menu(1))),
        len(codec.encode(menu(9))),
        len(codec.encode(menu(9, name="見本 長長長長長長長長長長長長長長長長長長長長長長"))),
    }

    assert {MENU_BUCKET_BYTES} == lengths


def test_a_closing_does_not_tell_how_much_was_recorded() -> None:
    """Without a checkpoint, and with the longest proof and the largest numbers: the same length."""
    most = 1 << 53
    largest = Closed(
        counters=Counters(completed=most, reversed=most, fees_earned_yen=most),
        checkpoint=Checkpoint(size=most, root=bytes(32), at_ms=most, signature=bytes(64)),
        proof=(bytes(32),) * PROOF_HASHES_MAX,
        in_reply_to=RequestRef(generation=(1 << 32) - 1, counter=most, digest=bytes(32)),
    )
    bare = msgspec.structs.replace(largest, checkpoint=None, proof=())

    assert {CLOSED_BUCKET_BYTES} == {len(codec.encode(largest)), len(codec.encode(bare))}


def test_a_refusal_does_not_tell_its_reason() -> None:
    """Every code, with and without tries left, has the same length."""
    lengths = {
        len(codec.encode(Refused(code=code, tries_left=tries_left)))
        for code in ReplyCode
        for tries_left in (None, 0, 3)
    }

    assert {SMALL_BUCKET_BYTES} == lengths


def test_an_application_does_not_tell_what_was_chosen() -> None:
    """Every kind and the longest options have the same length."""
    everything = Options(scope=Scope.SOME, members=tuple(range(1, 33)), items=tuple(Item))
    lengths = {
        len(
            codec.encode(
                Apply(
                    visit_id=VISIT_ID,
                    issuance_id=ISSUANCE_ID,
                    kind=kind,
                    options=options,
                    copies=5,
                )
            )
        )
        for kind in Kind
        for options in (Options(), everything)
    }

    assert {SMALL_BUCKET_BYTES} == lengths


def test_a_pin_block_does_not_tell_its_length() -> None:
    """A short and the longest PIN block give the same telegram length."""
    lengths = {
        len(
            codec.encode(
                Authenticate(
                    visit_id=VISIT_ID,
                    attempt=10,
                    card=ISSUANCE_ID,
                    card_signature=SIGNATURE,
                    pin_block=bytes(block_bytes),
                )
            )
        )
        for block_bytes in (16, 1_152, 1_400)
    }

    assert 1 == len(lengths)


def test_no_length_tells_the_kind_of_card() -> None:
    """The longest certificate gives the same telegram length as a PIN block."""
    with_pin = sample(Authenticate)
    lengths = {
        len(
            codec.encode(
                AuthenticateCertificate(
                    visit_id=VISIT_ID,
                    attempt=10,
                    certificate=bytes(certificate_bytes),
                    card_signature=SIGNATURE,
                )
            )
        )
        for certificate_bytes in (1, 500, CARD_CERTIFICATE_BYTES_MAX)
    }

    assert {len(codec.encode(with_pin))} == lengths


def test_the_last_piece_is_as_long_as_the_others() -> None:
    """A piece of one byte travels in the same length as a whole one."""
    short = PieceGiven(issuance_id=ISSUANCE_ID, piece=9, content=b"x")

    assert len(codec.encode(sample(PieceGiven))) == len(codec.encode(short))


def test_the_longest_list_of_unfinished_issuances_fits() -> None:
    """An opening with as many as may be listed can be sent."""
    listed = tuple(
        UnfinishedIssuance(issuance_id=DIGEST[:16], state="print-failed") for _ in range(64)
    )
    opened = msgspec.structs.replace(sample(Opened), unfinished=listed)

    assert opened == codec.decode(codec.encode(opened))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_certificate_has_a_title(kind: Kind) -> None:
    """Menus and papers name it in Japanese."""
    assert kind.title
    assert not kind.title.isascii()


def test_causes_are_named_in_words() -> None:
    """The causes of a failure are the listed ones."""
    assert {
        "none",
        "no-release-answer",
        "binding-mismatch",
        "printer",
        "power-loss",
        "cancelled",
    } == {cause.value for cause in FailureCause}
