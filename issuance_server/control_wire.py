"""What commands ask a running server, and what it answers."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.queries import (
    CheckpointRow,
    IssuanceRow,
    JournalRow,
    LifeStep,
    TerminalRow,
)
from issuance_server.certificates.code.claim import NUMBER_CHARACTERS_MAX
from issuance_server.certificates.verify.verdict import NumberStatus
from keys.operators import SignedAct

ACT_CARD_UNLOCK = "card.unlock"
ACT_TERMINAL_REGISTER = "terminal.register"
ACT_TERMINAL_RENEW = "terminal.renew"
ACT_TERMINAL_REVOKE = "terminal.revoke"
ACT_TERMINAL_UNFREEZE = "terminal.unfreeze"
ACTS_ON_LIST = frozenset({ACT_TERMINAL_REGISTER, ACT_TERMINAL_RENEW, ACT_TERMINAL_REVOKE})
"""Done by being recorded; the others are the PIN judge's to do."""
ACTS = ACTS_ON_LIST | {ACT_CARD_UNLOCK, ACT_TERMINAL_UNFREEZE}

OVERLAP_HOURS_MAX = 31 * 24
CERTIFICATE_BYTES_MAX = 8_192
PLACE_CHARACTERS_MAX = 64
NUMBERS_MAX = 100

_Certificate = Annotated[bytes, Meta(max_length=CERTIFICATE_BYTES_MAX)]
_Number = Annotated[str, Meta(max_length=NUMBER_CHARACTERS_MAX)]
_Place = Annotated[str, Meta(min_length=1, max_length=PLACE_CHARACTERS_MAX)]


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A registered card, by its random reference."""

    card_ref: str
    state: str
    tries_left: int
    registered_at_ms: int
    locked_at_ms: int | None = None


class ListIssuances(msgspec.Struct, frozen=True, kw_only=True, tag="list-issuances"):
    """The latest issuances."""

    limit: int


class ShowIssuance(msgspec.Struct, frozen=True, kw_only=True, tag="show-issuance"):
    """The whole life of one issuance."""

    issuance_id: bytes


class ListCards(msgspec.Struct, frozen=True, kw_only=True, tag="list-cards"):
    """All registered cards, or one."""

    card_ref: str | None = None


class ListTerminals(msgspec.Struct, frozen=True, kw_only=True, tag="list-terminals"):
    """All terminals."""


class ReadJournal(msgspec.Struct, frozen=True, kw_only=True, tag="read-journal"):
    """A page of the journal."""

    after: int


class ReadCheckpoints(msgspec.Struct, frozen=True, kw_only=True, tag="read-checkpoints"):
    """A page of signed checkpoints."""

    after: int


class ReadNumbers(msgspec.Struct, frozen=True, kw_only=True, tag="read-numbers"):
    """What is on record for some 発行番号, without page numbers."""

    numbers: Annotated[tuple[_Number, ...], Meta(max_length=NUMBERS_MAX)]


class NewTerminal(msgspec.Struct, frozen=True, kw_only=True, tag="new-terminal"):
    """What comes with ``terminal.register``: the certificate in PEM form, and the place."""

    certificate: _Certificate
    chain: _Place
    store: _Place
    in_city: bool


class NewKey(msgspec.Struct, frozen=True, kw_only=True, tag="new-key"):
    """What comes with ``terminal.renew``: the certificate in PEM form, and how long both hold."""

    certificate: _Certificate
    overlap_hours: Annotated[int, Meta(ge=0, le=OVERLAP_HOURS_MAX)]


class Act(msgspec.Struct, frozen=True, kw_only=True, tag="act"):
    """A signed act of an operator; its subject binds what comes with it."""

    signed: SignedAct
    brought: NewTerminal | NewKey | None = None


Request: TypeAlias = (
    ListIssuances
    | ShowIssuance
    | ListCards
    | ListTerminals
    | ReadJournal
    | ReadCheckpoints
    | ReadNumbers
    | Act
)


class Issuances(msgspec.Struct, frozen=True, kw_only=True, tag="issuances"):
    """Oldest first."""

    rows: tuple[IssuanceRow, ...]


class Life(msgspec.Struct, frozen=True, kw_only=True, tag="life"):
    """In order; empty if unknown."""

    steps: tuple[LifeStep, ...]


class Cards(msgspec.Struct, frozen=True, kw_only=True, tag="cards"):
    """By registration."""

    rows: tuple[CardRow, ...]


class Terminals(msgspec.Struct, frozen=True, kw_only=True, tag="terminals"):
    """By registration."""

    rows: tuple[TerminalRow, ...]


class Journal(msgspec.Struct, frozen=True, kw_only=True, tag="journal"):
    """A page; empty at the end."""

    rows: tuple[JournalRow, ...]


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoints"):
    """A page; empty at the end."""

    rows: tuple[CheckpointRow, ...]


class Numbers(msgspec.Struct, frozen=True, kw_only=True, tag="numbers"):
    """One for each number that was asked for, in the same order."""

    statuses: tuple[NumberStatus, ...]


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The act is recorded and carried out."""


Answer: TypeAlias = Issuances | Life | Cards | Terminals | Journal | Checkpoints | Numbers | Done

encode = msgspec.msgpack.Encoder().encode
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
decode_request = _request_decoder.decode
decode_answer = _answer_decoder.decode
