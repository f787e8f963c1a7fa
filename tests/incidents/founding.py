"""Three residents of a city, each with a card and in front of a machine of their own.

Keys, databases and cards are real files, made once for all incidents and changed by none.
"""

import asyncio
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from issuance_server.adapters.pin_judge.registration import NewCard, register_offline
from issuance_server.adapters.sqlite.founding import NewTerminal, Records, found_city
from issuance_server.core.family_register import FamilyRegister
from issuance_server.core.register import Household
from issuance_server.sample.records import records_of
from issuance_server.sample.residents import sample_households
from keys.cards import CardFile
from protocol.kinds import Kind
from protocol.secret import Secret
from tests.adapters.city_file import put_tables
from tests.core.made import CHAIN, START_REAL_MS, tables_toml
from tests.hostile.founding import LINE_IDS, PIN, TERMINALS, Keys, make_keys

FEE_YEN = 200
HOUSEHOLDS = tuple(sample_households()[place] for place in (0, 6, 8))
"""Large enough for a family register of several sheets, with names that no other one has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who stands in front of one of the machines.

    Attributes:
        household: theirs; they are its head.
        card: their card.
        terminal: the machine.
    """

    household: Household
    card: CardFile
    terminal: str

    @property
    def resident_id(self) -> str:
        """宛名番号."""
        return self.household.head_id

    @property
    def name(self) -> str:
        """Their name, as ``flat`` writes it."""
        return flat(self.household.members[0].name)

    @property
    def tells(self) -> frozenset[str]:
        """What is on nobody's paper but theirs: names, readings, address, domicile; flat."""
        said = {self.household.address, self.household.members[0].domicile or ""}
        for member in self.household.members:
            said |= {member.name, member.kana or ""}
        return frozenset(flat(text) for text in said if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """A city as it is before an incident.

    Attributes:
        keys: of the city and its machines.
        applicants: one for each machine, in the order of ``TERMINALS``.
    """

    keys: Keys
    applicants: tuple[Applicant, ...]


def flat(text: str) -> str:
    """Return a text without spaces, in the narrow forms of its characters."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def make_founded(folder: Path) -> Founded:
    """Found the city: three households, three cards, every kind of certificate for one fee."""
    keys = make_keys(folder)
    for name in ("city.db", "judge.db"):
        (folder / name).unlink()
    cards = [
        CardFile.create(
            folder / f"card-{number}.json",
            holder="見本",
            number=b"CARD-%011d" % number,
            seed=Secret(bytes([number]) * 32),
        )
        for number in range(1, 1 + len(HOUSEHOLDS))
    ]
    new = [NewCard(number=one.number, public_key=one.public_key, pin=Secret(PIN)) for one in cards]
    refs = asyncio.run(register_offline(folder / "judge.db", keys.judge, new))
    found_city(
        folder / "city.db",
        households=HOUSEHOLDS,
        records=_records(),
        terminals=[_entry(keys, name) for name in TERMINALS],
        cards=zip(refs, (household.head_id for household in HOUSEHOLDS), strict=True),
        at_ms=START_REAL_MS,
    )
    put_tables(folder / "city.db", tables_toml(dict.fromkeys(Kind, FEE_YEN)))
    applicants = [
        Applicant(household=household, card=card, terminal=name)
        for household, card, name in zip(HOUSEHOLDS, cards, TERMINALS, strict=True)
    ]
    return Founded(keys=replace(keys, card=cards[0]), applicants=tuple(applicants))


def _records() -> Records:
    """Return the households' records; each family register has three sheets."""
    records = dict(records_of(HOUSEHOLDS))
    longer: dict[str, FamilyRegister] = {}
    for key, record in records.items():
        if isinstance(record, FamilyRegister):
            longer.setdefault(record.register_id, _longer(record))
            records[key] = longer[record.register_id]
    return records


def _longer(register: FamilyRegister) -> FamilyRegister:
    """Return a register with two more children, who live elsewhere."""
    elsewhere = [
        msgspec.structs.replace(person, resident_id=None) for person in register.people[-2:]
    ]
    return msgspec.structs.replace(register, people=(*register.people, *elsewhere))


def _entry(keys: Keys, name: str) -> NewTerminal:
    own = keys.terminals[name]
    return NewTerminal(
        terminal=name,
        line_id=LINE_IDS[name],
        fingerprint=own.line.names.fingerprint,
        report_key=own.report_key.public_key,
        until_ms=int(own.line.not_after.timestamp()) * 1_000,
        chain=CHAIN,
        store="見本店",
        in_city=True,
    )
