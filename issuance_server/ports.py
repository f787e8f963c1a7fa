"""What the server needs from the world, as small protocols; the adapters fill them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.source import CertificateSource
from issuance_server.core.effects import ChangeCopy, DropKey, KeepAside, KeepKey, TakeExtract
from issuance_server.core.facts import Facts, Now
from issuance_server.core.freshness import CopyState
from issuance_server.core.line_table import RegisteredTerminal
from issuance_server.core.notices import Letter, NoticeState
from issuance_server.core.pin_policy import AnyAttempt, JudgeEvent, Verdict
from issuance_server.core.records import AnyRecord
from issuance_server.core.register import Household
from issuance_server.core.switch import Needs
from issuance_server.core.tables.loaded import LoadedTables
from protocol.checkpoint import Checkpoint
from protocol.kinds import Kind
from protocol.secret import Secret

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signs a statement with Ed25519; the key stays with whoever made the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCheckpoint:
    """What a witness is shown (TP-121).

    Attributes:
        checkpoint: the latest that is signed.
        proof: that it grew from the one that the witness keeps; empty where there is nothing to
            prove, or no way to.
    """

    checkpoint: Checkpoint
    proof: tuple[bytes, ...] = ()


class Clock(Protocol):
    """The two times of the city."""

    def now(self) -> Now:
        """Return real and business time."""
        ...


class Entropy(Protocol):
    """Where random bytes come from."""

    def draw(self, count: int) -> Secret:
        """Return so many random bytes."""
        ...


class PinJudge(Protocol):
    """Judges PINs in a process of its own; there is no way to compare without counting."""

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int) -> bytes | None:
        """Return a fresh challenge for one attempt; None if it was used already.

        Raises:
            AdapterError: the judge is out of reach.
        """
        ...

    async def judge(self, attempt: AnyAttempt) -> Verdict:
        """Return the verdict, its signature checked.

        Raises:
            AdapterError: the judge is out of reach, or its answer is not to this attempt.
        """
        ...

    async def collect_events(self) -> list[JudgeEvent]:
        """Return what happened to cards since the last call.

        Raises:
            AdapterError: the judge is out of reach.
        """
        ...


class Renderer(Protocol):
    """Makes certificates."""

    async def render(self, order: CertificateOrder) -> Rendered:
        """Return the document.

        Raises:
            CertificateRefused: the record cannot be printed.
            AdapterError: the renderer is out of reach or too slow.
        """
        ...


class NoticeSender(Protocol):
    """A way for notices to leave (本人通知)."""

    async def send(self, letter: Letter) -> None:
        """Hand a notice over; when this returns, somebody else has it for good.

        Raises:
            AdapterError: nobody has, or nobody knows; the text is a word without anything personal.
        """
        ...


class Gateway(Protocol):
    """Carries bytes to and from the terminals; ``protocol.shells.mqtt.MqttGateway`` is one.

    It delivers hints, not guarantees: a message may come twice, late or never.
    """

    @property
    def connected(self) -> asyncio.Event:
        """Set while messages can be carried."""
        ...

    @property
    def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give ``(topic, payload)`` in order of arrival until ``close``. For one reader."""
        ...

    async def run(self) -> None:
        """Stay connected until ``close`` or cancellation."""
        ...

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand ``payload`` over.

        Raises:
            AdapterError: it could not be handed over; it may or may not arrive.
        """
        ...

    async def close(self) -> None:
        """Disconnect and end ``incoming``. May be called twice."""
        ...


class Transaction(Protocol):
    """What can be read and written between begin and commit.

    Facts are read after everything that was written before them, in the same transaction.
    """

    async def facts(self, needs: Needs, real_ms: int) -> Facts:
        """Read what an input needs, as of this very transaction.

        Args:
            needs: what to read.
            real_ms: the register's age is counted from this.
        """
        ...

    def write(self, record: AnyRecord) -> None:
        """Append a record to the journal, with what it projects, and a leaf to the audit tree."""
        ...

    def keep_key(self, kept: KeepKey) -> None:
        """Store a wrapped content key."""
        ...

    def drop_key(self, dropped: DropKey) -> None:
        """Delete a wrapped content key; it is off the disk after the next ``Store.checkpoint``."""
        ...

    def keep_aside(self, kept: KeepAside) -> None:
        """Keep what no record may hold."""
        ...

    async def change_copy(self, effect: ChangeCopy | TakeExtract) -> None:
        """Change the register copy, or let the attached extract take its place."""
        ...


class Outbox(Protocol):
    """Where notices (本人通知) wait until somebody has taken them.

    All of it may raise ``JournalFailed``: it cannot be read or written.
    """

    async def due(self, now_ms: int) -> list[Letter]:
        """Return notices whose time has come, the longest waiting first; not too many at once."""
        ...

    async def sent(self, key: str, now_ms: int) -> None:
        """Mark a notice that has gone out."""
        ...

    async def not_sent(self, letter: Letter, now_ms: int) -> NoticeState:
        """Mark a try that failed, and return how the notice stands now."""
        ...

    async def forget_old(self, now_ms: int) -> None:
        """Erase what was sent, or given up, long ago."""
        ...


class Store(Protocol):
    """Journal, projections, register copy and wrapped keys of one city.

    One process writes. All of it may raise ``JournalFailed``: it cannot be read or written, and
    the server stops. What is read outside of a transaction is as of the last commit.
    """

    @property
    def outbox(self) -> Outbox:
        """The notices that wait; what becomes of them is not on record in the journal."""
        ...

    def transaction(self, attached: str | None = None) -> AbstractAsyncContextManager[Transaction]:
        """Run one transaction; it is on the disk when the block is left, or nothing of it is.

        Args:
            attached: a staged extract that it takes over.
        """
        ...

    async def records_of_open_subjects(self, now_ms: int) -> list[AnyRecord]:
        """Return the journal's records of everything that has not ended, in order."""
        ...

    async def stopped_terminals(self) -> set[str]:
        """Return the terminals that an integrity alarm stopped, or that are revoked."""
        ...

    async def issuing_stopped(self) -> bool:
        """Tell whether nothing is issued in the whole city until two operators reopen it."""
        ...

    async def terminals(self, now_ms: int) -> list[RegisteredTerminal]:
        """Return the list: terminals that are not revoked, with what is accepted of them now."""
        ...

    async def tables(self) -> LoadedTables | None:
        """Return the city's tables in force; None: none were ever loaded."""
        ...

    async def closed_through(self) -> str:
        """Return the last business day that is closed, ``YYYY-MM-DD``; empty: none is."""
        ...

    async def last_judge_report(self) -> tuple[int, int]:
        """Return number and time of the last of the judge's events that is in the journal."""
        ...

    async def household_of(self, resident_id: str) -> tuple[Household, int] | None:
        """Return a resident's household and its version, from one consistent read."""
        ...

    async def source_of(self, resident_id: str, kind: Kind) -> CertificateSource | None:
        """Return what a resident's certificate of a kind is made of, from one consistent read."""
        ...

    async def source_by_domicile(self, resident_id: str, kind: Kind) -> CertificateSource | None:
        """Return the same for a holder who lives elsewhere and stands in a family register here."""
        ...

    async def wrapped_key(self, issuance_id: bytes) -> tuple[str, bytes] | None:
        """Return the day and the wrapped content key of an issuance, if it is still there."""
        ...

    async def key_days(self) -> set[str]:
        """Return the days whose keys still wrap something."""
        ...

    async def copy_state(self) -> CopyState:
        """Return how the register copy stands."""
        ...

    async def set_watermark(self, at_ms: int) -> None:
        """Note that the register copy is as of now (the sample city's own heartbeat)."""
        ...

    async def forget_applicants(self, before_ms: int) -> int:
        """Erase what was typed for requests by 本籍 that were decided before a time; count them."""
        ...

    async def sign_tree(self, *, city: str, at_ms: int, sign: Sign) -> None:
        """Store a signed checkpoint of the audit tree if it has grown since the last one."""
        ...

    async def shown_checkpoint(self, witnessed: int) -> ShownCheckpoint | None:
        """Return the latest signed checkpoint for a witness; None: nothing is signed.

        Args:
            witnessed: size of the checkpoint that the witness keeps; 0: it keeps none.
        """
        ...

    async def checkpoint(self) -> bool:
        """See to it that what was deleted is off the disk.

        Returns:
            False if a reader was in the way; try again.
        """
        ...
