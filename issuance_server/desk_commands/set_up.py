"""``issuance-server init``: the whole folder of a sample city, or nothing."""

import argparse
import asyncio
import hashlib
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from issuance_server.adapters.pin_judge.registration import NewCard, register_offline
from issuance_server.adapters.sqlite.founding import (
    NewTerminal,
    found_city,
    found_manifest,
    found_suppressions,
    found_tables,
)
from issuance_server.adapters.system import SAMPLE_START
from issuance_server.city import software
from issuance_server.config import load
from issuance_server.core.register import Household, Resident, age_on
from issuance_server.core.tables.loaded import LoadedTables
from issuance_server.desk_commands.parsing import Commands
from issuance_server.desk_commands.sample_mynumber import (
    make_mynumber_cards,
    mynumber_holders,
    mynumber_pin,
)
from issuance_server.manifest import manifest_of
from issuance_server.sample import city as sample_city
from issuance_server.sample.records import records_of
from issuance_server.sample.residents import sample_households
from issuance_server.sample.standings import (
    CASES,
    UNPRINTABLE,
    Case,
    Unprintable,
    sample_suppressions,
)
from issuance_server.sample.stores import SampleTerminal, sample_terminals
from issuance_server.sample.tables import SAMPLE_TABLES
from keys import file_store
from keys.authority import Authority
from keys.cards import CardFile
from keys.city_folder import CityFolder
from keys.city_keys import create_city_keys, load_judge_keys
from keys.operators import Operator
from keys.terminal_keys import create_terminal_keys
from protocol.errors import SetUpError
from protocol.kinds import Kind
from protocol.limits import LINE_ID_BYTES
from protocol.secret import Secret

CITY_CODE = "272035"
BROKER_PORT = 18_830
OPERATORS = ("mado-1", "mado-2")
OPERATOR_PASSPHRASE = "toyonaka-sample"  # noqa: S105  # of a sample; it stands in the README
CARD_AGE_MIN_YEARS = 15
_CARD_NUMBER_BYTES = 16
_PINS = 10_000


def add_commands(commands: Commands) -> None:
    """Add ``init``."""
    made = commands.add_parser("init", help="make the folder of a city")
    made.add_argument("folder", type=Path, metavar="DIR", help="a folder that does not exist yet")
    made.add_argument(
        "--sample", choices=["toyonaka"], required=True, help="which fictitious city to make"
    )
    made.add_argument("--broker-port", type=int, help="TCP port of the embedded broker")
    made.set_defaults(run=_init)


def _init(arguments: argparse.Namespace) -> int:
    init(arguments.folder, sample=arguments.sample, broker_port=arguments.broker_port)
    return 0


def init(folder: Path, *, sample: str, broker_port: int | None = None) -> None:
    """Make a sample city.

    Args:
        folder: must not exist, or be empty.
        sample: ``toyonaka``.
        broker_port: TCP port of the embedded broker.

    Raises:
        SetUpError: the folder is in use.
        KeyManagementError: a key cannot be written.
    """
    if folder.exists():
        _make_way(folder)
    port = BROKER_PORT if broker_port is None else broker_port
    file_store.create_folder_whole(folder, lambda made: _fill(made, port))
    sys.stderr.write(f"{folder} holds the sample city {sample}; read {folder}/README.md\n")


def _make_way(folder: Path) -> None:
    """Remove an empty folder; the city's takes its place as a whole."""
    if not folder.is_dir() or any(folder.iterdir()):
        raise SetUpError(f"{folder} exists and is not empty; give a new folder, or remove it")
    if folder.resolve() == Path.cwd():
        raise SetUpError("the folder that you are in cannot be replaced; give a new folder")
    folder.rmdir()


def _fill(folder: Path, broker_port: int) -> None:
    now = datetime.now(UTC)
    now_ms = int(now.timestamp() * 1_000)
    keys = folder / "keys"
    create_city_keys(keys, CITY_CODE, now)
    authority = Authority.of_city(CityFolder.at(keys))
    for name in OPERATORS:
        passphrase = Secret(OPERATOR_PASSPHRASE.encode())
        Operator.create(keys / "operators", name, passphrase, authority)
    households = sample_households()
    file_store.private_folder(folder / "data")
    cards = _make_cards(folder, households)
    certified = make_mynumber_cards(folder, card_holders(households), now)
    found_city(
        folder / "data" / "city.db",
        households=households,
        records=records_of(households),
        terminals=[_admit(folder, keys, one, broker_port, now) for one in sample_terminals()],
        cards=[*cards, *certified],
        at_ms=now_ms,
    )
    found_tables(folder / "data" / "city.db", SAMPLE_TABLES.encode(), now_ms)
    found_suppressions(folder / "data" / "city.db", sample_suppressions(households, now_ms))
    config = _CONFIG.format(
        code=CITY_CODE,
        city=sample_city.CITY,
        prefecture=sample_city.PREFECTURE,
        title=sample_city.ISSUER.title,
        mayor=sample_city.ISSUER.name,
        seal=sample_city.ISSUER.seal_text,
        verify_page=sample_city.ISSUER.verify_page,
        port=broker_port,
        start=SAMPLE_START,
    )
    (folder / "server.toml").write_text(config, encoding="utf-8")
    (folder / "tables.toml").write_text(SAMPLE_TABLES, encoding="utf-8")
    tables = LoadedTables.founding(SAMPLE_TABLES.encode(), now_ms)
    items = manifest_of(load(folder / "server.toml"), tables, software())
    found_manifest(folder / "data" / "city.db", items, now_ms)
    (folder / "README.md").write_text(
        _readme(households, [card_ref for card_ref, *_ in (*cards, *certified)]), encoding="utf-8"
    )


def card_holders(households: tuple[Household, ...]) -> list[tuple[str, Resident]]:
    """Return the card files' names and their holders: everybody who may have a card.

    The name is the number of the household and of the member, such as ``h001-m1``.
    """
    today = datetime.fromisoformat(SAMPLE_START).date()
    return [
        (f"h{at:03d}-m{number}", member)
        for at, household in enumerate(households)
        for number, member in enumerate(household.members, start=1)
        if member.birth.on is None or age_on(member.birth.on, today) >= CARD_AGE_MIN_YEARS
    ]


def sample_pin(name: str) -> str:
    """Return the PIN of a sample card; made from the file's name, so that it never changes."""
    return f"{int.from_bytes(_derived('pin', name)[:8], 'big') % _PINS:04d}"


def _derived(purpose: str, name: str) -> bytes:
    return hashlib.sha256(f"kofu sample {purpose} {name}".encode()).digest()


def _make_cards(folder: Path, households: tuple[Household, ...]) -> list[tuple[str, str]]:
    """Write the card files and register the cards with the PIN judge."""
    place = file_store.private_folder(folder / "cards")
    holders = card_holders(households)
    new_cards = []
    for name, holder in holders:
        card = CardFile.create(
            place / f"{name}.card.json",
            holder=holder.name,
            number=_derived("card number", name)[:_CARD_NUMBER_BYTES],
            seed=Secret(_derived("card key", name)),
        )
        pin = Secret(sample_pin(name).encode())
        new_cards.append(NewCard(number=card.number, public_key=card.public_key, pin=pin))
    judge_keys = load_judge_keys(folder / "keys")
    store = folder / "data" / "pin-judge.db"
    card_refs = asyncio.run(register_offline(store, judge_keys, new_cards))
    return [
        (card_ref, holder.resident_id)
        for card_ref, (_, holder) in zip(card_refs, holders, strict=True)
    ]


def _admit(
    folder: Path, keys: Path, terminal: SampleTerminal, broker_port: int, now: datetime
) -> NewTerminal:
    """Give a terminal its folder and return its entry for the list."""
    line_id = secrets.token_bytes(LINE_ID_BYTES)
    place = file_store.private_folder(folder / "terminals") / terminal.terminal_id
    file_store.private_folder(place)
    made = create_terminal_keys(keys, terminal.terminal_id, place / "keys", line_id, now)
    settings = _TERMINAL.format(
        terminal=terminal.terminal_id,
        code=CITY_CODE,
        line_id=line_id.hex(),
        port=broker_port,
        chain=terminal.chain,
        store=terminal.store_name,
    )
    (place / "terminal.toml").write_text(settings, encoding="utf-8")
    return NewTerminal(
        terminal=terminal.terminal_id,
        line_id=line_id,
        fingerprint=made.line.fingerprint,
        report_key=made.report_key.public_key,
        until_ms=int(made.line.not_after.timestamp()) * 1_000,
        chain=terminal.chain,
        store=terminal.store_name,
        in_city=terminal.in_city,
        terminal_class=terminal.terminal_class,
    )


def _readme(households: tuple[Household, ...], card_refs: list[str]) -> str:
    """Return the list of cards and PINs; everybody in it is fictitious.

    Args:
        households: of the sample.
        card_refs: of all cards, in the order in which they were made.
    """
    at_home = {
        member.resident_id: len(household.members)
        for household in households
        for member in household.members
    }
    holders = card_holders(households)
    pins = [(name, sample_pin(name), holder) for name, holder in holders]
    pins += [(name, mynumber_pin(name), holder) for name, holder in mynumber_holders(holders)]
    rows = "\n".join(
        f"| cards/{name}.card.json | {pin} | {holder.name} |"
        f" {at_home[holder.resident_id]} | {holder.relationship} |"
        f" {holder.resident_id} | {card_ref} |"
        for (name, pin, holder), card_ref in zip(pins, card_refs, strict=True)
    )
    return _README.format(
        rows=rows,
        refused="\n".join(_refused(case) for case in (*CASES, *UNPRINTABLE)),
        operators=", ".join(OPERATORS),
        passphrase=OPERATOR_PASSPHRASE,
        start=SAMPLE_START,
    )


def _refused(case: Case | Unprintable) -> str:
    """Return a row of the list of cards that are refused something."""
    kinds = "everything"
    if case.kinds and set(case.kinds) != set(Kind):
        kinds = ", ".join(kind.value for kind in case.kinds)
    word = case.refusal.value if isinstance(case, Case) else case.reason
    return f"| {case.card} | {kinds} | {word} | {case.told} |"


_CONFIG = """\
# A sample city. `issuance-server check-config --explain` lists every key.

[city]
code = "{code}"
name = "{city}"
prefecture = "{prefecture}"
mayor_title = "{title}"
mayor_name = "{mayor}"
seal_text = "{seal}"
specimen = true
verify_page = "{verify_page}"
backs = true
call_centre = "06-0000-0000 (9:00-17:15, fictitious)"

[broker]
embedded = true
port = {port}

[clock]
business = "{start}"

[register]
heartbeat = true

[notice]
sender = "file"

[node]
manifest = "follow"
"""

_TERMINAL = """\
# A sample terminal: one multicopy machine. Keys and storage are relative to this file.

terminal = "{terminal}"
city = "{code}"
line_id = "{line_id}"
broker_host = "127.0.0.1"
broker_port = {port}
keys = "keys"
storage = "storage"
chain = "{chain}"
store = "{store}"
"""

_README = """\
# A sample city

Everything here is fictitious: the residents, their households, the cards, the stores and the mayor.

- `server.toml`: the configuration. Its business clock starts at {start} in Japan (a Monday),
  so that the city is open whenever you try it; `issuance-server run --clock system` takes the real
  time.
- `tables.toml`: hours, fees and chains, as they are in force; after a change:
  `issuance-server tables load`.
- `terminals/ID/`: one folder for each multicopy machine.
- `keys/operators/`: the operators {operators}; their passphrase is `{passphrase}`.
- `jpki/`: a simulated authority for the certificates of cards; what it publishes to the city lies
  in `keys/trust/jpki/`. Its list of what is revoked ends after a year; a new one:
  `issuance-keys jpki crl jpki --out keys/trust/jpki --days 366`.
- `cards/`: cards as files, with these PINs; `.mynumber.card.json` is a 個人番号カード, which judges
  its PIN itself, and the others are 住民基本台帳カード. Commands such as `suppression add` ask for
  the 宛名番号, and those such as `card unlock` for the card reference, which is drawn at random:
  every sample city has its own (`issuance-server card list`).

| card | PIN | holder (fictitious) | in the household | relationship | 宛名番号 | card reference |
|---|---|---|---|---|---|---|
{rows}

With these cards something is refused. The last but one column is the word in journal and log; the
terminal shows a sentence that betrays nobody.

| card | refused | why | |
|---|---|---|---|
{refused}
"""
