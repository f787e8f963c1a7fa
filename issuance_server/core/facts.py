"""Facts: what a decision needs to know of the store, read in the transaction that records it.

The core never asks for anything. Whoever feeds it an input reads these in the same transaction in
which the records of the step are written, so that a staff edit, a suppression or another worker can
race with a release without harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from issuance_server.core.bars import Bar
from issuance_server.core.cards import CardFacts
from issuance_server.core.day_facts import DayFacts, PrintFacts
from issuance_server.core.domicile_changes import KnownRequest
from issuance_server.core.standing import Standing
from issuance_server.core.suppression import Ground
from issuance_server.core.terminal_place import TerminalPlace
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Kind
from protocol.terminal_statements import PrintOutcome

NO_HOUSEHOLD_VERSION = 0
"""The register version of a holder who has no household in this city; all others count from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The time of a step.

    Attributes:
        real_ms: milliseconds since 1970 UTC; deadlines and keys use it.
        business_ms: the city's business clock; hours, dates on the paper and ages use it.
    """

    real_ms: int
    business_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderFacts:
    """The holder's place in the register, as of this transaction.

    Attributes:
        household_id: 世帯番号.
        register_version: of the household; a new one, never used before in the city, with every
            change to it or a member, so that it names the household as well.
        birth_on: the calendar date of birth, or None where it is not one.
        suppressions: the grounds of those that lie on the person or the household.
        standing: how the person stands in the register.
        resident_since: 住民となった年月日, or None where it is not a day.
        register_age_ms: how old the register copy is.
        household_members: how many members there are to choose from; nobody who is removed.
        others: how the other members of the household stand.
        member_suppressed: whether a suppression lies on another member.
        head_removed: whether the household waits for a new head.
        record_versions: for each kind that is made of a record of another register, the version
            of the holder's; likewise a new one with every change. Where there is no record, there
            is no entry.
        bars: what bars certificates of a record, for each kind that is barred.
        tax_year: the fiscal year of the holder's tax record.
        shows_suppressed: the kinds whose record also shows somebody on whom a suppression lies.
        under_edit: whether staff has the household or a member open for editing.
        stand_in: whether stand-in operation is declared, so that an old copy is used.
        by_domicile: whether the holder lives elsewhere and only the family register is kept here.
    """

    household_id: str
    register_version: int
    birth_on: date | None
    suppressions: tuple[Ground, ...] = ()
    standing: Standing = Standing.CURRENT
    resident_since: date | None = None
    register_age_ms: int
    household_members: int
    others: frozenset[Standing] = frozenset()
    member_suppressed: bool = False
    head_removed: bool = False
    record_versions: Mapping[Kind, int] = field(default_factory=dict)
    bars: Mapping[Kind, Bar] = field(default_factory=dict)
    tax_year: int | None = None
    shows_suppressed: frozenset[Kind] = frozenset()
    under_edit: bool = False
    stand_in: bool = False
    by_domicile: bool = False

    @property
    def suppressed(self) -> bool:
        """Whether issuing is suppressed for the person or the household."""
        return bool(self.suppressions)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedIssuance:
    """What is still known of an issuance that has ended.

    Attributes:
        terminal: whose it was.
        state: how it ended.
        code: why it was withdrawn; otherwise None.
        reported: what the terminal said of the paper; None: nothing.
    """

    terminal: str
    state: IssuanceState
    code: ReplyCode | None = None
    reported: PrintOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was read for one input; a field that the input does not need is None.

    Attributes:
        holder: the holder's register facts; None if the register does not know the holder.
        next_serial: the day's next serial of the certificate numbers.
        ended: the issuance that the input names, if it has ended.
        resident_id: the holder of the card that was judged right; None if it is not registered.
        place: where the terminal stands; None if it was never registered.
        card: the card that was judged right or that is being used; None if it is not registered,
            or was withdrawn.
        domicile: the request by 本籍 that is meant, or the latest one of the card.
        day: a business day that is to be closed.
        prints: how the terminal has printed so far.
    """

    holder: HolderFacts | None = None
    next_serial: int = 1
    ended: EndedIssuance | None = None
    resident_id: str | None = None
    place: TerminalPlace | None = None
    card: CardFacts | None = None
    domicile: KnownRequest | None = None
    day: DayFacts | None = None
    prints: PrintFacts | None = None


NO_FACTS = Facts()
