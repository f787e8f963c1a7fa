"""1, 6, 9, 11 and 25: whose paper came out, in which order, how often, and on whose word."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from issuance_server.core import records as r
from terminal_sim.core import records as here
from tests.sim.checks.witness import Witness


@dataclass(slots=True)
class _Paper:
    """What lies in a tray of one issuance."""

    terminal: str = ""
    holder: str = ""
    copies: int = 0
    sheets: int = 0
    started: int = 0
    laid: list[list[Any]] = field(default_factory=list)


class Paper(Witness):
    """Reads every sheet that comes out of a printer."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets = 0
        self.papers = 0
        self.of: defaultdict[bytes, _Paper] = defaultdict(_Paper)
        self._holder_of_visit: dict[bytes, str] = {}
        self._released: dict[bytes, tuple[str, ...]] = {}
        self._numbers: set[str] = set()
        self._numbers_of: dict[bytes, tuple[str, ...]] = {}
        self._address: dict[str, set[str]] = defaultdict(set)

    def on_card_in(self, _terminal: str, visit_id: bytes, resident_id: str) -> None:
        """Remember whose card is in the slot."""
        self._holder_of_visit[visit_id] = resident_id

    def on_terminal_records(self, terminal: str, records: list[here.AnyRecord]) -> None:
        """Remember what was applied for, and which sheets are on record."""
        for record in records:
            if isinstance(record, here.Applied):
                paper = self.of[record.issuance_id]
                paper.terminal = terminal
                paper.holder = self._holder_of_visit.get(record.visit_id, "nobody")
                paper.copies = record.copies
            elif isinstance(record, here.Quoted):
                self.of[record.issuance_id].sheets = record.sheets
            elif isinstance(record, here.SheetStarted):
                self.of[record.issuance_id].started = record.sheet

    def on_city_records(
        self, _now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, _changes: Any
    ) -> None:
        """Remember what was released, and which numbers were given."""
        for record in records:
            if isinstance(record, r.IssuanceApplied):
                if not self._numbers.isdisjoint(record.numbers):
                    self.broken(25, f"a number was given twice: {record.numbers}")
                self._numbers.update(record.numbers)
                self._numbers_of[record.issuance_id] = record.numbers
            elif isinstance(record, r.IssuanceReleased):
                self._released[record.issuance_id] = self._numbers_of[record.issuance_id]

    def on_sheet(self, terminal: str, issuance_id: bytes, sheet: int, text: str) -> None:
        """Read a sheet."""
        self.sheets += 1
        paper, name = self.of[issuance_id], issuance_id.hex()[:8]
        holder, issuance_hex, number, page, pages, _address = shown = json.loads(text)
        self.papers += page == pages
        if holder != paper.holder or terminal != paper.terminal:
            self.broken(1, f"{name}: a sheet of {holder} came out for {paper.holder}")
        if issuance_hex != issuance_id.hex():
            self.broken(6, f"{name}: a sheet of {issuance_hex[:8]} came out")
        if issuance_id not in self._released:
            self.broken(9, f"{name}: paper came out that was never released")
        elif number not in self._released[issuance_id]:
            self.broken(25, f"{name}: a sheet bears a number that is not its own: {number}")
        if sheet > paper.started:
            self.broken(9, f"{name}: sheet {sheet} came out, and no record speaks of it")
        if sheet != len(paper.laid) + 1:
            self.broken(11, f"{name}: sheet {sheet} came out after {len(paper.laid)} sheets")
        each = paper.sheets // max(1, paper.copies)
        if (page, pages) != ((sheet - 1) % max(1, each) + 1, each):
            self.broken(6, f"{name}: sheet {sheet} is {page}/{pages} of a set of {each}")
        paper.laid.append(shown)

    def all_out(self, issuance_id: bytes) -> bool:
        """Tell whether every sheet of an issuance is out."""
        paper = self.of.get(issuance_id)
        return paper is not None and 0 < paper.sheets == len(paper.laid)
