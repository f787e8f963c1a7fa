"""A menu is as long whatever is on it: what is withheld, and who lives in the household."""

import itertools

import pytest

from issuance_server.core.choices import SCOPES
from issuance_server.sample.residents import sample_households
from protocol import codec
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind
from protocol.limits import MENU_BUCKET_BYTES
from protocol.telegrams import Member, Menu, MenuItem, RequestRef, Unavailable

REF = RequestRef(generation=1, counter=9, digest=bytes(32))
LARGEST = max(sample_households(), key=lambda household: len(household.members))
OPENS_AT_MS = 1_796_000_000_000


def menu(withheld: frozenset[Kind], members: int) -> Menu:
    """Return a menu on which some kinds are withheld and everything else is offered in full."""
    return Menu(
        visit_id=bytes(16),
        items=tuple(
            MenuItem(kind=kind, fee_yen=350, items=tuple(Item), scopes=SCOPES)
            for kind in Kind
            if kind not in withheld
        ),
        members=tuple(
            Member(number=number, name=member.name)
            for number, member in enumerate(LARGEST.members[:members], start=1)
        ),
        unavailable=tuple(
            Unavailable(kind=kind, code=ReplyCode.NOT_ISSUED_HERE, opens_at_ms=OPENS_AT_MS)
            for kind in withheld
        ),
        in_reply_to=REF,
    )


@pytest.mark.parametrize("count", range(len(Kind) + 1))
def test_length_tells_neither_what_is_withheld_nor_how_many_live_together(count: int) -> None:
    """The broker sees the same for whoever it is."""
    for withheld in itertools.combinations(Kind, count):
        for members in (0, 1, len(LARGEST.members)):
            packed = codec.encode(menu(frozenset(withheld), members))
            assert MENU_BUCKET_BYTES == len(packed)
