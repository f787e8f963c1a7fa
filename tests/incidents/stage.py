"""A city of which something goes wrong, and what the residents in front of its machines get.

Real: the server's core, runtime and database, the PIN judge, key exchanges and keys, whole machines
with their devices, certificates, and the gate. Doubles: clock, carrier, and, where an incident
began there, the place where certificates are made.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from issuance_server.certificates.gate import gate_fault
from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.reading.sheets import ReadSheet, read
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core import records as r
from issuance_server.core.inputs import ActAccepted, Change
from issuance_server.core.register_feed import AnyChange, placed
from issuance_server.runtime.runtime import Parts
from protocol.kinds import Kind, Options, Scope
from protocol.secret import Secret
from terminal_sim.core.effects import AskForMoney
from terminal_sim.core.inputs import CertificateChosen, Input
from terminal_sim.core.records import PrintFailed, Withdrawn
from terminal_sim.customer import Choice, Customer
from terminal_sim.desk_work import DeskWork
from terminal_sim.devices import CoinBox
from terminal_sim.person import Keypad, Person
from tests.hostile.founding import PIN
from tests.hostile.town import Opening, Town, WholeTerminal
from tests.incidents.founding import FEE_YEN, Applicant, Founded, flat

Making = Callable[[CertificateOrder], Awaitable[Rendered]]
_NUMBER = "発行番号"


@cache
def production_renderer() -> CertificateRenderer:
    """Return what a rendering worker has."""
    return CertificateRenderer()


async def make(order: CertificateOrder) -> Rendered:
    """Make a certificate as it is made in production."""
    return production_renderer().render(order)


@dataclass
class Workers:
    """Where certificates are made: as in production, or as a test has it.

    Attributes:
        making: does it.
        orders: what was ordered.
    """

    making: Making = make
    orders: list[CertificateOrder] = field(default_factory=list)

    async def render(self, order: CertificateOrder) -> Rendered:
        """Make a certificate."""
        self.orders.append(order)
        return await self.making(order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What somebody took home from one visit.

    Attributes:
        applicant: who.
        heard: name of the city's reply code, or of the machine's cause, if it did not print.
        sheets: of paper.
        opening: how the machine's opening ended.
        earned_yen: kept by the machine for this visit.
        inside_yen: in the machine, and nobody's yet.
        others: what only the papers of the other applicants may say.
    """

    applicant: Applicant
    heard: str | None
    sheets: tuple[ReadSheet, ...]
    opening: Opening
    earned_yen: int
    inside_yen: int
    others: frozenset[str]

    @property
    def said(self) -> str:
        """All text on the paper, flat."""
        return "".join(flat(text) for sheet in self.sheets for text in sheet.texts)


Interlude = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Let nothing happen."""


class Payer(Person):
    """A person while whose coins fall something else happens."""

    meanwhile: Interlude = staticmethod(nothing)

    async def pay(self, asked: AskForMoney) -> int:
        """Pay, after that has happened."""
        await self.meanwhile()
        return await super().pay(asked)


Attend = Callable[[Any, Customer], Awaitable[Input]]


class Machine(WholeTerminal):
    """A machine at which one applicant comes again and again."""

    def __init__(self, applicant: Applicant, founded: Founded, town: "IncidentTown") -> None:
        keys = replace(founded.keys, card=applicant.card)
        super().__init__(applicant.terminal, keys, town.folder / "machines", town)
        self.applicant = applicant
        others = (one.tells for one in founded.applicants if one is not applicant)
        self._others = frozenset().union(*others)
        self._earned_yen = 0
        self.before_paying: Interlude = nothing
        self.draw_id: Callable[[], bytes] | None = None
        self.kind = Kind.JUMINHYO

    async def visit(self, kind: Kind = Kind.JUMINHYO) -> Visit:
        """Let the applicant ask for a certificate, and see what comes of it."""
        self.kind, before = kind, self.papers()
        opening = await self.open(PIN)
        assert opening.person is not None
        new = [paper for paper in self.papers() if paper not in before]
        earned_yen, self._earned_yen = self.earned_yen - self._earned_yen, self.earned_yen
        return Visit(
            applicant=self.applicant,
            heard=self._heard(opening.person),
            sheets=tuple(sheet for paper in new for sheet in read(paper.read_bytes()).sheets),
            opening=opening,
            earned_yen=earned_yen,
            others=self._others,
            inside_yen=self.inside_yen,
        )

    def _heard(self, person: Person) -> str | None:
        """Return the city's word, or the machine's own where that looked and did not print."""
        if person.refusal is not None:
            return person.refusal.code.name
        ends = [one for one in self.records if isinstance(one, PrintFailed | Withdrawn)]
        own = [one for one in ends if one.issuance_id == person.issuance_id]
        return own[-1].cause.name if own else None

    def _person(self, pins: Sequence[bytes]) -> Person:
        household = Options(scope=Scope.HOUSEHOLD)
        options = household if self.kind is Kind.JUMINHYO else Options()
        person = Payer(
            keypad=Keypad(pins=[Secret(pin) for pin in pins]),
            choices=[Choice(kind=self.kind, options=options, copies=1)],
            insert_yen=None,
            say=lambda _: None,
            clock=lambda: self._town.loop.now_ms,
        )
        person.meanwhile = self.before_paying
        return person

    def _work(self, coin_box: CoinBox) -> DeskWork:
        desk = super()._work(coin_box)
        if self.draw_id is not None:
            desk.attend = _drawing(desk, self.draw_id)  # type: ignore[method-assign]
        return desk


def _drawing(desk: DeskWork, draw_id: Callable[[], bytes]) -> Attend:
    """Return what lets a person answer at a machine whose ids are not drawn by chance."""
    honest = desk.attend

    async def attend(asked: Any, customer: Customer) -> Input:
        answer = await honest(asked, customer)
        if isinstance(answer, CertificateChosen):
            return replace(answer, issuance_id=draw_id())
        return answer

    return attend


@dataclass
class IncidentTown(Town):
    """The city.

    Attributes:
        founded: who lives in it.
        workers: where its certificates are made.
        gated: whether its gate looks at what they made; only to show what it is good for.
        feeds: whether its register copy is always as of now.
    """

    founded: Founded = field(kw_only=True)
    workers: Workers = field(default_factory=Workers, kw_only=True)
    gated: bool = field(default=True, kw_only=True)
    feeds: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.folder / "machines").mkdir()
        self.machines = [Machine(one, self.founded, self) for one in self.founded.applicants]

    def _parts(self) -> Parts:
        parts = super()._parts()
        world = replace(parts.world, renderer=self.workers)
        if self.gated:
            world = replace(world, gate=gate_fault)
        return replace(parts, world=world, heartbeat=self.feeds)

    async def all_visit(self, kind: Kind = Kind.JUMINHYO) -> list[Visit]:
        """Let everybody come at the same moment."""
        return list(await asyncio.gather(*(machine.visit(kind) for machine in self.machines)))

    async def change_register(self, *changes: AnyChange) -> None:
        """Let the resident system tell what staff does there."""
        state = await self.store.copy_state()
        batch = placed(changes, state.sequence)
        numbers = f"{changes[0].sequence}-{changes[-1].sequence}"
        await self.act("register.feed", numbers, batch)

    async def act(
        self, name: str, subject: str, change: Change, *, second: str | None = None
    ) -> None:
        """Let operators do something; their signatures are another matter and were checked."""
        await self.runtime.record_act(
            ActAccepted(
                operator="mado-1",
                second=second,
                act=name,
                subject=subject,
                reason="after an inquiry",
                nonce=self.dice.randbytes(16),
                change=change,
            )
        )

    def journal(self) -> list[r.AnyRecord]:
        """Return the whole journal, read from outside as an auditor would."""
        with closing(sqlite3.connect(self.folder / "city.db")) as connection:
            rows = connection.execute("SELECT record FROM journal ORDER BY seq").fetchall()
        return [r.decode_record(row[0]) for row in rows]

    def alarms(self) -> list[str]:
        """Return the reasons of the integrity alarms that an operator sees in the log."""
        return [line["reason"] for line in self.log.of("integrity.alarm")]

    def withdrawn(self) -> list[str]:
        """Return why issuances were withdrawn, as an operator sees it in the log."""
        return [line["reason"] for line in self.log.of("issuance.withdrawn")]


def assert_own_paper(visit: Visit) -> None:
    """Assert that somebody has their own certificate: all of it, of nobody else, and paid for."""
    applicant = visit.applicant
    assert visit.sheets, (
        f"{applicant.terminal} printed nothing: {visit.heard or visit.opening.error}"
    )
    for sheet in visit.sheets:
        said = "".join(flat(text) for text in sheet.texts)
        assert any(tell in said for tell in applicant.tells), "a sheet that is not the applicant's"
    assert applicant.name in visit.said
    assert_nobody_elses(visit)
    assert FEE_YEN == visit.earned_yen
    assert 0 == visit.inside_yen


def assert_clean_refusal(visit: Visit, *heard: str) -> None:
    """Assert that somebody has no paper, all their money, and was told why.

    Args:
        visit: theirs.
        heard: the codes that may have been told; none given: any.
    """
    assert () == visit.sheets
    assert (0, 0) == (visit.earned_yen, visit.inside_yen)
    assert visit.heard is not None
    assert not heard or visit.heard in heard, visit.heard


def assert_own_paper_or_refusal(visit: Visit) -> None:
    """Assert the one or the other."""
    if visit.sheets:
        assert_own_paper(visit)
    else:
        assert_clean_refusal(visit)


def assert_nobody_elses(visit: Visit) -> None:
    """Assert that nothing on the paper is of another applicant or another machine's issuance."""
    numbers = [text for sheet in visit.sheets for text in sheet.texts if text.startswith(_NUMBER)]
    assert len(visit.sheets) == len(numbers)
    assert all(visit.applicant.terminal in number for number in numbers), "another's number"
    assert 1 == len({number.rpartition(" ")[0] for number in numbers}), "sheets of two documents"
    assert not any(tell in visit.said for tell in visit.others), "another's certificate"
