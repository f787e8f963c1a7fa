"""What commands ask a running server, and what it answers."""

from typing import TypeAlias

import msgspec

from issuance_server.adapters.sqlite.queries import (
    CheckpointRow,
    IssuanceRow,
    JournalRow,
    LifeStep,
)
from keys.operators import SignedAct

ACT_CARD_UNLOCK = "card.unlock"
ACT_TERMINAL_UNFREEZE = "terminal.unfreeze"


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


class ReadJournal(msgspec.Struct, frozen=True, kw_only=True, tag="read-journal"):
    """A page of the journal."""

    after: int


class ReadCheckpoints(msgspec.Struct, frozen=True, kw_only=True, tag="read-checkpoints"):
    """A page of signed checkpoints."""

    after: int


class Act(msgspec.Struct, frozen=True, kw_only=True, tag="act"):
    """A signed act of an operator."""

    signed: SignedAct


Request: TypeAlias = ListIssuances | ShowIssuance | ListCards | ReadJournal | ReadCheckpoints | Act


class Issuances(msgspec.Struct, frozen=True, kw_only=True, tag="issuances"):
    """Oldest first."""

    rows: tuple[IssuanceRow, ...]


class Life(msgspec.Struct, frozen=True, kw_only=True, tag="life"):
    """In order; empty if unknown."""

    steps: tuple[LifeStep, ...]


class Cards(msgspec.Struct, frozen=True, kw_only=True, tag="cards"):
    """By registration."""

    rows: tuple[CardRow, ...]


class Journal(msgspec.Struct, frozen=True, kw_only=True, tag="journal"):
    """A page; empty at the end."""

    rows: tuple[JournalRow, ...]


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True, tag="checkpoints"):
    """A page; empty at the end."""

    rows: tuple[CheckpointRow, ...]


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The act is recorded and carried out."""


Answer: TypeAlias = Issuances | Life | Cards | Journal | Checkpoints | Done

encode = msgspec.msgpack.Encoder().encode
_request_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
decode_request = _request_decoder.decode
decode_answer = _answer_decoder.decode
