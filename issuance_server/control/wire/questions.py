"""What commands ask of a running server, and what it answers."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.queries import (
    CheckpointRow,
    FrontierRow,
    IssuanceRow,
    JournalRow,
    LifeStep,
    TerminalRow,
)
from issuance_server.certificates.code.claim import NUMBER_CHARACTERS_MAX
from issuance_server.certificates.verify.verdict import NumberStatus

NUMBERS_MAX = 100

_Number = Annotated[str, Meta(max_length=NUMBER_CHARACTERS_MAX)]


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """A registered card, by its random reference; one that counts by itself has no tries here."""

    card_ref: str
    kind: str
    state: str
    tries_left: int | None
    registered_at_ms: int
    usable_from: str | None = None
    serial: str | None = None
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
    """A page, empty at the end; and where the tree stands now."""

    rows: tuple[CheckpointRow, ...]
    frontier: FrontierRow


class Numbers(msgspec.Struct, frozen=True, kw_only=True, tag="numbers"):
    """One for each number that was asked for, in the same order."""

    statuses: tuple[NumberStatus, ...]


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The act is recorded and carried out."""
