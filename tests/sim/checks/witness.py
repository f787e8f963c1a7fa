"""What all checkers share: they are told what happens, and say what must never be."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something that must never be.

    Attributes:
        rule: number of the invariant; 0 where it is none of the list.
        text: what was seen.
    """

    rule: int
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


class Witness:
    """One checker. It overrides the ``on_…`` methods that it wants to be told.

    What can be told: see ``Court.TOLD``.
    """

    def __init__(self) -> None:
        self.court: Court

    def broken(self, rule: int, text: str) -> None:
        """Say that a rule is broken."""
        self.court.found(rule, text)


class Court:
    """Tells all witnesses what happens, and collects what they say.

    Attributes:
        violations: what was said, in order.
        on_violation: called at the first one.
    """

    TOLD = (
        "card_in",  # terminal, visit_id, resident_id: whose card is in the slot
        "terminal_records",  # terminal, records: durable at a terminal
        "sheet",  # terminal, issuance_id, sheet, text: paper is out
        "coins",  # terminal, issuance_id, move, amount_yen: insert, change, earn, return
        "spool",  # terminal, issuance_id, there: a ciphertext lies on the disk or is gone
        "replied",  # terminal, request, reply: the terminal takes an answer
        "city_records",  # now, records, kept, dropped, changes: durable at the city, together
        "told",  # terminal, ref, telegram: an answer leaves the city
        "watermark",  # at_ms: as of when the city's register copy is
        "checkpoint",  # the city's deleted keys are off the disk
        "compared",  # card_ref, right, unlocks: the judge compares a PIN; unlocked so often so far
        "founded",  # store: what lies behind the server, before anything happens
        "restarted",  # node: a process begins anew
        "log",  # event, fields: a line of the server's log
    )

    def __init__(self, witnesses: Iterable[Witness]) -> None:
        self.violations: list[Violation] = []
        self.on_violation: Callable[[], None] = lambda: None
        self.witnesses: tuple[Witness, ...] = ()
        self.join(*witnesses)

    def join(self, *witnesses: Witness) -> None:
        """Take further witnesses; they are told from now on, after those who are here."""
        self.witnesses += witnesses
        for witness in witnesses:
            witness.court = self
        for name in self.TOLD:
            heard = [getattr(one, f"on_{name}", None) for one in self.witnesses]
            setattr(self, name, _to_all(tuple(one for one in heard if one is not None)))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., None]: ...

    def found(self, rule: int, text: str) -> None:
        """Take what a witness says."""
        self.violations.append(Violation(rule=rule, text=text))
        self.on_violation()


def _to_all(hearers: tuple[Callable[..., None], ...]) -> Callable[..., None]:
    def tell(*said: Any) -> None:
        for hear in hearers:
            hear(*said)

    return tell
