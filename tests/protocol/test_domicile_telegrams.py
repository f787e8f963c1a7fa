"""Telegrams of 本籍地利用登録: no length tells what was typed, and no repr shows it."""

import pytest

from protocol import codec
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold, RegisterDomicile
from protocol.telegrams import AnyTelegram, RequestRef

ID = bytes(16)
REF = RequestRef(generation=(1 << 32) - 1, counter=1 << 53, digest=bytes(32))
WIDEST = "\N{CJK UNIFIED IDEOGRAPH-20BB7}"  # four bytes in UTF-8


def typed(letter: str, *, most: bool) -> RegisterDomicile:
    long, birth, phone = (100, 40, 20) if most else (1, 1, 0)
    return RegisterDomicile(
        visit_id=ID,
        request_id=ID,
        domicile=letter * long,
        register_head=letter * long,
        name=letter * long,
        birth=letter * birth,
        phone=letter * phone,
    )


@pytest.mark.parametrize(
    "telegram",
    [
        typed("a", most=False),
        typed(WIDEST, most=True),
        AskDomicile(visit_id=ID),
        *(
            DomicileTold(in_reply_to=REF, request_id=ID, state=state, words=words, usable_from=day)
            for state in DomicileState
            for words in ("", WIDEST * 200)
            for day in (None, "2026-12-07")
        ),
    ],
)
def test_all_are_of_one_length(telegram: AnyTelegram) -> None:
    """Asked or told, short or long, accepted or rejected."""
    assert 2_048 == len(codec.encode(telegram))


def test_nothing_personal_is_shown() -> None:
    """A name in a traceback or a log would stay there."""
    told = DomicileTold(request_id=ID, state=DomicileState.REJECTED, words="見本様は窓口へ")

    assert "見本" not in repr(told) + repr(typed("見本", most=False))
