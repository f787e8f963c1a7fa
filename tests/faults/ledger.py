"""What must hold after any fault, read from what lies on the disks of the city and its terminals.

Nothing that a process says counts here: the city's database, the terminals' journals and coin
boxes, the paper, and a witness at the tray are held against each other.
"""

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from pypdfium2 import PdfDocument

from issuance_server.sample.residents import sample_households
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.devices import COIN_BOX_FILE
from terminal_sim.journal import JOURNAL_FILE

SIDES = 2
"""Of a sheet, in a city with backs."""
TRACEBACK_CHARACTERS = 3_000
ENDED = frozenset({"completed", "reversed", "withdrawn"})
CARDS = {"h000-m1": 0, "h002-m1": 2, "h006-m1": 6, "h001-m1": 1}
"""Cards of the sample that the visits use, and whose household each is of."""

_decoder: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)


@dataclass(slots=True, kw_only=True)
class Findings:
    """What does not hold; all empty when everything does.

    Attributes:
        lost: paid or printed, and one side does not know; or never ended.
        duplicated: a sheet, a number or a fee twice.
        crossed: paper that shows somebody else.
        other: money, keys, spool, journal.
    """

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    crossed: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Return everything."""
        return [*self.lost, *self.duplicated, *self.crossed, *self.other]

    def add(self, more: "Findings") -> None:
        """Take in another's."""
        self.lost += more.lost
        self.duplicated += more.duplicated
        self.crossed += more.crossed
        self.other += more.other


@dataclass(slots=True)
class Told:
    """What one terminal's journal tells of one issuance."""

    terminal: str
    started: Counter[int] = field(default_factory=Counter)
    laid: Counter[int] = field(default_factory=Counter)
    printed_yen: int | None = None
    failed: r.PrintFailed | None = None
    withdrawn: bool = False
    sheets: int = 0
    erased: bool = False
    taken: str = ""


@cache
def _names() -> dict[int, set[str]]:
    """Return the names of each household that a visit may be about, without spaces."""
    households = sample_households()
    return {n: {m.name.replace("\u3000", "") for m in households[n].members} for n in _used()}


@cache
def _used() -> tuple[int, ...]:
    return tuple(CARDS.values())


class Ledger:
    """Holds the records of one city's folder against each other, as often as asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._households: dict[str, int] = {}  # paper that was read before: whose it was

    def unsettled(self) -> list[str]:
        """Return what has not ended: at the city, or at a terminal."""
        open_ = [
            f"{row['issuance']} is {row['state']} at the city"
            for row in self._rows()
            if row["state"] not in ENDED or (row["state"] != "withdrawn" and not row["gone"])
        ]
        for issuance, told in self._told().items():
            if not (told.erased and told.taken) and not told.withdrawn:
                open_.append(f"{issuance} is not settled at {told.terminal}")
            elif told.withdrawn and not told.erased:
                open_.append(f"{issuance} is not erased at {told.terminal}")
        return open_

    def examine(self, witnessed: Counter[str]) -> Findings:
        """Return what does not hold, when all is settled.

        Args:
            witnessed: sheets that were seen to land, by issuance.
        """
        found = Findings()
        rows, told = self._rows(), self._told()
        found.lost += self.unsettled()
        by_issuance = {row["issuance"]: row for row in rows}
        for issuance, one in told.items():
            _hold_against(issuance, one, by_issuance.get(issuance), found)
        found.lost += [f"{i} is at no terminal" for i in by_issuance if i not in told]
        self._examine_paper(by_issuance, told, witnessed, found)
        self._examine_money(rows, told, found)
        self._examine_rest(found)
        return found

    def _examine_paper(
        self,
        rows: dict[str, dict[str, Any]],
        told: dict[str, Told],
        witnessed: Counter[str],
        found: Findings,
    ) -> None:
        papers = {path.stem: path for path in (self._folder / "paper").glob("*.pdf")}
        for issuance in papers.keys() | witnessed.keys() | told.keys():
            one = told.get(issuance)
            laid = 0 if one is None else sum(one.laid.values())
            unknown = one is not None and one.failed is not None and one.failed.sheets_unknown
            allowed = {laid, laid + 1} if unknown else {laid}
            sheets = 0
            if issuance in papers:
                with PdfDocument(papers[issuance]) as document:
                    sheets = len(document) // SIDES
                self._whose(issuance, papers[issuance], rows.get(issuance), found)
            if sheets not in allowed:
                found.lost.append(f"{issuance}: {sheets} sheets in the tray, {laid} recorded")
            if witnessed[issuance] > max(allowed):
                found.duplicated.append(
                    f"{issuance}: {witnessed[issuance]} sheets landed, {laid} recorded"
                )
            elif witnessed[issuance] != sheets:
                found.duplicated.append(
                    f"{issuance}: {witnessed[issuance]} sheets landed, {sheets} in the tray"
                )

    def _whose(
        self, issuance: str, paper: Path, row: dict[str, Any] | None, found: Findings
    ) -> None:
        if issuance not in self._households:
            with PdfDocument(paper) as document:
                text = "".join(page.get_textpage().get_text_range() for page in document)
            flat = "".join(text.split())
            shown = {number for number, names in _names().items() if any(n in flat for n in names)}
            self._households[issuance] = shown.pop() if len(shown) == 1 else -1
        holder = None if row is None else row["household"]
        if self._households[issuance] != holder:
            found.crossed.append(
                f"{issuance} shows household {self._households[issuance]}, its card is of {holder}"
            )

    def _examine_money(
        self, rows: list[dict[str, Any]], told: dict[str, Told], found: Findings
    ) -> None:
        earned: defaultdict[str, int] = defaultdict(int)
        for row in rows:
            if row["state"] == "completed":
                earned[row["terminal"]] += row["fee_yen"]
        for storage in self._folder.glob("terminals/*/storage"):
            terminal = storage.parent.name
            if not (storage / COIN_BOX_FILE).exists():
                continue
            with closing(sqlite3.connect(storage / COIN_BOX_FILE)) as box:
                if not box.execute("SELECT 1 FROM sqlite_schema").fetchone():
                    continue
                inside, in_box = box.execute(
                    "SELECT total(inside_yen), total(earned_yen) FROM hoppers"
                ).fetchone()
                twice = box.execute(
                    "SELECT count(*) FROM hoppers WHERE earned_yen > 0 AND returned_yen > 0"
                ).fetchone()[0]
            if inside:
                found.other.append(f"{terminal}: {inside:.0f} yen left in the hopper")
            if twice:
                found.duplicated.append(f"{terminal}: money earned and given back")
            if in_box != earned[terminal]:
                found.other.append(
                    f"{terminal}: {in_box:.0f} yen earned, the city says {earned[terminal]}"
                )
            recorded = sum(t.printed_yen or 0 for t in told.values() if t.terminal == terminal)
            if recorded != in_box:
                found.other.append(f"{terminal}: {in_box:.0f} yen earned, {recorded} recorded")

    def _examine_rest(self, found: Findings) -> None:
        with closing(self._city()) as city:
            keys = city.execute("SELECT count(*) FROM issuance_key").fetchone()[0]
            twice = city.execute(
                "SELECT count(*) FROM (SELECT visit_id FROM issuance WHERE state = 'completed'"
                " GROUP BY visit_id HAVING count(*) > 1)"
            ).fetchone()[0]
            numbers = city.execute(
                "SELECT count(*) FROM certificate_number JOIN issuance USING (issuance_id)"
                " WHERE (certificate_number.state = 'valid') <> (issuance.state = 'completed')"
            ).fetchone()[0]
            sound = city.execute("PRAGMA integrity_check").fetchone()[0]
        if keys:
            found.other.append(f"{keys} keys of certificates are not destroyed")
        if twice:
            found.duplicated.append(f"{twice} visits were given two certificates for one")
        if numbers:
            found.other.append(f"{numbers} certificate numbers do not fit their issuance")
        if sound != "ok":
            found.other.append("the city's database is damaged")
        strays = list(self._folder.glob("terminals/*/storage/spool/*"))
        if strays:
            found.other.append(f"{len(strays)} ciphertexts are left in spools")
        log = (self._folder / "log" / "server.jsonl").read_text(errors="replace")
        _, traceback, rest = log.partition("Traceback")
        if traceback:
            found.other.append(f"a traceback in the server's log: {rest[:TRACEBACK_CHARACTERS]}")

    def _city(self) -> sqlite3.Connection:
        return sqlite3.connect(self._folder / "data" / "city.db", timeout=10)

    def _rows(self) -> list[dict[str, Any]]:
        households = {
            member.resident_id: number
            for number in _used()
            for member in sample_households()[number].members
        }
        with closing(self._city()) as city:
            rows = city.execute(
                "SELECT lower(hex(issuance_id)), state, terminal, fee_yen, fee_state,"
                " key_destroyed, resident_id FROM issuance LEFT JOIN card USING (card_ref)"
            ).fetchall()
        names = ("issuance", "state", "terminal", "fee_yen", "fee_state", "gone", "resident")
        told = [dict(zip(names, row, strict=True)) for row in rows]
        return [{**row, "household": households.get(row["resident"])} for row in told]

    def _told(self) -> dict[str, Told]:
        told: dict[str, Told] = {}
        for path in self._folder.glob(f"terminals/*/storage/{JOURNAL_FILE}"):
            with closing(sqlite3.connect(path, timeout=10)) as journal:
                begun = journal.execute("SELECT 1 FROM sqlite_schema WHERE name = 'records'")
                rows = (
                    journal.execute("SELECT record FROM records ORDER BY number").fetchall()
                    if begun.fetchone()  # death may come before the first table
                    else []
                )
            for (text,) in rows:
                record = _decoder.decode(text)
                if isinstance(record, r.OfIssuance):
                    one = told.setdefault(record.issuance_id.hex(), Told(path.parent.parent.name))
                    _take(one, record)
        return told


def _take(one: Told, record: AnyRecord) -> None:
    match record:
        case r.Quoted(sheets=sheets):
            one.sheets = sheets
        case r.SheetStarted(sheet=sheet):
            one.started[sheet] += 1
        case r.SheetLaid(sheet=sheet):
            one.laid[sheet] += 1
        case r.Printed(earned_yen=yen):
            one.printed_yen = (one.printed_yen or 0) + yen
        case r.PrintFailed():
            one.failed = record
        case r.Withdrawn():
            one.withdrawn = True
        case r.SpoolErased():
            one.erased = True
        case r.DeletionTaken(answer=answer):
            one.taken = answer


def _hold_against(issuance: str, told: Told, row: dict[str, Any] | None, found: Findings) -> None:
    """Hold what a terminal recorded of an issuance against the city's row."""
    if any(count > 1 for count in (*told.started.values(), *told.laid.values())):
        found.duplicated.append(f"{issuance}: a sheet was started or laid twice")
    if told.printed_yen is not None and set(told.laid) != set(range(1, told.sheets + 1)):
        found.lost.append(
            f"{issuance}: paid, and {sum(told.laid.values())} sheets of {told.sheets}"
        )
    state = None if row is None else row["state"]
    if (told.printed_yen is not None) != (state == "completed"):
        found.lost.append(f"{issuance}: printed is {told.printed_yen}, the city says {state}")
    # withdrawn: the key was about to be asked for, and never was
    if told.failed is not None and state not in {"reversed", "withdrawn"}:
        found.lost.append(f"{issuance}: its print failed, the city says {state}")
    if told.withdrawn and state not in {None, "withdrawn", "reversed"}:
        found.lost.append(f"{issuance}: withdrawn, and the city says {state}")
    if row is not None and (row["fee_state"] == "earned") != (state == "completed"):
        found.other.append(f"{issuance}: {state} with its fee {row['fee_state']}")
